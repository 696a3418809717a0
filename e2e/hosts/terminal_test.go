package hosts

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// terminal is a host with a person before it: a program in tmux, whose screen
// is read and whose keys are pressed.
type terminal struct {
	c      *computer
	socket string
	shown  []string // each screen that differed from the one before it
}

// inTerminal starts a program of the project in a terminal of 120 columns, which
// ends with the test if not before.
func (c *computer) inTerminal(env []string, program string, args ...string) *terminal {
	c.t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		c.t.Skip("tmux is not installed: run make e2e-hosts")
	}
	t := &terminal{c: c, socket: c.path(fmt.Sprintf("tmux%d", c.mark()))} // its own: an old server takes its time to end
	command := []string{"new-session", "-d", "-x", "120", "-y", "50", "-c", c.path("work"), "--", "env"}
	if out, err := t.tmux(slices.Concat(command, env, []string{program}, args)...); err != nil {
		c.t.Fatalf("starting tmux: %v\n%s", err, out)
	}
	c.t.Cleanup(func() {
		t.close()
		c.keep(fmt.Sprintf("screens %d", c.mark()), strings.Join(t.shown, "\n"+strings.Repeat("=", 60)+"\n"))
	})
	return t
}

func (t *terminal) tmux(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.c.t.Context()), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "tmux", append([]string{"-S", t.socket, "-f", "/dev/null"}, args...)...)
	cmd.Env = t.c.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// close ends the terminal with what runs in it, as the closing of a window does.
func (t *terminal) close() { _, _ = t.tmux("kill-server") }

// screen is what the person sees now.
func (t *terminal) screen() string {
	out, err := t.tmux("capture-pane", "-p", "-J")
	if err != nil {
		out = "(no terminal)"
	}
	out = compact(out)
	if len(t.shown) == 0 || t.shown[len(t.shown)-1] != out {
		t.shown = append(t.shown, out)
	}
	return out
}

// compact drops empty lines, of which a screen is full.
func compact(screen string) string {
	var kept []string
	for line := range strings.Lines(screen) {
		if line = strings.TrimRight(line, "\n "); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// sees waits until all the words are on the screen, and returns it.
func (t *terminal) sees(words ...string) (screen string) {
	t.c.t.Helper()
	deadline, tick := time.After(hostLimit), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		screen = t.screen()
		if has(screen, words...) {
			return screen
		}
		select {
		case <-deadline:
			t.c.t.Fatalf("waited %v for %q on the screen:\n%s", hostLimit, words, screen)
		case <-tick.C:
		}
	}
}

// has reports whether all the words are on a screen, however it breaks lines.
func has(screen string, words ...string) bool {
	flat := strings.Join(strings.Fields(screen), " ")
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(flat, w) })
}

// chooses waits for the words and presses Enter until they are gone: a dialog
// does not hear what is pressed as it appears.
func (t *terminal) chooses(words ...string) {
	t.c.t.Helper()
	t.sees(words...)
	deadline, again := time.After(hostLimit), time.NewTicker(time.Second)
	defer again.Stop()
	for has(t.screen(), words...) {
		t.press("Enter")
		select {
		case <-deadline:
			t.c.t.Fatalf("%q does not go away:\n%s", words, t.screen())
		case <-again.C:
		}
	}
}

// press presses keys by tmux's names for them.
func (t *terminal) press(keys ...string) {
	t.c.t.Helper()
	if out, err := t.tmux(append([]string{"send-keys"}, keys...)...); err != nil {
		t.c.t.Fatalf("pressing %v: %v %s", keys, err, out)
	}
}

// types writes a line and presses Enter.
func (t *terminal) types(line string) {
	t.c.t.Helper()
	t.press("-l", line)
	t.sees(line) // a host takes a quick Enter for a pasted new line
	t.press("Enter")
}
