package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}`

// modern sends a request of the modern era; header pairs replace what belongs to
// it, and an empty value removes.
func (h *host) modern(method, params string, header ...string) *http.Response {
	h.t.Helper()
	if params != "" {
		params = "," + params
	}
	h.next++
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":{%s%s}}`, h.next, method, modernMeta, params)
	return h.send(http.MethodPost, body, modernHeaders(body, header...)...)
}

func modernHeaders(body string, change ...string) []string {
	var m struct {
		Method string
		Params struct{ Name string }
	}
	_ = json.Unmarshal([]byte(body), &m)
	all := []string{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", m.Method}
	if m.Params.Name != "" {
		all = append(all, "Mcp-Name", m.Params.Name)
	}
	return append(all, change...)
}

func startModern(t *testing.T, k sandbox.MCPKnobs) (*sandbox.Sandbox, *host) {
	t.Helper()
	if k.Era == sandbox.EraLegacy {
		k.Era = sandbox.EraModern
	}
	sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: k}})
	return sb, newHost(t, sb, "A")
}

// verdict is the status and error code of an answer.
func verdict(t *testing.T, resp *http.Response) (string, json.RawMessage) {
	t.Helper()
	var m struct {
		ID    json.RawMessage
		Error struct {
			Code int
			Data json.RawMessage
		}
	}
	if body := read(t, resp); body != "" {
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err, body)
		}
	}
	return fmt.Sprint(resp.StatusCode, " ", m.Error.Code), m.Error.Data
}

