package e2e

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// wineGone is how long a bridge may take to end: that Wine and the others who use the
// computer are slow must not count.
const wineGone = 30 * time.Second

// ends lets the bridge see each end that a host on Windows can give it. It takes leave
// of the server each time, and the next one has nothing to wait for.
func (v *windows) ends(t *testing.T) {
	w := v.world(t)
	sb := startSandbox(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Sessions: true, Get: sandbox.GetStream, DeleteAllowed: true}}})
	w.must(v.payu(w, "login", "--url", sb.Endpoint(), "--store=file"), 0)
	bridge := []string{windowsPath(v.exe("payu-mcp"))}
	// By its whole path, or a program of Wine's stands between it and its parent.
	behind := append([]string{`C:\windows\system32\cmd.exe`, "/c"}, bridge...)
	for name, c := range map[string]struct {
		command []string
		end     func(*life)
		code    int // -1: that of the one who was killed
	}{
		"EOF": {bridge, func(l *life) { _ = l.stdin.Close() }, 0},
		// The pipes are still held, by this test.
		"parent killed": {behind, func(l *life) { l.signal(syscall.SIGKILL) }, -1},
		// Wine makes Ctrl-C of it.
		"Ctrl-C": {bridge, func(l *life) { l.signal(os.Interrupt) }, 0},
	} {
		for doing, busy := range map[string]bool{"idle": false, "in a call": true} {
			t.Run(name+" "+doing, func(t *testing.T) {
				l := &life{sb: sb, since: sb.Log().Len(), host: w.startBehind(wine64, c.command...)}
				l.initialize()
				l.seen("the stream", func(e sandbox.Entry) bool { return e.Method == http.MethodGet && e.Status == http.StatusOK })
				var answer <-chan message
				if busy {
					defer sb.Hold(isCall)()
					answer = l.calling("health_check")
				}
				c.end(l)
				if code := l.gone(wineGone); code != c.code {
					t.Errorf("it ended with %d, want %d", code, c.code)
				}
				if n := sb.Log().Count(sandbox.Query{Method: http.MethodDelete, After: l.since, Status: http.StatusOK}); n != 1 {
					t.Errorf("the session was ended %d times", n)
				}
				select {
				case m := <-answer:
					if !strings.Contains(string(m.Error), "unknown_outcome") {
						t.Errorf("the call was answered with %s%s", m.Error, m.Result)
					}
				default:
					if busy {
						t.Error("the call was not answered")
					}
				}
			})
		}
	}
	if said := w.bridgeSaid(); said != "" {
		t.Errorf("they said: %s", said)
	}
	w.must(v.payu(w, "logout"), 0)
	w.noLeaks(sb.Secrets())
}
