package sandbox_test

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

func TestMCP_token_introspectedOnEveryRequest(t *testing.T) {
	t.Parallel()
	c := newClock()
	sb := start(t, sandbox.Options{Now: c.now})
	sb.SetAccessTokenLife(2 * time.Second)
	for name, c := range map[string]struct {
		end  func(*host)
		text string
	}{
		"none":      {func(h *host) { h.token = "" }, "Token missing"},
		"unknown":   {func(h *host) { h.token = "made-up" }, "Token invalid"},
		"expired":   {func(*host) { c.pass(2 * time.Second) }, "Token expired"},
		"expire":    {func(h *host) { h.sb.ExpireAccessTokens() }, "Token expired"},
		"dashboard": {func(h *host) { h.sb.RevokeFromDashboard("A") }, "Token invalid"},
	} {
		h := newHost(t, sb, "A")
		if resp := h.send(http.MethodPost, ping); resp.StatusCode != http.StatusOK {
			t.Fatal(name, resp.Status)
		}
		c.end(h)
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			resp := h.send(method, ping)
			if body := read(t, resp); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, c.text) {
				t.Errorf("%s %s: %s %s", name, method, resp.Status, body)
			}
		}
	}
	if h := newHost(t, sb, "B"); h.ask("ping", "{}").Error != nil {
		t.Error("another user lost access too")
	}
}

func TestMCP_unauthorized_formsAsChosen(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := &host{t: t, sb: sb, http: sb.HTTPClient()}
	metadata := fmt.Sprintf("resource_metadata=%q", sb.ResourceOrigin()+"/.well-known/oauth-protected-resource/mcp")
	for form, want := range map[sandbox.Challenge][]string{
		sandbox.ChallengeBare:             {"Bearer"},
		sandbox.ChallengeResourceMetadata: {"Bearer " + metadata},
		sandbox.ChallengeInvalidToken:     {`Bearer error="invalid_token", error_description="Token missing", ` + metadata},
		sandbox.ChallengeEmptyRealm:       {`Bearer realm=""`},
		sandbox.ChallengeSeveral:          {`Basic realm="PayU, internal", charset="UTF-8"`, `Negotiate, Bearer realm="mcp", ` + metadata},
		sandbox.ChallengeNone:             nil,
	} {
		sb.SetMCP(sandbox.MCPKnobs{Challenge: form})
		resp := h.send(http.MethodPost, ping)
		if diff := cmp.Diff(want, resp.Header.Values("WWW-Authenticate")); diff != "" || resp.StatusCode != http.StatusUnauthorized {
			t.Error(resp.Status, diff)
		}
	}
	for form, want := range map[sandbox.UnauthorizedBody]string{
		sandbox.UnauthorizedJSON:  `{"error":"invalid_token","error_description":"Token missing"}` + "\n",
		sandbox.UnauthorizedEmpty: "", sandbox.UnauthorizedHTML: "<!DOCTYPE html><title>401</title><h1>Token missing</h1>",
	} {
		sb.SetMCP(sandbox.MCPKnobs{Unauthorized: form})
		if got := read(t, h.send(http.MethodPost, ping)); got != want {
			t.Errorf("form %d: %q", form, got)
		}
	}
}

func TestMCP_initialize_versionNegotiated(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	for asked, want := range map[string]string{
		"2025-03-26": "2025-03-26", "2025-06-18": "2025-06-18", "2025-11-25": "2025-11-25", "2026-07-28": "2025-11-25", "2024-11-05": "2025-11-25",
	} {
		if got := h.ask("initialize", fmt.Sprintf(`{"protocolVersion":%q}`, asked)).Result.ProtocolVersion; got != want {
			t.Errorf("%s: %s", asked, got)
		}
	}
	sb.SetMCP(sandbox.MCPKnobs{Versions: []string{"2025-03-26"}})
	if got := h.ask("initialize", `{"protocolVersion":"2025-11-25"}`).Result.ProtocolVersion; got != "2025-03-26" {
		t.Error(got)
	}
	if resp := h.send(http.MethodPost, ping, "Mcp-Protocol-Version", "2025-11-25"); resp.StatusCode != http.StatusBadRequest {
		t.Error(resp.Status)
	}
	if resp := h.send(http.MethodPost, ping, "Mcp-Protocol-Version", "2025-03-26"); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
}

