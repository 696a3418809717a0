package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo terminal with one program in it: what a person sees there
// and types. The terminal translates, as real ones do: \r\n for a line feed.
type terminal struct {
	w      *world
	cmd    *exec.Cmd
	master *os.File
	seen   *buffer // what the terminal shows
	stdout *buffer // what does not go to the terminal
	ended  chan struct{}
}

// shape says which of a program's files are the terminal.
type shape struct {
	stdin  string // what comes through a pipe; "": the terminal
	stdout bool   // the standard output is the terminal, too
}

// startTerminal starts payu-mcp with the standard error on a terminal of its own.
func (w *world) startTerminal(s shape, args ...string) *terminal {
	w.t.Helper()
	return w.startTerminalOf(s, append([]string{binary}, args...)...)
}

// startTerminalOf does the same with another program.
func (w *world) startTerminalOf(s shape, command ...string) *terminal {
	w.t.Helper()
	master, slave := w.openTerminal()
	t := &terminal{w: w, master: master, seen: w.sink("the terminal"), stdout: w.sink("stdout beside the terminal"), ended: make(chan struct{})}
	t.cmd = exec.CommandContext(w.t.Context(), command[0], command[1:]...)
	t.cmd.Env, t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = w.env, slave, t.stdout, slave
	if s.stdin != "" {
		t.cmd.Stdin = strings.NewReader(s.stdin)
	}
	if s.stdout {
		t.cmd.Stdout = slave
	}
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
	t.cmd.WaitDelay = 5 * time.Second
	if err := t.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	_ = slave.Close()
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(t.seen, master) // ends with an error when the last one has left
	}()
	go func() {
		_ = t.cmd.Wait() // its exit code tells
		<-copied
		close(t.ended)
	}()
	w.t.Cleanup(func() {
		_ = t.cmd.Process.Kill()
		<-t.ended
		_ = master.Close()
	})
	return t
}

func (w *world) openTerminal() (master, slave *os.File) {
	w.t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return master, slave
}

// sees waits until the terminal shows a text.
func (t *terminal) sees(text string) {
	t.w.t.Helper()
	deadline, tick := time.After(answerLimit), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(t.seen.String(), text) {
		select {
		case <-tick.C:
		case <-deadline:
			t.w.t.Fatalf("the terminal never showed %q: %q", text, t.seen)
		case <-t.ended:
			if !strings.Contains(t.seen.String(), text) {
				t.w.t.Fatalf("the program ended without %q: %q", text, t.seen)
			}
		}
	}
}

// types presses keys.
func (t *terminal) types(keys string) {
	t.w.t.Helper()
	if _, err := io.WriteString(t.master, keys); err != nil {
		t.w.t.Fatal(err)
	}
}

const ctrlC, ctrlD = "\x03", "\x04"

// ends waits for the program's end.
func (t *terminal) ends(code int) {
	t.w.t.Helper()
	select {
	case <-t.ended:
	case <-time.After(answerLimit):
		t.w.t.Fatalf("the program is still there: %q", t.seen)
	}
	if got := t.cmd.ProcessState.ExitCode(); got != code {
		t.w.t.Fatalf("exit code %d, want %d: %q %q", got, code, t.seen, t.stdout)
	}
}
