package main

import (
	"strings"
	"testing"
)

func TestCommands_names_areTheirOwn(t *testing.T) {
	t.Parallel()
	for _, c := range commands(env{getenv: func(string) string { return "" }}, &options{}) {
		if got := c.build().Name(); got != c.name {
			t.Errorf("%s builds %s", c.name, got)
		}
	}
}

func TestMeant_table(t *testing.T) {
	t.Parallel()
	all := func() []command { return commands(env{}, &options{}) }
	for args, want := range map[string]string{
		"":                             "",
		"--read-only --profile a":      "",
		"statsu":                       "",
		"status":                       "status",
		"--profile call status --json": "status call", // what is a value, only the command line can tell
		"open-url":                     "open-url",
		"help":                         "all",
		"help status":                  "all",
		"status -h":                    "all",
		"--help":                       "all",
		"completion zsh":               "all",
		"__complete st":                "all",
		"__completeNoDesc status --j":  "all",
	} {
		var names []string
		for _, c := range meant(all(), strings.Fields(args)) {
			names = append(names, c.name)
		}
		got := strings.Join(names, " ")
		if len(names) == len(all()) {
			got = "all"
		}
		if got != want {
			t.Errorf("%q means %q, want %q", args, got, want)
		}
	}
}