func TestMCP_messages_answeredByKind(t *testing.T) {
	t.Parallel()
	h := newHost(t, start(t, sandbox.Options{}), "A")
	for body, want := range map[string]string{
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`:                `200 {"jsonrpc":"2.0","id":9007199254740993,"result":{}}`,
		`{"jsonrpc":"2.0","id":"\u0061","method":"ping"}`:                        `200 {"jsonrpc":"2.0","id":"\u0061","result":{}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`:                 `202 `,
		`{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`:                       `200 {"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`:             `200 {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}`: `200 {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid cursor"}}`,
		`{`:                 `400 {"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`,
		`[` + ping + `]`:    `400 {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request"}}`,
		`{"jsonrpc":"2.0"}`: `400 {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request"}}`,
	} {
		resp := h.send(http.MethodPost, body)
		if got := fmt.Sprintf("%d %s", resp.StatusCode, read(t, resp)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want)
		}
	}
	if resp := h.send(http.MethodPut, ""); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Error(resp.Status)
	}
	if resp := h.send(http.MethodPost, ping, "X-Request-Id", "abc"); resp.Header.Get("X-Request-Id") != "abc" {
		t.Error("no echo of X-Request-ID")
	}
}

func TestMCP_accept_strictByKnob(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	for strict, statuses := range map[bool]map[string]int{
		false: {"application/json": 200, "*/*": 200},
		true:  {"application/json": 406, "text/event-stream": 406, "application/json, text/event-stream": 200},
	} {
		sb.SetMCP(sandbox.MCPKnobs{StrictAccept: strict})
		for accept, want := range statuses {
			if resp := h.send(http.MethodPost, ping, "Accept", accept); resp.StatusCode != want {
				t.Errorf("strict %t, %s: %s", strict, accept, resp.Status)
			}
		}
	}
}

func TestMCP_sessions_issuedAndDropped(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`
	if id := h.send(http.MethodPost, initialize).Header.Get("Mcp-Session-Id"); id != "" {
		t.Error("a stateless server issued", id)
	}
	sb.SetMCP(sandbox.MCPKnobs{Sessions: true, DeleteAllowed: true})
	issue := func() string { return h.send(http.MethodPost, initialize).Header.Get("Mcp-Session-Id") }
	status := func(method, id string) int { return h.send(method, ping, "Mcp-Session-Id", id).StatusCode }
	first, second := issue(), issue()
	if first == "" || first == second || !slices.Contains(sb.Secrets(), first) || sb.Sessions() != 2 {
		t.Errorf("sessions: %d", sb.Sessions())
	}
	if got := []int{status("POST", first), status("POST", ""), status("DELETE", first), status("POST", first), status("POST", second)}; !cmp.Equal(got, []int{200, 400, 200, 404, 200}) {
		t.Error(got)
	}
	sb.DropSessions()
	if got := []int{status("POST", second), status("GET", second)}; !cmp.Equal(got, []int{404, 405}) {
		t.Error(got)
	}
	sb.Change(func(k *sandbox.Knobs) { k.MCP.DroppedIs400 = true })
	resp := h.send(http.MethodPost, ping, "Mcp-Session-Id", second)
	if body := read(t, resp); resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, "No valid session ID") {
		t.Error(resp.Status, body)
	}
	sb.SetMCP(sandbox.MCPKnobs{})
	if got := status("DELETE", ""); got != http.StatusMethodNotAllowed {
		t.Error(got)
	}
	if n := sb.Log().Count(sandbox.Query{Method: http.MethodDelete, Status: http.StatusOK}); n != 1 {
		t.Errorf("%d DELETEs in the log", n)
	}
}

func TestMCP_get_formsAsChosen(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	for form, want := range map[sandbox.GetAnswer]int{sandbox.GetRefused: 405, sandbox.GetMissing: 404} {
		sb.SetMCP(sandbox.MCPKnobs{Get: form})
		if resp := h.send(http.MethodGet, ""); resp.StatusCode != want {
			t.Error(resp.Status)
		}
	}
}

func TestMCP_push_reachesStreamAndAnswerComesBack(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Get: sandbox.GetStream}}})
	h := newHost(t, sb, "A")
	const request = `{"jsonrpc":"2.0","id":"srv-1","method":"ping"}`
	const reply = `{"jsonrpc":"2.0","id":"srv-1","result":{"n":1.0}}`
	pushed := make(chan error, 1)
	go func() { pushed <- sb.Push(limit(t), []byte(request)) }() // waits for the stream
	lines := bufio.NewScanner(h.send(http.MethodGet, "").Body)
	for lines.Scan() && lines.Text() != "data: "+request {
	}
	if err := <-pushed; err != nil || lines.Err() != nil {
		t.Fatal(err, lines.Err())
	}
	if sb.Streams() != 1 {
		t.Error("streams:", sb.Streams())
	}
	if resp := h.send(http.MethodPost, reply); resp.StatusCode != http.StatusAccepted {
		t.Error(resp.Status)
	}
	if got, err := sb.WaitForAnswer(limit(t), `"srv-1"`); string(got) != reply || err != nil {
		t.Error(string(got), err)
	}
	sb.DropStreams()
	for lines.Scan() {
	}
	if _, err := sb.Log().WaitFor(limit(t), func(e sandbox.Entry) bool { return e.Method == http.MethodGet && e.Done }); err != nil {
		t.Error(err)
	}
}

func TestMCP_eventStream_formsAsChosen(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	for form, want := range map[sandbox.PostAnswer]string{
		sandbox.AnswerJSON: `{"jsonrpc":"2.0","id":1,"result":{}}`,
		sandbox.AnswerSSE:  "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n",
		sandbox.AnswerRichSSE: "id: 0\nretry: 500\ndata:\n\n: a comment\n:\nretry: 500\nunknown\nid: 1\nevent: message\n" +
			"data: {\ndata: \"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n",
	} {
		sb.SetMCP(sandbox.MCPKnobs{Answer: form})
		resp := h.send(http.MethodPost, ping)
		if got := read(t, resp); got != want || (form == sandbox.AnswerJSON) != (resp.Header.Get("Content-Type") == "application/json") {
			t.Errorf("form %d: %q", form, got)
		}
	}
	if got := read(t, h.send(http.MethodPost, ping, "Accept", "application/json")); got != `{"jsonrpc":"2.0","id":1,"result":{}}` {
		t.Error("a client that takes no streams got", got)
	}
}
