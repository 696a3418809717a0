package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestMCP_scopeWanted_challengedAndForbidden(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "B")
	sb.Change(func(k *sandbox.Knobs) { k.Token.Scope = sandbox.ScopeNarrowed })
	narrow := &host{t: t, sb: sb, http: sb.HTTPClient(), token: newApp(t, sb).signIn().Access}
	stranger := &host{t: t, sb: sb, http: sb.HTTPClient()}
	metadata := sb.ResourceOrigin() + "/.well-known/oauth-protected-resource/mcp"
	for _, c := range []struct {
		scope     string
		who       *host
		status    int
		challenge string
	}{
		{"read_refunds", h, http.StatusOK, ""},
		{"read_refunds x", h, http.StatusForbidden, `Bearer error="insufficient_scope", resource_metadata="` + metadata + `", scope="read_refunds x"`},
		{"read_settlements", narrow, http.StatusForbidden, `Bearer error="insufficient_scope", resource_metadata="` + metadata + `", scope="read_settlements"`},
		{"read_transactions", narrow, http.StatusOK, ""},
		{"x", stranger, http.StatusUnauthorized, `Bearer scope="x"`},
	} {
		sb.SetMCP(sandbox.MCPKnobs{Scope: c.scope})
		resp := c.who.send(http.MethodPost, ping)
		if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != c.status || got != c.challenge {
			t.Errorf("%s: %d %s", c.scope, resp.StatusCode, got)
		}
	}
}
