package hosts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// hostLimit bounds one run of a host. It is no measurement: two cores may be
// busy with something else.
const hostLimit = 2 * time.Minute

// computer is one user's computer: a home, a project, an environment that holds
// nothing of the machine's, PayU and a model to reach.
type computer struct {
	t     *testing.T
	root  string
	env   []string
	sb    *sandbox.Sandbox
	model *model
}

// newComputer starts everything but the host. With TLS the sandbox is https,
// which hosts want before they show an address to a person.
func newComputer(t *testing.T, o sandbox.Options) *computer {
	t.Helper()
	// Not t.TempDir: with the test's name in it, tmux's socket would be too long.
	root, err := os.MkdirTemp("", "host") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	c := &computer{t: t, root: root, model: startModel(t)}
	t.Cleanup(func() {
		c.reap()
		c.keep("transcript", c.transcript())
		c.noLeaks("the wire", c.everything())
		c.keep("model", c.model.String()+fmt.Sprintf("the browser: %+v\n", c.visits("")))
		_ = os.RemoveAll(root)
	})
	for _, dir := range []string{"home", "work", "bin", "tmp"} {
		if err := os.Mkdir(c.path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if c.sb, err = sandbox.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.sb.Close(); err != nil {
			t.Errorf("closing the sandbox: %v", err)
		}
	})
	c.env = []string{
		"HOME=" + c.path("home"),
		"PATH=" + c.path("bin") + ":" + filepath.Dir(at.node) + ":/usr/local/bin:/usr/bin:/bin",
		"TMPDIR=" + c.path("tmp"),
		"TERM=xterm-256color", "LANG=C.UTF-8", "USER=somebody",
	}
	if o.TLS {
		c.write(c.caFile(), string(c.sb.CAPEM()))
	}
	// The person's browser, as the host finds it and as the bridge does.
	c.script("xdg-open", fmt.Sprintf("exec %q visit %q host %q \"$@\"\n", at.self, c.path("visits.jsonl"), c.caFile()))
	c.script("payu-browser", fmt.Sprintf("exec %q visit %q bridge %q \"$@\"\n", at.self, c.path("visits.jsonl"), c.caFile()))
	return c
}

func (c *computer) path(names ...string) string {
	return filepath.Join(append([]string{c.root}, names...)...)
}

func (c *computer) caFile() string { return c.path("ca.pem") }

func (c *computer) write(file, text string) {
	c.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		c.t.Fatal(err)
	}
}

// script puts a program on the PATH.
func (c *computer) script(name, body string) {
	c.t.Helper()
	c.write(c.path("bin", name), "#!/bin/sh\n"+body)
	if err := os.Chmod(c.path("bin", name), 0o700); err != nil {
		c.t.Fatal(err)
	}
}

// options are those that the sandbox needs: PayU needs none.
func (c *computer) options() []string {
	options := []string{"--url", c.sb.Endpoint(), "--store=file"}
	if c.sb.CAPEM() != nil {
		options = append(options, "--ca-file", c.caFile())
	}
	return options
}

// entry is what a host's configuration says of us: command, arguments, environment.
func (c *computer) entry() (command string, args []string, env map[string]string) {
	args = append([]string{"tee", c.wireFile(), at.binary}, c.options()...)
	return at.self, args, map[string]string{"PAYU_MCP_BROWSER": c.path("bin", "payu-browser")}
}

// signIn is the person at a terminal, before any host is started.
func (c *computer) signIn() {
	c.t.Helper()
	_, _, env := c.entry()
	c.run(with(env), at.binary, append([]string{"login"}, c.options()...)...)
}

// with is env as a list.
func with(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return list
}

// run runs a program in the project to its end, which must be good, and returns
// what it printed.
func (c *computer) run(env []string, program string, args ...string) (stdout, stderr string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), hostLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir = slices.Concat(c.env, env), c.path("work")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%s %q: %v\n%s\n%s", filepath.Base(program), args, err, &out, &errs)
	}
	return out.String(), errs.String()
}

// eventually asks again and again, for what other programs do and do not tell.
func (c *computer) eventually(what string, done func() bool) {
	c.t.Helper()
	deadline, tick := time.After(hostLimit), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			c.t.Fatalf("waited %v for: %s", hostLimit, what)
		case <-tick.C:
		}
	}
}

// reap ends what hosts of this computer left behind, which is told by its home:
// Codex has a daemon that outlives its terminal (HOSTS H20).
func (c *computer) reap() {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if left := c.gone(signal); !left {
			return
		}
	}
}

// gone signals all that is left, waits for it, and tells whether any is still there.
func (c *computer) gone(signal syscall.Signal) (left bool) {
	for _, pid := range c.processes() {
		_ = syscall.Kill(pid, signal)
	}
	limit, tick := time.After(5*time.Second), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		pids := c.processes()
		if len(pids) == 0 {
			return false
		}
		for _, pid := range pids {
			// Those that lost their parent are this process's; others fail here.
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
		select {
		case <-limit:
			return true
		case <-tick.C:
		}
	}
}

// processes are those whose home is this computer's.
func (c *computer) processes() []int {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	var found []int
	for _, file := range files {
		env, err := os.ReadFile(file)
		var pid int
		if _, scan := fmt.Sscanf(file, "/proc/%d/environ", &pid); err == nil && scan == nil &&
			slices.Contains(strings.Split(string(env), "\x00"), "HOME="+c.path("home")) {
			found = append(found, pid)
		}
	}
	return found
}
