package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// showing is a host that can show its person a web address.
func showing() map[string]any {
	return map[string]any{"elicitation": map[string]any{"form": map[string]any{}, "url": map[string]any{}}}
}

// secureWorld has a sandbox with TLS, which payu-mcp trusts, and nobody signed
// in. No browser can be opened.
func secureWorld(t *testing.T, knobs sandbox.Knobs) (*world, *sandbox.Sandbox, []string) {
	t.Helper()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{TLS: true, Knobs: knobs})
	ca := w.path("ca.pem")
	if err := os.WriteFile(ca, sb.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return w, sb, []string{"--url", sb.Endpoint(), "--store=file", "--ca-file", ca}
}

// browserTrusting makes the sandbox's visitor the opener; it trusts a CA.
func (w *world) browserTrusting(ca string) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	w.setenv("PAYU_MCP_BROWSER", fmt.Sprintf("env SSL_CERT_FILE=%s %q visit", ca, self))
}

// signsInAt is the person to whom the host has shown an address: it must be the
// authorization server's own, over https.
func signsInAt(w *world, sb *sandbox.Sandbox, address string) {
	w.t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Path, "/authorize") || u.Query().Get("code_challenge_method") != "S256" {
		w.t.Fatalf("the host was given %s", address)
	}
	w.visit(sb, address)
}

// A legacy host shows the address (HOSTS P6).
func TestDialog_legacyHost_showsTheAddress(t *testing.T) {
	t.Parallel()
	w, sb, args := secureWorld(t, sandbox.Knobs{})
	h := w.startHost(args...)
	h.get("initialize", map[string]any{
		"protocolVersion": "2025-06-18", "capabilities": showing(),
		"clientInfo": map[string]any{"name": "codex-mcp-client", "title": "Codex", "version": "1"},
	}, &struct{}{})
	h.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	h.lists(len(ownTools()))
	answer := h.begin("tools/call", map[string]any{"name": "payu_call_tool", "arguments": healthCheck()})

	dialog := h.hears("elicitation/create")
	var p struct{ Mode, Message, URL, ElicitationID string }
	if err := json.Unmarshal(dialog.Params, &p); err != nil || p.Mode != "url" || p.Message == "" || p.ElicitationID == "" {
		t.Fatalf("the dialog is %s", dialog.Params)
	}
	h.write(map[string]any{"jsonrpc": "2.0", "id": dialog.ID, "result": map[string]any{"action": "accept"}})
	signsInAt(w, sb, p.URL)
	h.hears("notifications/elicitation/complete")
	if m := <-answer; !strings.Contains(string(m.Result), "running") {
		t.Errorf("the call: %s%s", m.Result, m.Error)
	}
	h.works()
	h.end()
	w.noLeaks(sb.Secrets())
}

// A modern host is asked for input and sends its call again (HOSTS H22).
func TestDialog_modernHost_isAskedForInput(t *testing.T) {
	t.Parallel()
	w, sb, args := secureWorld(t, sandbox.Knobs{MCP: sandbox.MCPKnobs{Era: sandbox.EraDual}})
	w.browserTrusting(args[len(args)-1])
	w.must(w.payu(append([]string{"login"}, args...)...), 0)
	sb.RevokeFromDashboard("B") // the era stays known
	w.setenv("PAYU_MCP_BROWSER", "false")

	h := w.startHost(args...)
	call := func(more map[string]any) map[string]any {
		params := map[string]any{"_meta": map[string]any{
			"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
			"io.modelcontextprotocol/clientInfo":         map[string]any{"name": "modern", "version": "1"},
			"io.modelcontextprotocol/clientCapabilities": showing(),
		}}
		maps.Copy(params, more)
		return params
	}
	h.get("server/discover", call(nil), &struct{}{})
	var asked struct {
		ResultType    string
		RequestState  string
		InputRequests map[string]struct {
			Method string
			Params struct{ Mode, URL string }
		}
	}
	h.get("tools/call", call(healthCheck()), &asked)
	if asked.ResultType != "input_required" || len(asked.InputRequests) != 1 {
		t.Fatalf("the first answer is %+v", asked)
	}
	again := healthCheck()
	again["requestState"] = asked.RequestState
	for key, request := range asked.InputRequests {
		if request.Method != "elicitation/create" || request.Params.Mode != "url" {
			t.Errorf("the host is asked for %+v", request)
		}
		signsInAt(w, sb, request.Params.URL)
		again["inputResponses"] = map[string]any{key: map[string]any{"action": "accept"}}
	}
	var r toolResult
	if h.get("tools/call", call(again), &r); r.IsError || len(r.Content) != 1 || !strings.Contains(r.Content[0].Text, "running") {
		t.Errorf("the call that came back: %+v", r)
	}
	h.end()
	w.noLeaks(sb.Secrets())
}
