package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Without a keychain, absent or hanging, a bridge keeps the login for itself and
// says so; the next one has to ask again, and nothing is on disk.
func TestBadInput_noKeychainNothingStored_bridgeKeepsTheLoginInMemory(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*world){
		"no bus":     func(*world) {},
		"no service": func(w *world) { w.startBus() },
		"dismissed": func(w *world) {
			w.startBus()
			w.startSecrets().set(map[string]manner{"Unlock": isDismissed})
		},
		"hangs": func(w *world) {
			w.startBus()
			w.startSecrets().set(map[string]manner{"Unlock": hangs})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			prepare(w)
			sb := startSandbox(t, sandbox.Options{})
			w.visitor()
			for signIns := 1; signIns <= 2; signIns++ {
				h := w.startHost("--url", sb.Endpoint())
				start := time.Now()
				h.initialize()
				shown := h.tools()
				if took := time.Since(start); took > 2*firstPatience {
					t.Errorf("initialize and the list took %v", took)
				}
				// What PayU's tools are is no login, so the second bridge knows it.
				if signIns == 1 && !slices.Equal(shown, ownTools()) || signIns > 1 && len(shown) != 13 {
					t.Errorf("before sign-in %d the tools are %q", signIns, shown)
				}
				if n := sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts}); signIns == 1 && n != 0 {
					t.Errorf("%d requests at the authorization server before a call", n)
				}
				for range 2 {
					h.healthy()
					h.lists(13)
				}
				if n := sb.Log().Count(sandbox.Query{Grant: "authorization_code"}); n != signIns {
					t.Errorf("%d sign-ins, want %d", n, signIns)
				}
				w.must(w.payu("status", "--url", sb.Endpoint()), exitSignedOut)
				if code := h.end(); code != 0 {
					t.Errorf("the bridge ended with %d", code)
				}
			}
			if n := strings.Count(w.bridgeSaid(), "kept in memory only and ends with this process"); n != 2 {
				t.Errorf("it was said %d times, want once by each bridge:\n%s", n, w.bridgeSaid())
			}
			if len(w.sealed()) > 0 {
				t.Errorf("stored: %q", w.sealed())
			}
			w.nothingLeft()
			w.noLeaks(sb.Secrets())
		})
	}
}

// A second bridge beside the first one, which keeps its login in memory, signs
// in for itself, and both work.
func TestBadInput_noKeychainTwoBridges_eachSignsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.visitor()
	var hosts []*host
	for range 2 {
		h := w.startHost("--url", sb.Endpoint())
		h.initialize()
		hosts = append(hosts, h)
	}
	for _, h := range hosts {
		h.healthy()
		h.lists(13)
	}
	if n := sb.Log().Count(sandbox.Query{Grant: "authorization_code"}); n != 2 {
		t.Errorf("%d sign-ins, want 2", n)
	}
	if err := hosts[0].cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-hosts[0].ended
	hosts[1].works()
	hosts[1].end()
	if n := sb.Log().Count(sandbox.Query{Grant: "authorization_code"}); n != 2 {
		t.Errorf("after the other has ended: %d sign-ins, want 2", n)
	}
	w.nothingLeft()
	w.noLeaks(sb.Secrets())
}
