package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// oddly is a server that answers a call with these members; ID stands for the
// id of the request.
func oddly(status int, members string) fault.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		var m struct{ ID json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&m) // a call of ours: it has one
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0",`+strings.ReplaceAll(members, "ID", string(m.ID))+`}`)
	}
}

// What an answer says of a write call is the same in the exit code and in the
// journal: 7 and unknown wherever it does not exclude that the call has run, and
// never 0 for a refusal.
func TestShell_oddAnswers_exitCodeAndJournalAgree(t *testing.T) {
	t.Parallel()
	type want struct {
		code    int
		outcome string
	}
	for name, c := range map[string]struct {
		era    sandbox.Era
		answer fault.Fault
		want   want
	}{
		"an id with a fraction":  {0, oddly(http.StatusOK, `"id":ID.0,"result":{"content":[{"type":"text","text":"made"}]}`), want{0, "done"}},
		"no in words":            {0, oddly(http.StatusOK, `"id":ID,"result":{"content":[{"type":"text","text":"{\"status\":-1}"}]}`), want{exitError, "failed"}},
		"wrong parameters":       {0, oddly(http.StatusOK, `"id":ID,"error":{"code":-32602,"message":"no"}`), want{exitError, "failed"}},
		"internal error":         {0, oddly(http.StatusOK, `"id":ID,"error":{"code":-32603,"message":"no"}`), want{exitUnknown, "unknown"}},
		"a gateway's time-out":   {0, oddly(http.StatusGatewayTimeout, `"id":null,"error":{"code":-32000,"message":"no"}`), want{exitUnknown, "unknown"}},
		"modern, internal error": {sandbox.EraModern, oddly(http.StatusOK, `"id":ID,"error":{"code":-32603,"message":"no"}`), want{exitUnknown, "unknown"}},
		"modern, unknown result": {sandbox.EraModern, oddly(http.StatusOK, `"id":ID,"result":{"resultType":"task"}`), want{exitUnknown, "unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := newWorld(t), &fault.Injector{}
			sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap, Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Era: c.era}}})
			w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --user A`)
			w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
			in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1, c.answer)
			r := w.must(w.payu("call", "--json", "--timeout=20s", create, `{"invoiceNumber":"I","amount":1}`), c.want.code)
			if named := strings.Contains(r.stdout, `"entry":"`); named != (c.want.code == exitUnknown) {
				t.Errorf("%+v", r)
			}
			if list := w.must(w.payu("journal"), 0).stdout; strings.Count(list, create) != 1 || !strings.Contains(list, "  "+c.want.outcome+"  ") {
				t.Errorf("the journal: %s", list)
			}
			if c.want.code == exitUnknown {
				w.must(w.payu("call", create, `{}`, "--no-journal"), exitUnknown)
			}
		})
	}
}
