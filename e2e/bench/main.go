// Command bench holds payu-mcp against plain HTTP, against the least that a
// relay can be (bench/floor), and against mcp-remote 0.15.1 from npm where that
// is installed: all on loopback, in one run, taking turns (RELAY section 11).
//
// It runs in the folder e2e: `go run ./bench`. With -write it rewrites its part
// of docs/benchmarks.md, and the plot beside it. mcp-remote is looked for in
// npm/node_modules, or in the folder that BENCH_NODE_MODULES names.
//
// It reads /proc, so it wants Linux. It may import what the sign-in stores with:
// auth, keychain and internal/redact.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "parts to run, with commas: "+strings.Join(partNames(), ",")+"; empty: all")
	rounds := flags.Int("rounds", 5, "how often each part is repeated")
	write := flags.Bool("write", false, "write docs/benchmarks.md and docs/benchmarks.svg")
	limit := flags.Duration("limit", 8*time.Minute, "when to give up")
	servers := flags.Int("serve", 0, "internal: run so many servers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// The whole run: nobody above could end it.
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	if *servers > 0 {
		return serve(ctx, *servers, out)
	}
	dir, err := os.MkdirTemp("", "payu-mcp-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	w, err := newWorld(ctx, dir)
	if err != nil {
		return err
	}
	b := &bench{world: w, board: board{}, rounds: *rounds}
	if err := errors.Join(b.measure(ctx, *only, progress), w.close()); err != nil {
		return err
	}
	text := b.report(ctx)
	fmt.Fprint(out, text)
	if *write {
		return b.publish(filepath.Join("..", "docs"), text)
	}
	return nil
}

// part is a piece of the run that can be asked for by itself.
type part struct {
	name string
	run  func(*bench, context.Context) error
}

func parts() []part {
	return []part{
		{"start", (*bench).starts},
		{"cold", (*bench).cold},
		{"latency", (*bench).latency},
		{"throughput", (*bench).throughput},
		{"memory", (*bench).resident},
		{"big", (*bench).bigMessages},
		{"beside", (*bench).beside},
		{"cost", (*bench).serverCosts},
	}
}

func partNames() []string {
	var found []string
	for _, p := range parts() {
		found = append(found, p.name)
	}
	return found
}

func (b *bench) measure(ctx context.Context, only string, progress io.Writer) error {
	wanted := strings.Split(only, ",")
	for _, name := range wanted {
		if only != "" && !slices.Contains(partNames(), name) {
			return fmt.Errorf("there is no part %q", name)
		}
	}
	for _, p := range parts() {
		if only != "" && !slices.Contains(wanted, p.name) {
			continue
		}
		begun := time.Now()
		if err := p.run(b, ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", p.name, err)
		}
		fmt.Fprintf(progress, "%s: %.0f s\n", p.name, time.Since(begun).Seconds())
	}
	return nil
}

// report is what a run has to say, as Markdown.
func (b *bench) report(ctx context.Context) string {
	var t strings.Builder
	commit, _ := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	fmt.Fprintf(&t, "%s, commit %s, %s on %s/%s, %d processors, load %s; %d rounds.\n\n", time.Now().UTC().Format(time.DateOnly),
		strings.TrimSpace(string(commit)), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load(), b.rounds)
	fmt.Fprintf(&t, "%s\n### Against the targets\n\n%s\n", b.figures(), b.ratios())
	if costs := b.costTable(); costs != "" {
		fmt.Fprintf(&t, "### What the server pays\n\n%s\n", costs)
	}
	fmt.Fprintf(&t, "### A million bridges after an outage, reckoned\n\n%s", stormTable())
	return t.String()
}

// load is the average of the last minute: beside other work all figures are worse.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

const (
	beginMark = "<!-- bench: begin, written by `make bench` -->\n"
	endMark   = "<!-- bench: end -->\n"
)

// publish puts the report between its marks, and the plot beside it.
func (b *bench) publish(docs, text string) error {
	page := filepath.Join(docs, "benchmarks.md")
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	next, err := between(string(old), text)
	if err != nil {
		return fmt.Errorf("writing %s: %w", page, err)
	}
	return errors.Join(
		os.WriteFile(page, []byte(next), 0o644),
		os.WriteFile(filepath.Join(docs, "benchmarks.svg"), []byte(b.plot()), 0o644))
}

func between(page, text string) (string, error) {
	head, rest, begun := strings.Cut(page, beginMark)
	_, tail, ended := strings.Cut(rest, endMark)
	if !begun || !ended {
		return "", errors.New("the marks are missing")
	}
	return head + beginMark + text + endMark + tail, nil
}
