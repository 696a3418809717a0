package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const create = "payLinks_paymentLink_create"

func link(invoice string) map[string]any {
	return map[string]any{"invoiceNumber": invoice, "amount": 10, "customerName": "A", "customerEmail": "a@shop.example", "description": "d"}
}

// line writes what no json.Marshal would.
func (h *host) line(text string) {
	h.w.t.Helper()
	if _, err := h.stdin.Write([]byte(text + "\n")); err != nil {
		h.w.t.Fatal(err)
	}
}

// sawNoCall fails if any tools/call reached the server.
func sawNoCall(t *testing.T, sb *sandbox.Sandbox) {
	t.Helper()
	for _, e := range sb.Log().Find(sandbox.Query{Path: "/mcp"}) {
		if e.RPC == "tools/call" {
			t.Errorf("a call of %q reached the server", e.Tool)
		}
	}
}

// The first conversation of a read-only host: it knows our own tools only, and
// reads with them; nothing that writes gets through, however it is written.
func TestBrakes_readOnlyFirstConversation_readsOnly(t *testing.T) {
	for name, knobs := range map[string]sandbox.MCPKnobs{
		"JSON":            {},
		"SSE, paged":      {Answer: sandbox.AnswerSSE, Tools: sandbox.ToolKnobs{PageSize: 4}},
		"modern, paged":   {Era: sandbox.EraModern, Tools: sandbox.ToolKnobs{PageSize: 3}},
		"no annotations":  {Tools: sandbox.ToolKnobs{Annotations: sandbox.AnnotationsAbsent}},
		"modern, renamed": {Era: sandbox.EraModern, Tools: sandbox.ToolKnobs{Probe: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			sb := startSandbox(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: knobs}})
			w.visitor()
			w.setenv("PAYU_MCP_STORE", "file")
			w.setenv("PAYU_MCP_URL", sb.Endpoint())
			h := w.startHost("--read-only")
			h.initialize()
			if got := fmt.Sprint(h.tools()); got != fmt.Sprint(ownTools()) {
				t.Errorf("listed %s", got)
			}
			listed := h.call("payu_list_tools", map[string]any{})
			if listed.IsError || strings.Contains(listed.Content[0].Text, create) {
				t.Errorf("%+v", listed)
			}
			for i, call := range []string{
				`"name":"payu_call_tool","arguments":{"name":"` + create + `","arguments":{"invoiceNumber":"INV1","amount":1}}`,
				`"name":"payu_call_tool","arguments":{"name":"health_check","name":"` + create + `","arguments":{"invoiceNumber":"INV1"}}`,
				`"name":"payu_call_tool","arguments":{"name":"payu_call_tool","arguments":{"name":"` + create + `"}}`,
				`"name":"` + create + `","arguments":{"invoiceNumber":"INV1"}`,
				`"name":"health_check","NAME":"` + create + `","arguments":{"invoiceNumber":"INV1"}`,
				`"name":"health_check\u0000","n\u0061me\u0000":"` + create + `"`,
			} {
				answer := make(chan message, 1)
				id := fmt.Sprint(1000 + i)
				h.mu.Lock()
				h.wait[id] = answer
				h.mu.Unlock()
				h.line(`{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{` + call + `}}`)
				if m := <-answer; m.Error == nil && !strings.Contains(string(m.Result), `"isError":true`) {
					t.Errorf("%s was answered %s", call, m.Result)
				}
			}
			h.line(`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"` + create + `","arguments":{"invoiceNumber":"INV1"}}}`)
			sawNoCall(t, sb)
			inner := h.call("payu_call_tool", map[string]any{"name": "health_check", "arguments": map[string]any{}})
			if reads := name != "no annotations"; inner.IsError == reads {
				t.Errorf("health_check: %+v", inner)
			}
			for _, tool := range h.tools() {
				if tool == create || strings.HasPrefix(tool, "switch_") || name == "no annotations" {
					t.Errorf("%s is listed", tool)
				}
			}
			if n := sb.Executions(create, "INV1"); n != 0 {
				t.Errorf("%d links were made", n)
			}
			if code := h.end(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// A person's yes to one call makes one link; a no, or no person, makes none.
func TestConfirm_throughTheBinary_oneYesOneLink(t *testing.T) {
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --user A`) // who has one merchant account
	w.must(w.payu("login", "--store=file", "--url", sb.Endpoint(), "--confirm"), 0)
	h := w.startHost("--confirm=false") // the profile says otherwise
	var r json.RawMessage
	h.get("initialize", map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": map[string]any{"elicitation": map[string]any{}},
		"clientInfo": map[string]any{"name": "e2e", "version": "1"},
	}, &r)
	h.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	h.lists(13)
	h.healthy()
	for invoice, action := range map[string]string{"YES": "accept", "NO": "decline"} {
		answer := h.begin("tools/call", map[string]any{"name": create, "arguments": link(invoice)})
		q := h.hears("elicitation/create")
		if text := string(q.Params); !strings.Contains(text, create) || !strings.Contains(text, invoice) {
			t.Errorf("asked %s", text)
		}
		h.write(map[string]any{"jsonrpc": "2.0", "id": q.ID, "result": map[string]any{"action": action}})
		if m := <-answer; m.Error != nil || strings.Contains(string(m.Result), `"isError":true`) == (action == "accept") {
			t.Errorf("%s: %s %s", action, m.Result, m.Error)
		}
	}
	if yes, no := sb.Executions(create, "YES"), sb.Executions(create, "NO"); yes != 1 || no != 0 {
		t.Errorf("made %d with a yes, %d with a no", yes, no)
	}
	if code := h.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	mute := w.startHost()
	mute.initialize()
	if got := mute.call(create, link("MUTE")); !got.IsError || !strings.Contains(got.Content[0].Text, "cannot show the question") {
		t.Errorf("%+v", got)
	}
	if n := sb.Executions(create, "MUTE"); n != 0 {
		t.Errorf("%d links were made unasked", n)
	}
}
