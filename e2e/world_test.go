package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const commandLimit = 2 * time.Minute

// world is one user's computer: a home, an environment that holds nothing of
// the machine's, and a record of all that came out.
type world struct {
	t     *testing.T
	root  string
	state string
	env   []string
	watch *watch

	mu    sync.Mutex
	sinks map[string]*buffer // everything that programs printed, by name
}

// buffer is a bytes.Buffer that several goroutines may use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	// Not t.TempDir: with the test's name in it, the sockets of Chromium and the
	// bus come to more than the 108 bytes that an address holds.
	root, err := os.MkdirTemp("", "e2e") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, root: root, sinks: map[string]*buffer{}}
	t.Cleanup(func() {
		w.keepLogs()
		_ = os.RemoveAll(root)
	})
	w.state = filepath.Join(w.root, "state")
	for _, dir := range []string{"home", "tmp", "run", "logs"} {
		if err := os.Mkdir(filepath.Join(w.root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + w.path("home"),
		"TMPDIR=" + w.path("tmp"),
		"XDG_RUNTIME_DIR=" + w.path("run"),
		"PAYU_MCP_STATE_DIR=" + w.state,
		"PAYU_MCP_LOG_LEVEL=debug",
	}
	if c := os.Getenv("CHROMIUM"); c != "" {
		w.env = append(w.env, "CHROMIUM="+c)
	}
	w.watch = startWatch(t)
	return w
}

func (w *world) path(names ...string) string {
	return filepath.Join(append([]string{w.root}, names...)...)
}

// setenv replaces a variable for what is started from now on.
func (w *world) setenv(name, value string) {
	w.env = slices.DeleteFunc(w.env, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	w.env = append(w.env, name+"="+value)
}

func (w *world) getenv(name string) string {
	for _, v := range w.env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// sink returns a new place for output; all of them are searched for secrets.
func (w *world) sink(name string) *buffer {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := &buffer{}
	w.sinks[fmt.Sprintf("%s #%d", name, len(w.sinks))] = b
	return b
}

// result is what a command that ended left.
type result struct {
	code           int
	stdout, stderr string
}

// payu runs payu-mcp to its end.
func (w *world) payu(args ...string) result {
	w.t.Helper()
	return w.run(binary, args...)
}

// run runs any program to its end; its standard input is empty.
func (w *world) run(program string, args ...string) result {
	w.t.Helper()
	return w.runFor(commandLimit, program, args...)
}

// runFor is run for programs that take longer.
func (w *world) runFor(limit time.Duration, program string, args ...string) result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	out, errs := w.sink("stdout of "+filepath.Base(program)), w.sink("stderr of "+filepath.Base(program))
	cmd.Env, cmd.Stdout, cmd.Stderr = w.env, out, errs
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		w.t.Fatalf("running %s %v: %v (%v)\n%s%s%s", program, args, err, ctx.Err(), out, errs, w.browserSays())
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// must fails the test unless r ended with code.
func (w *world) must(r result, code int) result {
	w.t.Helper()
	if r.code != code {
		w.t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	return r
}

// chromium makes headless Chromium the opener; the pictures go to out/NAME-*.
func (w *world) chromium(name string, more map[string]any) {
	w.t.Helper()
	settings := map[string]any{"out": w.path("browser"), "name": name}
	maps.Copy(settings, more)
	data, err := json.Marshal(settings)
	if err != nil {
		w.t.Fatal(err)
	}
	file := w.path(name + "-opener.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.setenv("PAYU_MCP_BROWSER", fmt.Sprintf("%q %q %q", node, filepath.Join(npmDir, "opener.mjs"), file))
	w.t.Cleanup(func() { w.keepPictures(name) })
}

func (w *world) keepPictures(name string) {
	files, _ := filepath.Glob(w.path("browser", name+"-*.png"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(outDir, filepath.Base(f)), data, 0o644)
		}
		if err != nil {
			w.t.Errorf("keeping a picture: %v", err)
		}
	}
}

// browserSays tells, for a test that failed, how far the browser came.
func (w *world) browserSays() string {
	pages, _ := os.ReadFile(w.path("browser", "pages.jsonl"))
	visits, _ := os.ReadFile(w.path("browser", "visits.jsonl"))
	return string(pages) + string(visits)
}

// page is what the browser driver noted about one page.
type page struct{ Name, Title, Heading, Origin, Path, Picture string }

// visited waits until the browser of name has ended, and returns its pages.
func (w *world) visited(name string) []page {
	w.t.Helper()
	w.eventually("the browser ends", 30*time.Second, func() bool {
		return slices.ContainsFunc(readLines[struct{ Name string }](w, "visits.jsonl"), func(v struct{ Name string }) bool { return v.Name == name })
	})
	return slices.DeleteFunc(readLines[page](w, "pages.jsonl"), func(p page) bool { return p.Name != name })
}

func readLines[T any](w *world, file string) []T {
	data, _ := os.ReadFile(w.path("browser", file))
	var found []T
	for line := range strings.Lines(string(data)) {
		var v T
		if json.Unmarshal([]byte(line), &v) == nil {
			found = append(found, v)
		}
	}
	return found
}

// within checks how long something takes.
func (w *world) within(limit time.Duration, do func()) {
	w.t.Helper()
	start := time.Now()
	do()
	if took := time.Since(start); took > limit {
		w.t.Errorf("it took %v, want at most %v", took, limit)
	}
}

// eventually asks again and again, for what other programs do and do not tell.
func (w *world) eventually(what string, limit time.Duration, done func() bool) {
	w.t.Helper()
	deadline, tick := time.After(limit), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			w.t.Fatalf("waited %v for: %s", limit, what)
		case <-tick.C:
		}
	}
}

// noteFolder notes the state folder where login notes those it has written to.
func (w *world) noteFolder() {
	w.t.Helper()
	file := w.path("home", ".local", "state", "payu-mcp", "folders.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, fmt.Appendf(nil, "[%q]", w.state), 0o600); err != nil {
		w.t.Fatal(err)
	}
}
