package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Between host and bridge nobody is authorized and no token is taken: MCP leaves
// stdio out of its authorization, and a token of somebody else's issuing must not
// be passed on. Wherever a host puts one, the server sees only the tokens of its
// own authorization server.
//
//oauth:row A42 cmd/payu-mcp/wire.go "\tclient, err := auth.New(cfg)" => "\tif t := os.Getenv(\"ACCESS_TOKEN\"); t != \"\" {\n\t\t_ = cfg.Store.Update(context.TODO(), func(context.Context, *auth.Credential) (*auth.Credential, error) {\n\t\t\treturn &auth.Credential{Resource: endpoint, AccessToken: redact.Secret(t), SignedInAt: time.Now()}, nil\n\t\t})\n\t}\n\tclient, err := auth.New(cfg)"
//oauth:row A43 remote/exchange.go "\tif err := x.client.bear(r, x.token); err != nil {" => "\tif t := jsonmsg.Text(jsonmsg.Lookup(x.msg.Raw, \"params\", \"_meta\", \"authorization\")); t != \"\" {\n\t\tx.token = redact.Secret(t)\n\t}\n\tif err := x.client.bear(r, x.token); err != nil {"
func TestHostToken_offeredAnyhow_neverUsed(t *testing.T) {
	t.Parallel()
	const offered = "a-token-that-the-host-has-from-somewhere-else"
	w := newWorld(t)
	for _, name := range []string{
		"ACCESS_TOKEN", "AUTHORIZATION", "BEARER_TOKEN", "HTTP_AUTHORIZATION", "MCP_ACCESS_TOKEN", "MCP_TOKEN", "OAUTH_TOKEN",
		"PAYU_ACCESS_TOKEN", "PAYU_MCP_ACCESS_TOKEN", "PAYU_MCP_AUTHORIZATION", "PAYU_MCP_TOKEN", "PAYU_TOKEN", "TOKEN",
	} {
		w.setenv(name, offered)
	}
	sb := startSandbox(t, sandbox.Options{})

	opened := w.browser()
	h := w.startHost("--url", sb.Endpoint(), "--store=file")
	h.offer(offered)
	h.lists(len(ownTools())) // nobody is signed in: no token of the host's has helped
	h.end()
	if n := len(opened()); n != 0 {
		t.Errorf("%d addresses were opened", n)
	}

	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	h = w.startHost("--url", sb.Endpoint(), "--store=file")
	h.offer(offered)
	h.works()
	h.end()

	if slices.Contains(sb.Log().Secrets(), offered) {
		t.Error("the server got the host's token as a bearer")
	}
	for _, e := range sb.Log().Entries() {
		if e.Authorization != "" && !strings.HasPrefix(e.Authorization, "token #") {
			t.Errorf("%s %s with the authorization %q", e.Method, e.Path, e.Authorization)
		}
	}
}

// offer puts a token wherever a host might, and waits until the bridge has read it.
func (h *host) offer(token string) {
	h.w.t.Helper()
	everywhere := func(more map[string]any) map[string]any {
		params := map[string]any{
			"authorization": "Bearer " + token, "token": token, "headers": map[string]any{"Authorization": "Bearer " + token},
			"_meta": map[string]any{
				"authorization": token, "Authorization": "Bearer " + token, "headers": map[string]any{"Authorization": "Bearer " + token},
				"io.modelcontextprotocol/authorization": token, "progressToken": token,
			},
		}
		maps.Copy(params, more)
		return params
	}
	h.ask("initialize", everywhere(map[string]any{
		"protocolVersion": "2025-11-25", "clientInfo": map[string]any{"name": "e2e", "version": "1"},
		"capabilities": map[string]any{"experimental": map[string]any{"authorization": map[string]any{"token": token}}},
	}))
	h.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized", "params": everywhere(nil)})
	for _, method := range []string{"tools/list", "resources/list", "ping"} {
		h.ask(method, everywhere(nil))
	}
	h.write(map[string]any{"jsonrpc": "2.0", "id": fmt.Sprintf("Bearer %s", token), "method": "ping", "authorization": "Bearer " + token, "headers": map[string]any{"Authorization": "Bearer " + token}})
	h.ask("ping", map[string]any{})
}
