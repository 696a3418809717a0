package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// A host's configuration, perhaps of a cloned repository, names an endpoint of
// somebody else that wants a login. Nothing leads a person to its sign-in page
// before they have signed in there on a terminal (OAUTH X17).
//
//oauth:row X17 cmd/payu-mcp/trust.go "if ownEndpoint(p.endpoint) {" => "if true {"
func TestForeign_endpointWantsALogin_nobodyIsSentThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{TLS: true, PayUNames: true})
	ca := w.path("ca.pem")
	if err := os.WriteFile(ca, sb.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.setenv("HTTPS_PROXY", sb.ProxyURL())
	w.setenv("SSL_CERT_FILE", ca)
	opened := w.browser()

	h := w.startHost("--url", "https://api.payu.in:443/mcp", "--store=file") // not PayU's own, letter by letter
	h.get("initialize", map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": showing(), "clientInfo": map[string]any{"name": "h", "version": "1"},
	}, &struct{}{})
	h.lists(len(ownTools()))
	for _, tool := range append(ownTools()[:2], "health_check") {
		var r toolResult
		h.get("tools/call", map[string]any{"name": tool, "arguments": map[string]any{}}, &r)
		if text := r.Content[0].Text; !r.IsError || !strings.Contains(text, "not PayU's") || !strings.Contains(text, "payu-mcp login --url https://api.payu.in:443/mcp") {
			t.Errorf("%s: %s", tool, text)
		}
	}
	if n := sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts}); n != 0 || len(opened()) != 0 {
		t.Errorf("%d requests at the authorization server, addresses opened: %q", n, opened())
	}
	h.end()
}
