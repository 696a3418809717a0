package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// wrapped is the command line of the npm package, without npx.
func wrapped(t *testing.T) []string {
	t.Helper()
	dir, _ := newWorld(t).installed()
	return []string{node, filepath.Join(dir, "node_modules", ".bin", "payu-mcp")}
}

// Whatever ends the wrapper reaches the program once, and the wrapper ends as
// the program does: what was under way is still answered.
func TestNPM_ends_answersFirst(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := wrapped(t)
	ends := endings()
	delete(ends, "EOF in the middle of a line")
	ends["SIGTERM to the group"] = func(l *life) {
		if err := syscall.Kill(-l.cmd.Process.Pid, syscall.SIGTERM); err != nil {
			l.w.t.Error(err)
		}
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLifeOf(t, append([]string{self, "group"}, command...)...)
			l.sb.Delay(isCall, 700*time.Millisecond)
			answer := l.calling("health_check")
			end(l)
			code := l.gone(goneBusy)
			wasAnswered(t, answer)
			l.well(code)
		})
	}
}

// A wrapper that is killed cannot pass anything on, and the pipes are still
// open: the program ends by itself, and well.
func TestNPM_killed_programEndsToo(t *testing.T) {
	t.Parallel()
	l := startLifeOf(t, wrapped(t)...)
	l.signal(syscall.SIGKILL)
	<-l.ended
	l.gone(goneIdle)
	l.w.nothingLeft()
	if said := l.w.bridgeSaid(); said != "" {
		t.Errorf("it said: %s", said)
	}
	if n := l.sb.Log().Count(sandbox.Query{Method: "DELETE", After: l.since}); n != 1 {
		t.Errorf("the session was ended %d times", n)
	}
}

// The program's own end is told as it was.
func TestNPM_programKilled_wrapperEndsTheSameWay(t *testing.T) {
	t.Parallel()
	l := startLifeOf(t, wrapped(t)...)
	if err := syscall.Kill(l.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	l.gone(goneIdle)
	if s, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", l.cmd.ProcessState)
	}
}

// signals says which signals it gets, until it has read a line.
func signals([]string) int {
	got := make(chan os.Signal, 8)
	signal.Notify(got, os.Interrupt, syscall.SIGHUP, syscall.SIGTERM)
	go func() {
		for s := range got {
			fmt.Printf("got %v\n", s)
		}
	}()
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	return signalsCode
}

const signalsCode = 77

// What the keyboard sends goes to the wrapper and to the program. It must count
// once; a signal that is for the wrapper alone is passed on, and the program can
// still read.
func TestNPM_terminal_signalsCountOnce(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	dir, _ := w.installed()
	bin := filepath.Join(dir, "node_modules", "@payu-mcp", "linux-x64", "bin", "payu-mcp")
	if err := errors.Join(os.Remove(bin), os.Symlink(self, bin)); err != nil {
		t.Fatal(err)
	}
	person, program := w.openTerminal()
	defer person.Close()
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, "node_modules", ".bin", "payu-mcp"), "signals")
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = w.env, program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = program.Close()
	var said []string
	for lines := bufio.NewScanner(person); lines.Scan(); { // to an error: nobody is left at the other end
		line := strings.TrimPrefix(strings.TrimSpace(lines.Text()), "^C")
		if line != "" { // the terminal's echo
			said = append(said, line)
		}
		switch line {
		case "ready":
			_, err = person.WriteString(ctrlC)
		case "got interrupt": // the wrapper has it, too, and takes it first
			err = cmd.Process.Signal(syscall.SIGTERM)
		case "got terminated":
			_, err = person.WriteString("\n")
		}
		if err != nil {
			t.Error(err)
		}
	}
	_ = cmd.Wait()
	if want := []string{"ready", "got interrupt", "got terminated"}; !slices.Equal(said, want) || cmd.ProcessState.ExitCode() != signalsCode {
		t.Errorf("it said %q, and ended with %v", said, cmd.ProcessState)
	}
}

// The arguments of a call come through a pipe, and its person is at the terminal
// all the same: the wrapper leaves it to the program.
func TestNPM_callThroughPipe_asksAtTheTerminal(t *testing.T) {
	t.Parallel()
	command := wrapped(t)
	w, sb := shellWorld(t, sandbox.MCPKnobs{}, "--confirm")
	for invoice, c := range map[string]struct {
		keys       string
		code, made int
	}{"YES": {"y\n", 0, 1}, "CTRL-C": {ctrlC, 130, 0}} {
		term := w.startTerminalOf(shape{stdin: `{"invoiceNumber":"` + invoice + `","amount":1}`}, append(command, "call", create, "-")...)
		term.sees("Send it? [y/N]")
		term.types(c.keys)
		term.ends(c.code)
		if n := sb.Executions(create, invoice); n != c.made {
			t.Errorf("%s: made %d links, want %d", invoice, n, c.made)
		}
	}
}