func TestModern_everyRequest_mustCarryWhatTheBodySays(t *testing.T) {
	t.Parallel()
	_, h := startModern(t, sandbox.MCPKnobs{Tools: sandbox.ToolKnobs{Probe: true}})
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + modernMeta + `,"name":"health_check"}}`
	foreign := strings.Replace(call, "health_check", sandbox.ForeignNameTool, 1)
	for _, c := range []struct {
		name, body string
		change     []string
		want       string
	}{
		{"right", call, nil, "200 0"},
		{"session headers are ignored", call, []string{"Mcp-Session-Id", "x"}, "200 0"},
		{"no version header", call, []string{"MCP-Protocol-Version", ""}, "400 -32020"},
		{"another version header", call, []string{"MCP-Protocol-Version", "2025-11-25"}, "400 -32020"},
		{"no method header", call, []string{"Mcp-Method", ""}, "400 -32020"},
		{"another method", call, []string{"Mcp-Method", "Tools/call"}, "400 -32020"},
		{"no name", call, []string{"Mcp-Name", ""}, "400 -32020"},
		{"another name", call, []string{"Mcp-Name", "health"}, "400 -32020"},
		{"name in base64", call, []string{"Mcp-Name", "=?base64?aGVhbHRoX2NoZWNr?="}, "200 0"},
		{"broken base64", call, []string{"Mcp-Name", "=?base64?aGVh!?="}, "400 -32020"},
		{"foreign name, raw", foreign, nil, "400 -32020"},
		{"foreign name", foreign, []string{"Mcp-Name", "=?base64?4KSc4KS+4KSB4KSaX+KCuQ==?="}, "200 0"},
		{"no _meta", strings.Replace(call, "_meta", "meta", 1), nil, "400 -32602"},
		{"no capabilities", strings.Replace(call, "clientCap", "cap", 1), nil, "400 -32602"},
		{"capabilities no object", strings.Replace(call, `{"elicitation":{}}`, `null`, 1), nil, "400 -32602"},
		{"a version not spoken", strings.Replace(call, "2026-07-28", "2027-01-01", 1), []string{"MCP-Protocol-Version", "2027-01-01"}, "400 -32022"},
		{"an unknown method", strings.Replace(call, "tools/call", "ping", 1), nil, "404 -32601"},
		{"initialize", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, nil, "400 -32022"},
		{"a notification", `{"jsonrpc":"2.0","method":"notifications/cancelled"}`, nil, "202 0"},
		{"a response", `{"jsonrpc":"2.0","id":1,"result":{}}`, nil, "400 -32600"},
	} {
		if got, _ := verdict(t, h.send(http.MethodPost, c.body, modernHeaders(c.body, c.change...)...)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if resp := h.send(method, ""); resp.StatusCode != http.StatusMethodNotAllowed {
			t.Error(method, resp.Status)
		}
	}
}

func TestModern_results_sayTheyAreComplete(t *testing.T) {
	t.Parallel()
	_, h := startModern(t, sandbox.MCPKnobs{Answer: sandbox.AnswerRichSSE})
	for method, want := range map[string]string{"server/discover": `"supportedVersions":["2026-07-28"]`, "tools/list": `"ttlMs":0`} {
		got := read(t, h.modern(method, ""))
		if !strings.HasPrefix(got, "event: message\ndata: ") || !strings.Contains(got, `"result":{"resultType":"complete",`) || !strings.Contains(got, want) {
			t.Errorf("%s: %s", method, got)
		}
	}
}

func TestModern_initialize_namesWhatIsSpoken(t *testing.T) {
	t.Parallel()
	sb, h := startModern(t, sandbox.MCPKnobs{})
	_, data := verdict(t, h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`))
	if diff := cmp.Diff(`{"requested":"2025-11-25","supported":["2026-07-28"]}`, string(data)); diff != "" {
		t.Error(diff)
	}
	sb.Change(func(k *sandbox.Knobs) { k.MCP.ModernVersions = []string{"2026-12-01"} })
	if got, data := verdict(t, h.modern("tools/list", "")); got != "400 -32022" || string(data) != `{"requested":"2026-07-28","supported":["2026-12-01"]}` {
		t.Error(got, string(data))
	}
}

func TestDual_eachRequest_inItsOwnWay(t *testing.T) {
	t.Parallel()
	sb, h := startModern(t, sandbox.MCPKnobs{Era: sandbox.EraDual, Sessions: true})
	resp := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Mcp-Session-Id") == "" || sb.Sessions() != 1 {
		t.Error(resp.Status, sb.Sessions())
	}
	for want, resp := range map[string]*http.Response{
		"200 0":      h.modern("server/discover", ""),
		"400 -32000": h.send(http.MethodPost, ping), // legacy, without a session
		"400 -32602": h.send(http.MethodPost, ping, "MCP-Protocol-Version", "2026-07-28"),
	} {
		if got, _ := verdict(t, resp); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestModern_streamClosed_cancelsTheCall(t *testing.T) {
	t.Parallel()
	slow := sandbox.ReportKnobs{Slow: true, Steps: 1 << 30, Pause: time.Millisecond}
	for name, o := range map[string]sandbox.Options{"1.1": {}, "2": {TLS: true, HTTP2: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Knobs.MCP = sandbox.MCPKnobs{Era: sandbox.EraModern, Answer: sandbox.AnswerSSE, Report: slow}
			sb := start(t, o)
			body := `{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{` + strings.Replace(modernMeta, "{", `{"progressToken":1,`, 1) +
				`,"name":"reporting_createReport","arguments":{"service":"refunds","filters":{"dateFrom":"2026-01-01 00:00:00","dateTo":"2026-01-02 00:00:00"}}}}`
			resp := newHost(t, sb, "A").send(http.MethodPost, body, modernHeaders(body)...)
			if _, err := resp.Body.Read(make([]byte, 1)); err != nil { // it runs
				t.Fatal(err)
			}
			resp.Body.Close()
			if _, err := sb.Log().WaitFor(limit(t), func(e sandbox.Entry) bool { return e.Done }); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]sandbox.Cancellation{{ID: `"c"`, Running: true}}, sb.Cancelled()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestModern_subscription_carriesWhatItAskedFor(t *testing.T) {
	t.Parallel()
	sb, h := startModern(t, sandbox.MCPKnobs{})
	resp := h.modern("subscriptions/listen", `"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:b"]}`)
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		return ""
	}
	const mark = `"_meta":{"io.modelcontextprotocol/subscriptionId":1}`
	want := []string{`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{` + mark + `,"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:b"]}}}`}
	got := []string{next()}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if sb.Push(gone, []byte(`{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}`)) == nil {
		t.Error("a message was sent that nobody asked for")
	}
	for _, raw := range []string{
		`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`,
		`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}`,
	} {
		if err := sb.Push(limit(t), []byte(raw)); err != nil {
			t.Fatal(err)
		}
		got = append(got, next())
	}
	sb.EndSubscriptions()
	got = append(got, next(), next())
	want = append(want,
		`{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{`+mark+`}}`,
		`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{`+mark+`,"uri":"a:b"}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete",`+mark+`}}`, "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
