package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// command is one that has not been built yet.
type command struct {
	name  string
	build func() *cobra.Command
}

// commands are all of them.
func commands(e env, o *options) []command {
	with := func(build func(env, *options) *cobra.Command) func() *cobra.Command {
		return func() *cobra.Command { return build(e, o) }
	}
	return append([]command{
		{"login", with(newLoginCmd)},
		{"logout", with(newLogoutCmd)},
		{"status", with(newStatusCmd)},
		{"demo", func() *cobra.Command { return newDemoCmd(e) }},
		{"version", newVersionCmd},
		{"tools", with(newToolsCmd)},
		{"call", with(newCallCmd)},
		{"journal", with(newJournalCmd)},
		{"install", with(newInstallCmd)},
		{"uninstall", with(newUninstallCmd)},
		{"doctor", with(newDoctorCmd)},
		{"logs", with(newLogsCmd)},
		{openURLCommand, func() *cobra.Command { return newOpenURLCmd(e) }},
		{demoBrowserCommand, newDemoBrowserCmd},
		{"manual", func() *cobra.Command { return newManualCmd(e) }},
	}, topics()...)
}

// meant are those that the arguments name, so that a bridge of a host starts without
// what it cannot use. Help, completions and the manual tell of all.
func meant(all []command, args []string) []command {
	asks := func(arg string) bool {
		return slices.Contains([]string{"help", "--help", "-h", "completion", "manual"}, arg) || strings.HasPrefix(arg, cobra.ShellCompRequestCmd)
	}
	if slices.ContainsFunc(args, asks) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(c command) bool { return !slices.Contains(args, c.name) })
}
