// Command packages makes what is published beside the archives of a release, all
// of it from one version and one set of programs:
//
//	payu-mcp_VERSION.mcpb   the bundle for Claude Desktop
//	npm/                    the folders that `npm publish` takes, the platforms' first
//	server.json             the entry of the MCP Registry, with the checksum of the bundle
//
// Two runs write the same bytes. It needs nothing but Go:
//
//	go run -C tools ./packages -version v1.2.3                     builds the programs, too
//	go run -C tools ./packages -version v1.2.3 -binaries ../dist   takes those of goreleaser
//
// A release gives it -licences, too: most works that a program holds ask for it.
//
// A program of this computer's own system must be among them: its version and its
// help are asked for, so that the packages say what the program says.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
)

type options struct {
	root     string // of the repository
	version  string // without the v
	binaries string // "" builds them
	licences string // "" leaves them out
	out      string
}

// A constant pattern: a semantic version as npm takes it.
var semver = regexp.MustCompile(`^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$`)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
}

func flags(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("packages", flag.ContinueOnError)
	f.StringVar(&o.root, "root", "..", "folder of the repository")
	f.StringVar(&o.version, "version", "", "version of the release, as in v1.2.3")
	f.StringVar(&o.binaries, "binaries", "", "folder with the programs, laid out as goreleaser does (default: they are built)")
	f.StringVar(&o.licences, "licences", "", "file with the licences of what the programs hold")
	f.StringVar(&o.out, "out", "", "folder to write to (default: dist/packages of the repository)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	m := semver.FindStringSubmatch(o.version)
	if m == nil || f.NArg() > 0 {
		return o, fmt.Errorf("want -version with a semantic version, got %q", o.version)
	}
	o.version = m[1]
	if o.out == "" {
		o.out = filepath.Join(o.root, "dist", "packages")
	}
	return o, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := flags(args)
	if err != nil {
		return err
	}
	if o.binaries == "" {
		o.binaries = filepath.Join(o.out, "build")
		if err := build(ctx, o, out); err != nil {
			return err
		}
	}
	programs, err := find(o.binaries)
	if err != nil {
		return err
	}
	help, err := programs.ask(ctx, o.version)
	if err != nil {
		return err
	}
	r := release{version: o.version, programs: programs, help: help}
	if r.licences, err = o.readLicences(); err != nil {
		return err
	}
	sum, err := r.writeBundle(filepath.Join(o.out, r.bundleName()))
	if err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	err = errors.Join(r.writeNPM(filepath.Join(o.out, "npm")), r.writeServer(filepath.Join(o.out, "server.json"), sum))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s  %s\n", sum, r.bundleName())
	return nil
}

// readLicences returns ours, and those of others if they were given.
func (o options) readLicences() ([]text, error) {
	var found []text
	for _, l := range []struct{ name, path string }{{"LICENSE", filepath.Join(o.root, "LICENSE")}, {"THIRD-PARTY-LICENSES.txt", o.licences}} {
		if l.path == "" {
			continue
		}
		data, err := os.ReadFile(l.path)
		if err != nil {
			return nil, err
		}
		found = append(found, text{l.name, data})
	}
	return found, nil
}
