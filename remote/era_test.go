package remote_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	inMeta   = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`
	discover = `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + inMeta + `}}`
	starting = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`
	listing  = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + inMeta + `}}`
)

// TestEra_answers_teach is RELAY H17: what each answer shows of the server.
func TestEra_answers_teach(t *testing.T) {
	t.Parallel()
	const (
		ok      = `{"id":1,"result":{"protocolVersion":"2025-11-25"}}`
		version = `{"id":1,"error":{"code":-32022,"message":"m"}}`
		header  = `{"id":1,"error":{"code":-32020,"message":"m"}}`
		method  = `{"id":1,"error":{"code":-32601,"message":"m"}}`
	)
	for name, c := range map[string]struct {
		before remote.Era
		line   string
		status int
		body   string
		after  remote.Era
	}{
		"initialize works":             {remote.EraUnknown, starting, 200, ok, remote.EraLegacy},
		"initialize refused by -32022": {remote.EraUnknown, starting, 400, version, remote.EraModern},
		"initialize refused by -32020": {remote.EraUnknown, starting, 400, header, remote.EraModern},
		"initialize unknown":           {remote.EraUnknown, starting, 404, method, remote.EraLegacy},
		"initialize plain 400":         {remote.EraUnknown, starting, 400, "no", remote.EraLegacy},
		"initialize 401":               {remote.EraUnknown, starting, 401, "", remote.EraUnknown},
		"initialize 403":               {remote.EraUnknown, starting, 403, "", remote.EraUnknown},
		"initialize 500":               {remote.EraUnknown, starting, 500, "", remote.EraUnknown},
		"initialize of a dual server":  {remote.EraDual, starting, 200, ok, remote.EraDual},
		"discover works":               {remote.EraUnknown, discover, 200, ok, remote.EraDual},
		"discover, initialize refused": {remote.EraModern, discover, 200, ok, remote.EraModern},
		"discover refused by -32022":   {remote.EraUnknown, discover, 400, version, remote.EraDual},
		"discover unknown":             {remote.EraUnknown, discover, 200, method, remote.EraLegacy},
		"discover plain 400":           {remote.EraUnknown, discover, 400, "no session", remote.EraLegacy},
		"discover 401":                 {remote.EraUnknown, discover, 401, "", remote.EraUnknown},
		"discover 403":                 {remote.EraUnknown, discover, 403, "", remote.EraUnknown},
		"discover 503":                 {remote.EraUnknown, discover, 503, "", remote.EraUnknown},
		"a call contradicts":           {remote.EraDual, listing, 400, "no session", remote.EraUnknown},
		"a call tells nothing":         {remote.EraUnknown, listing, 200, ok, remote.EraUnknown},
		"a call shows a modern server": {remote.EraLegacy, listing, 400, version, remote.EraDual},
		"the server was replaced":      {remote.EraModern, starting, 200, ok, remote.EraLegacy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told []remote.Era
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			r := client(t, s.URL, func(o *remote.Config) {
				o.Era, o.Learnt = c.before, func(e remote.Era) { told = append(told, e) }
			})
			_, _ = do(t, r, c.line)
			if n := len(s.requests()); n != 1 && c.status < 500 {
				t.Errorf("%d requests", n)
			}
			if r.Era() != c.after || (len(told) == 1) != (c.before != c.after) {
				t.Errorf("learnt %s, told %v", r.Era(), told)
			}
		})
	}
}

func TestEra_names_comeBack(t *testing.T) {
	t.Parallel()
	for _, e := range []remote.Era{remote.EraUnknown, remote.EraLegacy, remote.EraModern, remote.EraDual} {
		if remote.ParseEra(e.String()) != e {
			t.Error(e)
		}
	}
	if remote.ParseEra("damaged") != remote.EraUnknown {
		t.Error("a damaged name is an era")
	}
}

// What a modern request carries, and what it does not.
//
//oauth:row X23 remote/value.go "return headerValue(jsonmsg.Text(found)), true" => "return jsonmsg.Text(found), true"
func TestModern_request_describesItself(t *testing.T) {
	t.Parallel()
	s := newRestarting(t)
	c := client(t, s.URL)
	modern := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay \u20b9",` + inMeta + `}}`
	for _, line := range []string{initialize, inited, modern} {
		_, _ = do(t, c, line)
	}
	h := s.requests()[2].header
	for name, want := range map[string]string{
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "=?base64?cGF5IOKCuQ==?=", "Mcp-Session-Id": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// RELAY H14, H15: the tools are asked for again, page by page, when a call's
// headers were wrong, and the call goes out once more.
func TestModern_headersMismatch_listedAgainAndSentOnce(t *testing.T) {
	t.Parallel()
	tool := func(name, header string) string {
		return `{"name":"` + name + `","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"` + header + `"}}}}`
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request, body string) {
		switch {
		case strings.Contains(body, `"cursor":"two"`):
			answerTo(w, body, `{"tools":[`+tool("pay", "Region")+`]}`)
		case strings.Contains(body, "tools/list"):
			answerTo(w, body, `{"tools":[`+tool("bad", "not a token")+`,`+tool("good", "G")+`],"nextCursor":"two"}`)
		case r.Header.Get("Mcp-Param-Region") != "in":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(400)
			_, _ = w.Write([]byte(`{"id":1,"error":{"code":-32020,"message":"m"}}`))
		default:
			answerTo(w, body, `{"done":true}`)
		}
	})
	c := client(t, s.URL)
	got, err := do(t, c, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"a":"in"},"_meta":{"progressToken":7,"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`)
	if err != nil || len(got) != 1 || !strings.Contains(got[0], "done") {
		t.Fatal(got, err)
	}
	requests := s.requests()
	if len(requests) != 4 || strings.Contains(requests[1].body, "progressToken") {
		t.Errorf("%d requests, the list: %s", len(requests), requests[1].body)
	}
	if got, err = do(t, c, listing); err != nil || strings.Contains(got[0], "bad") || !strings.Contains(got[0], "good") {
		t.Error(got, err)
	}
}
