package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// manual is what the pages of one release have in common. They are made from the
// commands themselves, so that they say what --help says.
type manual struct {
	date    string // 2006-01-02, or empty
	version string
}

// newManualCmd is the hidden command that packages are made with (tools/release).
func newManualCmd(e env) *cobra.Command {
	return &cobra.Command{
		Use:    "manual FOLDER",
		Short:  "Write the manual pages into a folder, dated by SOURCE_DATE_EPOCH",
		Hidden: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(cmd, errors.New("one folder is needed"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			date, err := sourceDate(e.getenv("SOURCE_DATE_EPOCH"))
			if err != nil {
				return err
			}
			return manual{date, buildinfo.Version()}.write(cmd.Root(), args[0])
		},
	}
}

// sourceDate reads the variable that reproducible builds agree on: seconds since 1970.
func sourceDate(epoch string) (string, error) {
	if epoch == "" {
		return "", nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return "", hint.With(errors.New("SOURCE_DATE_EPOCH is no number"), "set it to the seconds since 1970, or unset it")
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateOnly), nil
}

// write writes the page of cmd, and of all commands below it, into dir.
func (m manual) write(cmd *cobra.Command, dir string) error {
	file := filepath.Join(dir, pageName(cmd)+".1")
	if err := atomicfile.Write(file, []byte(m.page(cmd)), 0o644); err != nil {
		return fmt.Errorf("writing a manual page: %w", err)
	}
	for _, c := range commandsOf(cmd) {
		if err := m.write(c, dir); err != nil {
			return err
		}
	}
	return nil
}

// commandsOf are those that a person is told of.
func commandsOf(cmd *cobra.Command) []*cobra.Command {
	var found []*cobra.Command
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			found = append(found, c)
		}
	}
	return found
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page is one manual page, in the order of man-pages(7).
func (m manual) page(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	p := &roff{}
	fmt.Fprintf(p, ".TH %s 1 %q %q %q\n", strings.ToUpper(pageName(cmd)), m.date, "payu-mcp "+m.version, "User Commands")
	p.macro("nh") // no hyphens in file names and addresses
	p.section("NAME")
	p.line(pageName(cmd) + " - " + cmd.Short)
	p.section("SYNOPSIS")
	p.macro("B", cmd.CommandPath())
	p.line(strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath()))
	p.section("DESCRIPTION")
	p.text(long(cmd))
	p.commands(cmd)
	p.options("OPTIONS", cmd.LocalFlags())
	p.options("GLOBAL OPTIONS", cmd.InheritedFlags())
	if !cmd.HasParent() {
		p.topics()
	}
	p.seeAlso(cmd)
	return p.String()
}

func long(cmd *cobra.Command) string {
	if cmd.Long == "" {
		return cmd.Short + "."
	}
	return cmd.Long
}

func (p *roff) commands(cmd *cobra.Command) {
	if len(commandsOf(cmd)) == 0 {
		return
	}
	p.section("COMMANDS")
	for _, c := range commandsOf(cmd) {
		p.item(c.Name(), c.Short)
	}
}

// options lists flags as --help does: its own words, and the defaults it shows.
func (p *roff) options(title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	p.section(title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		one := pflag.NewFlagSet("", pflag.ContinueOnError)
		one.AddFlag(f)
		// Columns, as "  -n, --lines int   how many (default 50)".
		names, usage, _ := strings.Cut(strings.TrimSpace(one.FlagUsages()), "   ")
		p.item(names, strings.TrimSpace(usage))
	})
}

func (p *roff) topics() {
	for _, c := range topics() {
		p.section(strings.ToUpper(strings.ReplaceAll(c.name, "-", " ")))
		p.text(c.build().Long)
	}
}

func (p *roff) seeAlso(cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, pageName(cmd.Parent())+"(1)")
	}
	for _, c := range commandsOf(cmd) {
		pages = append(pages, pageName(c)+"(1)")
	}
	p.section("SEE ALSO")
	p.line(strings.Join(pages, ", "))
}
