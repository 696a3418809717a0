package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

const installLong = `Put payu-mcp into the configuration of the MCP hosts on this computer.

It finds the hosts, shows the exact change of each file, asks, offers the sign-in,
and then writes. Every other byte of a file stays as it is, and a copy is kept
beside it. Broken entries for PayU are repaired. docs/install.md has the hosts.`

// hostOptions are the flags that install and uninstall share.
type hostOptions struct {
	*options

	clients []string
	all     bool
	where   string
	dryRun  bool
	yes     bool
}

type installOptions struct {
	hostOptions

	list, asJSON, print bool
	ownSession          bool
	replace             bool
}

const (
	whereUser    = "user"
	whereProject = "project"
)

func newInstallCmd(e env, o *options) *cobra.Command {
	opts := installOptions{hostOptions: hostOptions{options: o}}
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Put payu-mcp into the configuration of the hosts on this computer",
		Long:  installLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.resolve(cmd, e.getenv); err != nil {
				return err
			}
			return runInstall(cmd, e, opts)
		},
	}
	f := cmd.Flags()
	addHostFlags(f, &opts.hostOptions)
	f.BoolVar(&opts.list, "list", false, "only show which hosts there are, their files, and what is in them")
	f.BoolVar(&opts.asJSON, "json", false, "with --list: print one JSON object")
	f.BoolVar(&opts.print, "print", false, "only print what to paste, and the hosts' own links, for doing it by hand")
	f.BoolVar(&opts.ownSession, "own-session", false, "give each host a login of its own, in a profile named after it")
	f.BoolVar(&opts.replace, "replace", false, "also replace another server's entry that has the same name")
	addLoginFlags(f, &o.login)
	return cmd
}

func addHostFlags(f *pflag.FlagSet, o *hostOptions) {
	f.StringSliceVar(&o.clients, "client", nil, "only these hosts, as payu-mcp install --list names them, with commas between")
	f.BoolVar(&o.all, "all", false, "all hosts that are found (the default)")
	f.StringVar(&o.where, "where", whereUser, "user: for you, everywhere; project: only for the folder you are in")
	f.BoolVar(&o.dryRun, "dry-run", false, "only show what would be changed")
	f.BoolVarP(&o.yes, "yes", "y", false, "ask nothing")
}

func (o *hostOptions) check() error {
	switch {
	case o.all && len(o.clients) > 0:
		return usagef("give one of them", "--all and --client exclude each other")
	case o.where != whereUser && o.where != whereProject:
		return usagef("give --where=user or --where=project", "the place %q is not known", o.where)
	}
	for _, id := range o.clients {
		if _, known := install.Find(id); !known {
			return usagef("payu-mcp install --list names them", "the host %q is not known", id)
		}
	}
	return nil
}

func (o *installOptions) check() error {
	switch {
	case o.ownSession && o.origin["profile"] != "":
		return usagef("give one of them", "--own-session and --profile exclude each other")
	case o.asJSON && !o.list:
		return usagef("give it with --list", "--json prints the list of hosts")
	}
	return o.hostOptions.check()
}

// hosts are those that were named, or are found on this computer.
func (o *hostOptions) hosts(sys install.System) []install.Host {
	return slices.DeleteFunc(install.Hosts(), func(h install.Host) bool {
		if len(o.clients) > 0 {
			return !slices.Contains(o.clients, h.ID)
		}
		return !sys.Installed(h)
	})
}

// ownCommand is the lasting path of this program.
func ownCommand(sys install.System) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the own program: %w", err)
	}
	path, err := sys.StablePath(self)
	if errors.Is(err, install.ErrNotLasting) {
		return "", hint.With(err, "put the program where it stays, such as a folder on your PATH (in a clone, with Go: go install ./cmd/payu-mcp), and run payu-mcp install from there")
	}
	return path, err
}

func runInstall(cmd *cobra.Command, e env, opts installOptions) error {
	if err := opts.check(); err != nil {
		return err
	}
	sys, err := install.This()
	if err != nil {
		return err
	}
	if opts.list {
		return listHosts(e, opts, sys)
	}
	path, err := ownCommand(sys)
	if err != nil {
		return err
	}
	hosts := opts.hosts(sys)
	if len(hosts) == 0 {
		return hint.With(errors.New("no host was found on this computer"), "name it: payu-mcp install --client NAME; payu-mcp install --list has the names")
	}
	in := &installing{changing: newChanging(e, opts.hostOptions, sys), o: opts, path: path}
	if opts.print {
		return in.print(hosts)
	}
	return in.run(cmd, hosts)
}

// homely shortens a path for people.
func homely(sys install.System, path string) string {
	if rest, ok := strings.CutPrefix(path, sys.Home+string(filepath.Separator)); ok {
		path = "~" + string(filepath.Separator) + rest
	}
	return printable.Line(path, longestClause)
}
