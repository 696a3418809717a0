package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Verdicts of one run of a test.
const (
	green    = "green"
	red      = "red"
	skipped  = "skipped"
	notHere  = "no such test on this system"
	notBuilt = "does not build"
	panicked = "panicked"
	late     = "out of time"
	broken   = "ended otherwise" // TestMain, or go itself
)

// buildTime is what go may need beyond the time of the test.
const buildTime = 5 * time.Minute

// result is what came of one claim.
type result struct {
	claim   claim
	verdict string // of the run with the change; without a change, of the test as it is
	before  string // of the test as it is
	output  string
	took    time.Duration
}

func (r result) good() bool {
	return r.before == green && (r.verdict == red || r.claim.file == "" && r.verdict == green)
}

func (r result) String() string {
	said := r.verdict
	switch {
	case r.before != green:
		said = "as it is: " + r.before
	case r.claim.file == "":
		said = "passes, nothing to take away"
	case r.verdict == green:
		said = "STAYS GREEN"
	}
	return fmt.Sprintf("%-4s %-12s %s %s (%s) %.1fs", r.claim.row, said, r.claim.pkg(), r.claim.test, r.claim.file, r.took.Seconds())
}

func bad(results []result) []string {
	var lines []string
	for _, r := range results {
		if !r.good() {
			lines = append(lines, "not seen red: "+r.String())
		}
	}
	return lines
}

// runner runs tests. End-to-end tests share folders, so one runs at a time.
type runner struct {
	o       options
	mu      sync.Mutex
	asItIs  map[string]func() (string, string) // by package and test: runs once
	oneE2E  sync.Mutex
	scratch string
	flags   string // GOFLAGS of the person
}

// redden runs each claim, prints a line for it and hands it to learn, one at a time.
func redden(ctx context.Context, o options, claims []claim, out io.Writer, learn func(result) error) []result {
	scratch, err := os.MkdirTemp("", "security-red")
	if err != nil {
		fmt.Fprintln(out, err)
		return nil
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	flags, err := exec.CommandContext(ctx, "go", "env", "GOFLAGS").Output()
	if err != nil {
		fmt.Fprintln(out, "asking go for GOFLAGS:", err)
	}
	r := &runner{o: o, asItIs: map[string]func() (string, string){}, scratch: scratch, flags: strings.TrimSpace(string(flags))}
	results := make([]result, len(claims))
	places := make(chan struct{}, max(1, o.parallel))
	var all sync.WaitGroup
	for i, c := range claims {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			start := time.Now()
			results[i] = r.try(ctx, c, i)
			results[i].took = time.Since(start)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.show(out, results[i])
			if ctx.Err() != nil {
				return // interrupted: nothing was seen
			}
			if err := learn(results[i]); err != nil {
				fmt.Fprintln(out, err)
			}
		})
	}
	all.Wait()
	return results
}

func (r *runner) show(out io.Writer, res result) {
	fmt.Fprintln(out, res)
	if r.o.verbose || !res.good() {
		fmt.Fprintln(out, tail(res.output, 15))
	}
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range all {
		const longest = 240
		all[i] = line[:min(len(line), longest)]
	}
	return "    " + strings.Join(all[max(0, len(all)-lines):], "\n    ")
}

func (r *runner) try(ctx context.Context, c claim, n int) result {
	before, output := r.unchanged(ctx, c)
	res := result{claim: c, verdict: before, before: before, output: output}
	if before != green || c.file == "" {
		return res
	}
	overlay, err := r.overlay(c, n)
	if err != nil {
		res.verdict, res.output = broken, err.Error()
		return res
	}
	if module, _ := r.module(c); module != "." { // it builds the program by itself, and would take that for a failure
		if out, err := r.run(ctx, ".", overlay, "build", "-o", os.DevNull, "./cmd/..."); err != nil {
			res.verdict, res.output = notBuilt, out
			return res
		}
	}
	res.verdict, res.output = r.test(ctx, c, overlay)
	return res
}

