package e2e

import (
	"context"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// How long the bridge may take to end (RELAY S7).
const (
	goneIdle    = time.Second // "at once", on a busy machine
	goneBusy    = 3 * time.Second
	goneRefresh = 10 * time.Second
)

// life is a bridge with a session and a stream at a sandbox.
type life struct {
	*host

	sb    *sandbox.Sandbox
	since int // requests before it
	pid   int // of the bridge, which is not always our child
}

// startLife signs in and starts a bridge, as a child of via if one is given.
func startLife(t *testing.T, via ...string) *life {
	t.Helper()
	return startLifeOf(t, append(via, binary)...)
}

// startLifeOf is startLife for a command that becomes or starts the bridge.
func startLifeOf(t *testing.T, command ...string) *life {
	t.Helper()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Sessions: true, Get: sandbox.GetStream, DeleteAllowed: true}}})
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	l := &life{sb: sb, since: sb.Log().Len()}
	l.host = w.startBehind(command[0], command[1:]...)
	l.initialize()
	l.seen("the stream", func(e sandbox.Entry) bool { return e.Method == http.MethodGet && e.Status == http.StatusOK })
	if len(command) == 1 {
		l.pid = l.cmd.Process.Pid
		return l
	}
	needRootsEyes(t)
	pids := w.processes()
	if len(pids) != 1 {
		t.Fatalf("processes of payu-mcp: %v", pids)
	}
	l.pid = pids[0]
	return l
}

// seen waits for a request of this life.
func (l *life) seen(what string, match func(sandbox.Entry) bool) {
	l.w.t.Helper()
	ctx, cancel := context.WithTimeout(l.w.t.Context(), answerLimit)
	defer cancel()
	if _, err := l.sb.Log().WaitFor(ctx, func(e sandbox.Entry) bool { return e.N > l.since && match(e) }); err != nil {
		l.w.t.Fatalf("%s: %v", what, err)
	}
}

// calling starts a tool call and waits until the server has it.
func (l *life) calling(tool string) <-chan message {
	l.w.t.Helper()
	answer := l.begin("tools/call", map[string]any{"name": tool, "arguments": map[string]any{}})
	l.seen(tool, func(e sandbox.Entry) bool { return e.Tool == tool })
	return answer
}

func isCall(e sandbox.Entry) bool { return e.RPC == "tools/call" }

// gone waits until the process has ended and returns its exit code.
func (h *host) gone(limit time.Duration) int {
	h.w.t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		<-h.ended
		_ = h.cmd.Wait()
	}()
	select {
	case <-over:
	case <-time.After(limit):
		h.w.t.Fatalf("the bridge is still there after %v", limit)
	}
	return h.cmd.ProcessState.ExitCode()
}

// well checks the traces of a good end: exit code 0, not a word on stderr, the
// session ended, no process, no lock.
func (l *life) well(code int) {
	l.w.t.Helper()
	if said := l.w.bridgeSaid(); code != 0 || said != "" {
		l.w.t.Errorf("it ended with %d and said: %s", code, said)
	}
	l.left()
}

// left checks that nothing is left over, here and at the server.
func (l *life) left() {
	l.w.t.Helper()
	if n := l.sb.Log().Count(sandbox.Query{Method: http.MethodDelete, After: l.since, Status: http.StatusOK}); n != 1 {
		l.w.t.Errorf("the session was ended %d times", n)
	}
	l.w.nothingLeft()
}

func (l *life) signal(s os.Signal) {
	l.w.t.Helper()
	if err := l.cmd.Process.Signal(s); err != nil {
		l.w.t.Fatal(err)
	}
}

// endings are the ways in which a host ends its bridge.
func endings() map[string]func(*life) {
	return map[string]func(*life){
		"EOF":     func(l *life) { _ = l.stdin.Close() },
		"SIGTERM": func(l *life) { l.signal(syscall.SIGTERM) },
		"SIGINT":  func(l *life) { l.signal(os.Interrupt) },
		"EOF in the middle of a line": func(l *life) {
			_, _ = l.stdin.Write([]byte(`{"jsonrpc":"2.0","id":99,"method":"tools/call","params":{"name":"health_`))
			_ = l.stdin.Close()
		},
	}
}

func TestEnds_idle_goneAtOnce(t *testing.T) {
	t.Parallel()
	for name, end := range endings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLife(t)
			end(l)
			code := l.gone(goneIdle)
			if n := l.sb.Log().Count(sandbox.Query{RPC: "tools/call"}); n != 0 {
				t.Errorf("%d calls were sent", n)
			}
			if strings.Contains(name, "middle") { // half a message is told like any bad line
				if said := l.w.bridgeSaid(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "refused a message of the host") || code != 0 {
					t.Errorf("it ended with %d and said: %s", code, said)
				}
				l.left()
				return
			}
			l.well(code)
		})
	}
}

// What the server answers within two seconds still reaches the host.
func TestEnds_callAnsweredInTime_delivered(t *testing.T) {
	t.Parallel()
	for name, end := range endings() {
		if strings.Contains(name, "middle") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLife(t)
			l.sb.Delay(isCall, 700*time.Millisecond)
			answer := l.calling("health_check")
			end(l)
			code := l.gone(goneBusy)
			wasAnswered(t, answer)
			l.well(code)
		})
	}
}

// wasAnswered checks that a call got its result before the bridge was gone.
func wasAnswered(t *testing.T, answer <-chan message) {
	t.Helper()
	select {
	case m := <-answer:
		if m.Error != nil {
			t.Errorf("the call failed: %s", m.Error)
		}
	default:
		t.Error("the call was not answered")
	}
}

