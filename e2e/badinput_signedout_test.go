package e2e

import (
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// A sign-in that was denied, and a login that the server ended, leave a
// registration; a bridge that finds nothing else signs in for a call.
func TestBadInput_onlyRegistrationStored_callSignsIn(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*world, *sandbox.Sandbox){
		"denied": func(w *world, sb *sandbox.Sandbox) {
			w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --deny`)
			w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), exitNotFinished)
		},
		"ended": func(w *world, sb *sandbox.Sandbox) {
			w.visitor()
			w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
			sb.RevokeFromDashboard("A")
			sb.RevokeFromDashboard("B")
			w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --deny`)
			h := w.startHost("--url", sb.Endpoint())
			h.initialize()
			if r := h.call("health_check", map[string]any{}); !r.IsError || len(r.Content) == 0 || !strings.Contains(r.Content[0].Text, "was denied") {
				w.t.Errorf("the denied call gave %+v", r)
			}
			h.end()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sb := startSandbox(t, sandbox.Options{})
			prepare(w, sb)
			w.must(w.payu("status", "--url", sb.Endpoint()), exitSignedOut)
			signIns, clients := sb.Log().Count(sandbox.Query{Grant: "authorization_code"}), len(sb.Clients())
			w.visitor()
			h := w.startHost("--url", sb.Endpoint())
			h.initialize()
			h.healthy()
			h.lists(13)
			if code := h.end(); code != 0 {
				t.Errorf("the bridge ended with %d", code)
			}
			if n := sb.Log().Count(sandbox.Query{Grant: "authorization_code"}) - signIns; n != 1 || len(sb.Clients()) != clients {
				t.Errorf("%d sign-ins, %d clients after %d; want 1 and no new client", n, len(sb.Clients()), clients)
			}
			w.nothingLeft()
			w.noLeaks(sb.Secrets())
		})
	}
}
