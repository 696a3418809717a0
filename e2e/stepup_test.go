package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// A server that wants more scope for each call, whatever it was given: one more
// sign-in in all, each call is sent twice at most, and what the person is asked for
// is what was given and the challenge, no more.
//
//oauth:row X28 auth/stepup.go "s.scopes == sortedScopes(ch)" => "false"
func TestStepUp_serverNeverContent_oneSignInAndNoLoop(t *testing.T) {
	t.Parallel()
	w, in := newWorld(t), &fault.Injector{}
	g := goodLogin(t, w, sandbox.Options{Wrap: in.Wrap})
	in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1, wantsMore("scope_of_the_owner"))
	h := w.startHost("--url", g.sb.Endpoint(), "--store=file")
	h.initialize()
	for n := range 3 {
		before := g.sb.Log().Len()
		if m := h.ask("tools/call", healthCheck()); m.Error == nil && !strings.Contains(string(m.Result), `"isError":true`) {
			t.Errorf("call %d: %s", n, m.Result)
		}
		if posts := g.sb.Log().Count(sandbox.Query{RPC: "tools/call", After: before}); posts < 1 || posts > 2 {
			t.Errorf("call %d went out %d times", n, posts)
		}
	}
	asked := g.sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"})
	if len(asked) != 2 {
		t.Fatalf("%d sign-ins, want that of login and one more", len(asked))
	}
	scopes := strings.Fields(asked[1].Form.Get("scope"))
	if !slices.Contains(scopes, "scope_of_the_owner") || !slices.Contains(scopes, "read_refunds") || asked[0].Form.Has("scope") {
		t.Errorf("asked for %q first, then for %q", asked[0].Form["scope"], scopes)
	}
	if code := h.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	w.noLeaks(g.sb.Secrets())
}

// wantsMore refuses for want of scope.
func wantsMore(scope string) fault.Fault {
	return func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		rw.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+scope+`"`)
		rw.WriteHeader(http.StatusForbidden)
	}
}
