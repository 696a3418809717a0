package e2e

import (
	"os"
	"path/filepath"
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
			select {
			case m := <-answer:
				if m.Error != nil {
					t.Errorf("the call failed: %s", m.Error)
				}
			default:
				t.Error("the call was not answered")
			}
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
