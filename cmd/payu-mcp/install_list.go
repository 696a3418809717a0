package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// hostsReport is the schema of `install --list --json`; members are only ever
// added. It holds no secret.
type hostsReport struct {
	Command string       `json:"command"`
	Hosts   []hostReport `json:"hosts"`
}

type hostReport struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Installed bool   `json:"installed"`
	Path      string `json:"path"`
	Entry     string `json:"entry"`
	State     string `json:"state"`
	Detail    string `json:"detail,omitempty"`
	Advice    string `json:"advice,omitempty"`
}

// listHosts shows all hosts of the table, found or not, or those that were named.
func listHosts(e env, o installOptions, sys install.System) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the own program: %w", err)
	}
	if lasting, err := sys.StablePath(self); err == nil {
		self = lasting
	}
	findings := slices.DeleteFunc(sys.Survey(install.Command{Profile: o.profile}.Name(), self), func(f install.Finding) bool {
		return len(o.clients) > 0 && !slices.Contains(o.clients, f.Host)
	})
	if o.asJSON {
		return listJSON(e, self, findings)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "host\tfound\tentry\tstate\tfile")
	for _, f := range findings {
		found := "no"
		if f.Installed {
			found = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.Host, found, printable.Line(f.Entry, 60), f.State, homely(sys, f.Path))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the hosts: %w", err)
	}
	for _, f := range findings {
		if f.Detail != "" {
			fmt.Fprintf(e.stdout, "\n%s: %s\n  what helps: %s\n", f.Name, printable.Line(f.Detail, longestClause), f.Advice)
		}
	}
	return nil
}

func listJSON(e env, self string, findings []install.Finding) error {
	report := hostsReport{Command: self, Hosts: []hostReport{}}
	for _, f := range findings {
		report.Hosts = append(report.Hosts, hostReport{
			ID: f.Host, Name: f.Name, Installed: f.Installed, Path: f.Path, Entry: f.Entry,
			State: string(f.State), Detail: f.Detail, Advice: f.Advice,
		})
	}
	b, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the list of hosts: %w", err)
	}
	_, err = e.stdout.Write(append(printable.JSON(b), '\n'))
	return err
}

// print shows how to do it by hand, and changes nothing.
func (in *installing) print(hosts []install.Host) error {
	project := in.o.where == whereProject
	for _, h := range hosts {
		paths := in.sys.Paths(h, project)
		if len(paths) == 0 && len(in.o.clients) > 0 {
			fmt.Fprintf(in.out, "%s: %v\n\n", h.Name, install.ErrNoProject)
			in.fail(install.Change{Host: h})
		}
		c := in.command(h)
		text, err := h.Snippet(c)
		if err != nil {
			return err
		}
		links, err := h.Links(c)
		if err != nil {
			return err
		}
		for _, path := range paths {
			fmt.Fprintf(in.out, "%s: %s\n\n%s\n", h.Name, homely(in.sys, path), text)
		}
		if project {
			links = nil // they are for the person's own file
		}
		for _, link := range links {
			fmt.Fprintf(in.out, "or open this, and %s asks whether you want it:\n  %s\n\n", h.Name, link)
		}
	}
	return in.result()
}