func TestEnds_callHangs_goneWithin3SecondsWithAnAnswer(t *testing.T) {
	t.Parallel()
	for name, end := range endings() {
		if strings.Contains(name, "middle") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLife(t)
			defer l.sb.Hold(isCall)()
			answer := l.calling("health_check")
			end(l)
			code := l.gone(goneBusy)
			select {
			case m := <-answer:
				if !strings.Contains(string(m.Error), "unknown_outcome") {
					t.Errorf("the call was answered with %s%s", m.Error, m.Result)
				}
			default:
				t.Error("the call was not answered")
			}
			l.well(code)
		})
	}
}

// The second signal waits for nothing. The first is sent again and again,
// because nothing tells when the bridge has taken it.
func TestEnds_signalTwice_goneAtOnce(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			l := startLife(t)
			defer l.sb.Hold(isCall)()
			l.calling("health_check")
			l.w.eventually("the second signal ends it", goneIdle, func() bool {
				l.signal(s)
				select {
				case <-l.ended:
					return true
				default:
					return false
				}
			})
			l.gone(goneIdle)
			l.w.nothingLeft()
		})
	}
}

// A host that no longer reads gets no grace: nobody is there to be answered.
func TestEnds_stdoutClosed_goneAtTheNextAnswer(t *testing.T) {
	t.Parallel()
	l := startLife(t)
	defer l.sb.Hold(func(e sandbox.Entry) bool { return e.Tool == "health_check" })()
	l.calling("health_check")
	_ = l.stdout.Close()
	l.begin("ping", map[string]any{})
	code := l.gone(goneIdle)
	if said := l.w.bridgeSaid(); code != exitError || strings.Count(said, "\n") != 1 || !strings.Contains(said, "payu-mcp: error: relaying: writing to the host: ") {
		t.Errorf("it ended with %d and said: %s", code, said)
	}
	l.left()
}

// The process that started the bridge is killed; the pipes are still held, by
// this test (RELAY S9).
func TestEnds_parentDead_goneThoughStdinIsOpen(t *testing.T) {
	t.Parallel()
	for name, busy := range map[string]bool{"idle": false, "a call hangs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			l := startLife(t, self, "parent")
			limit := goneIdle
			if busy {
				defer l.sb.Hold(isCall)()
				l.calling("health_check")
				limit = goneBusy
			}
			l.signal(syscall.SIGKILL)
			var status unix.WaitStatus // the orphan comes to this process, which is a subreaper
			l.w.eventually("the orphan ends", limit, func() bool {
				pid, err := unix.Wait4(l.pid, &status, unix.WNOHANG, nil)
				return err == nil && pid == l.pid
			})
			<-l.ended
			l.well(status.ExitStatus())
		})
	}
}

// The endpoint takes the connection and never says a word.
func TestEnds_silentRemote_goneWithin3Seconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.startHost("--url", "http://"+listener(t, false)+"/mcp")
	opening := h.begin("initialize", initializing())
	list := h.begin("tools/list", map[string]any{}) // held behind it, as the call is
	call := h.begin("tools/call", healthCheck())
	_ = h.stdin.Close()
	if code := h.gone(goneBusy); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	for what, c := range map[string]struct {
		answer <-chan message
		says   string
		fails  bool
	}{
		"initialize": {opening, `"serverInfo":{"name":"payu-mcp"`, false},
		"the list":   {list, `"name":"payu_list_tools"`, false},
		"the call":   {call, `"source":"payu-mcp"`, true},
	} {
		select {
		case m := <-c.answer:
			if text := string(m.Result) + string(m.Error); (m.Error != nil) != c.fails || !strings.Contains(text, c.says) {
				t.Errorf("%s was answered with %s", what, text)
			}
		default:
			t.Errorf("%s was not answered", what)
		}
	}
	w.nothingLeft()
}

// A refresh token that was spent must not be lost with the process: the new
// credential is stored first, and the next bridge uses it.
func TestEnds_refreshInFlight_storedFirst(t *testing.T) {
	t.Parallel()
	for name, end := range endings() {
		if strings.Contains(name, "middle") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLife(t)
			l.sb.ExpireAccessTokens()
			const slow = 5 * time.Second // longer than a bridge without a refresh may live
			l.sb.Delay(sandbox.Path(sandbox.RoleAccounts, "/oauth/token"), slow)
			l.begin("tools/list", map[string]any{})
			refresh := sandbox.Query{Grant: "refresh_token", After: l.since}
			l.seen("the refresh", func(e sandbox.Entry) bool { return e.Grant() == "refresh_token" })
			end(l)
			if code := l.gone(goneRefresh); code != 0 {
				t.Errorf("it ended with %d", code)
			}
			l.w.nothingLeft()
			next := l.w.startHost()
			next.initialize()
			next.works()
			next.end()
			signIns := l.sb.Log().Count(sandbox.Query{Grant: "authorization_code"})
			if n := l.sb.Log().Count(refresh); n != 1 || signIns != 1 || l.sb.Log().RefreshCollisions() != 0 {
				t.Errorf("%d refreshes, %d sign-ins, %d tokens used twice; want 1, 1, 0", n, signIns, l.sb.Log().RefreshCollisions())
			}
			l.w.noLeaks(l.sb.Secrets())
		})
	}
}

// An authorization server that never answers does not keep the bridge.
func TestEnds_refreshHangs_goneWithin10Seconds(t *testing.T) {
	t.Parallel()
	l := startLife(t)
	l.sb.ExpireAccessTokens()
	defer l.sb.Hold(sandbox.Path(sandbox.RoleAccounts, "/oauth/token"))()
	l.begin("tools/list", map[string]any{})
	l.seen("the refresh", func(e sandbox.Entry) bool { return e.Grant() == "refresh_token" })
	_ = l.stdin.Close()
	if code := l.gone(goneRefresh); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	l.w.nothingLeft()
}
