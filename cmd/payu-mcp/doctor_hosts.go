package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// hosts looks at the hosts' configurations: those that concern this program, or
// where it is missing.
func (d *doctor) hosts(context.Context) diagnose.Findings {
	sys, err := install.This()
	if err != nil { // a bridge with a --state-dir runs without a home folder
		l := faultOf("host", diagnose.Here, err)
		l.Result, l.Next = diagnose.Warning, "set HOME, so that the hosts' configurations can be looked for"
		return diagnose.Found(l)
	}
	self, err := os.Executable()
	if err != nil {
		return diagnose.Found(faultOf("host", diagnose.Here, fmt.Errorf("finding the own program: %w", err)))
	}
	if lasting, err := sys.StablePath(self); err == nil {
		self = lasting
	}
	return diagnose.Found(hostLines(sys.Survey(install.Command{Profile: d.o.profile}.Name(), self))...)
}

// hostLines has a line for each entry, and one for the hosts that have none.
func hostLines(findings []install.Finding) []diagnose.Line {
	var lines []diagnose.Line
	var without []string
	for _, f := range findings {
		switch {
		case f.State != install.StateAbsent:
			lines = append(lines, hostLine(f))
		case f.Installed:
			without = append(without, f.Name)
		}
	}
	switch {
	case len(lines) == 0 && len(without) > 0:
		return []diagnose.Line{{
			ID: "host", Result: diagnose.Warning, Side: diagnose.Host, Text: "no host has an entry for payu-mcp; found are " + strings.Join(without, ", "),
			Next: "run payu-mcp install",
		}}
	case len(lines) == 0:
		return []diagnose.Line{fine("host", diagnose.Host, "none was found that this program knows")}
	case len(without) > 0:
		lines = append(lines, fine("host", diagnose.Host, "without an entry: "+strings.Join(without, ", ")))
	}
	return lines
}

func hostLine(f install.Finding) diagnose.Line {
	l := diagnose.Line{
		ID: "host:" + f.Host, Result: diagnose.Fault, Side: diagnose.Host,
		Text: fmt.Sprintf("%s, entry %s in %s: %s", f.Name, f.Entry, f.Path, f.Detail), Next: f.Advice,
	}
	switch f.State {
	case install.StateOurs:
		l.Result, l.Text, l.Next = diagnose.OK, fmt.Sprintf("%s starts payu-mcp by the entry %s in %s", f.Name, f.Entry, f.Path), ""
		return l
	case install.StateDifferent, install.StateForeign, install.StateDuplicate:
		l.Result = diagnose.Warning
	case install.StateUnreadable:
		l.Text = fmt.Sprintf("%s: its file %s cannot be understood: %s", f.Name, f.Path, f.Detail)
	case install.StateAbsent, install.StateStale, install.StateBroken, install.StateStorePackage:
	}
	fill(&l.Next, "run payu-mcp install")
	return l
}
