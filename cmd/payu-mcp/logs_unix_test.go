//go:build !windows

package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Ctrl-C is how following ends, with the code that a shell has for it, and with no
// word; a reader that has seen enough ends it too, without a fault.
func TestLogs_follow_showsWhatComesUntilCtrlC(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.login()
	run := func() { // a bridge that comes and goes
		h, _ := c.host()
		handshake(t, h)
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	}
	run()
	follow := c.command("logs", "-f", "-n", "1")
	stdout, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	follow.Stderr = &said
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	expect := func(want string) {
		t.Helper()
		limit := time.AfterFunc(20*time.Second, func() { _ = follow.Process.Kill() })
		defer limit.Stop()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("%q never came (%v)", want, lines.Err())
	}
	expect("the bridge has ended")
	run()
	expect("the bridge has started")
	expect("the bridge has ended")
	log := filepath.Join(c.home, "state", "logs", "default.log")
	if err := os.Rename(log, strings.TrimSuffix(log, ".log")+".1.log"); err != nil {
		t.Fatal(err)
	}
	run()
	expect("the bridge has started")
	if err := follow.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // to its end, so that Wait may close the pipe
		continue
	}
	if err := follow.Wait(); follow.ProcessState.ExitCode() != exitInterrupted || said.Len() > 0 {
		t.Errorf("it ended with %v, and said %q", err, said.String())
	}
}