// unchanged runs the test as it is, once however many claims it has.
func (r *runner) unchanged(ctx context.Context, c claim) (verdict, output string) {
	r.mu.Lock()
	key := c.pkg() + " " + c.test
	once, ok := r.asItIs[key]
	if !ok {
		once = sync.OnceValues(func() (string, string) { return r.test(ctx, c, "") })
		r.asItIs[key] = once
	}
	r.mu.Unlock()
	return once()
}

// overlay writes the changed file and the list that go takes instead of it.
func (r *runner) overlay(c claim, n int) (string, error) {
	data, err := c.changed(r.o.root)
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(filepath.Join(r.o.root, filepath.FromSlash(c.file)))
	if err != nil {
		return "", err
	}
	changed := filepath.Join(r.scratch, fmt.Sprintf("%d-%s", n, path.Base(c.file)))
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(r.scratch, fmt.Sprintf("%d.json", n))
	return name, errors.Join(os.WriteFile(changed, data, 0o600), os.WriteFile(name, list, 0o600))
}

// test runs one test function.
func (r *runner) test(ctx context.Context, c claim, overlay string) (verdict, output string) {
	module, pkg := r.module(c)
	if module == "e2e" {
		r.oneE2E.Lock()
		defer r.oneE2E.Unlock()
	}
	said, err := r.run(ctx, module, overlay, "test", "-json", "-count=1", "-vet=off", "-ldflags=-w", "-timeout", r.o.limit.String(), "-run", "^"+c.test+"$", pkg)
	if errors.Is(err, context.DeadlineExceeded) {
		return late, said
	}
	return judge(said, c.test, err == nil)
}

// run runs go in a module. The overlay goes by GOFLAGS, so that it also holds
// for a test that builds the program.
func (r *runner) run(ctx context.Context, module, overlay string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.limit+buildTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(r.o.root, module)
	cmd.Env = append(os.Environ(), "E2E_BINARY=")
	if overlay != "" {
		cmd.Env = append(cmd.Env, "GOFLAGS="+strings.TrimSpace(r.flags+" -overlay="+overlay))
	}
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return string(out), err
}

// module splits the folder of a test into its module and the package in it.
func (r *runner) module(c claim) (module, pkg string) {
	for dir := c.pkg(); dir != "."; dir = path.Dir(dir) {
		if _, err := os.Stat(filepath.Join(r.o.root, dir, "go.mod")); err == nil {
			return dir, "./" + strings.TrimPrefix(strings.TrimPrefix(c.pkg(), dir), "/")
		}
	}
	return ".", "./" + c.pkg()
}

// judge reads what go test -json said about one test function.
func judge(said, test string, ended bool) (verdict, output string) {
	verdict = notHere
	var text strings.Builder
	for line := range strings.Lines(said) {
		var event struct {
			Action string `json:"Action"`
			Test   string `json:"Test"`
			Output string `json:"Output"`
		}
		if json.Unmarshal([]byte(line), &event) != nil {
			text.WriteString(line)
			continue
		}
		text.WriteString(event.Output)
		switch {
		case event.Action == "build-fail":
			return notBuilt, text.String()
		case event.Test != test:
		case event.Action == "pass":
			verdict = green
		case event.Action == "fail":
			verdict = red
		case event.Action == "skip":
			verdict = skipped
		}
	}
	return because(verdict, text.String(), ended), text.String()
}

// because tells a test that failed from one that was ended.
func because(verdict, output string, ended bool) string {
	switch {
	case strings.Contains(output, "panic: test timed out after"):
		return late
	case verdict == red && (strings.Contains(output, "\npanic: ") || strings.Contains(output, "\nfatal error: ")):
		return panicked
	case verdict == notHere && !ended, verdict == green && !ended:
		return broken
	}
	return verdict
}
