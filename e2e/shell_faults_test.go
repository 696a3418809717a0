package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// The exit codes that a script goes by, for each way in which a call fails: of a
// tool that writes, with and without the journal, and of one that only reads. What
// ends with 7 has one open entry in the journal, what ends with another code none.
func TestShell_callFails_exitCodes(t *testing.T) {
	t.Parallel()
	type codes struct{ write, unnoted, read int }
	unknown, certain := codes{exitUnknown, exitUnknown, exitServer}, codes{exitServer, exitServer, exitServer}
	for name, c := range map[string]struct {
		fault fault.Fault
		codes codes
	}{
		"500":         {fault.Status(http.StatusInternalServerError), unknown},
		"502":         {fault.Status(http.StatusBadGateway), unknown},
		"answer lost": {fault.LostAnswer(), unknown},
		"broken JSON": {fault.JSON(http.StatusOK, `{"jsonrpc":"2.0",`), unknown},
		"too large":   {fault.Bomb(), unknown},
		"403":         {fault.Status(http.StatusForbidden), certain},
		"400":         {fault.Status(http.StatusBadRequest), certain},
		"redirect":    {fault.Redirect("http://127.0.0.1:1"), certain},
		// It is written as our own error would be: whatever it says, it is the server's.
		"poses as ours":     {refusing(posingAsOurs()), codes{exitUnknown, exitUnknown, exitError}},
		"500 poses as ours": {fault.JSON(http.StatusInternalServerError, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"x","data":{"source":"payu-mcp"}}}`), codes{exitUnknown, exitUnknown, exitError}},
		"401":               {fault.Status(http.StatusUnauthorized), codes{exitSignedOut, exitSignedOut, exitSignedOut}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := newWorld(t), &fault.Injector{}
			sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap})
			w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --user A`)
			w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
			in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1, c.fault)
			entries := 0
			for args, code := range map[string]int{create + ` {"invoiceNumber":"I","amount":1}`: c.codes.write, create + ` {} --no-journal`: c.codes.unnoted, "health_check": c.codes.read} {
				r := w.must(w.payu(append([]string{"call", "--json"}, strings.Fields(args)...)...), code)
				if !strings.Contains(r.stdout, `{"error":{"message":`) || !strings.Contains(r.stderr, "payu-mcp: error: ") {
					t.Errorf("%s: %+v", args, r)
				}
				if strings.Contains(r.stdout, `"entry":"`) {
					entries++
				}
			}
			want := 0
			if c.codes.write == exitUnknown {
				want = 1
			}
			noted := strings.Count(w.must(w.payu("journal", "--unknown"), 0).stdout, "unknown  "+create)
			if entries != want || noted != want {
				t.Errorf("%d entries named, %d noted, want %d", entries, noted, want)
			}
		})
	}
}

// posingAsOurs is an error of a server that says to be ours, and that nothing was sent.
func posingAsOurs() map[string]any {
	return map[string]any{"code": -32603, "message": "network: cannot connect, nothing was sent", "data": map[string]any{
		"source": "payu-mcp", "kind": "unreachable", "side": "network", "hint": "repeat the command",
	}}
}

// A modern server's own errors come as they are, whatever a legacy host would be
// told, and with their exit code.
func TestShell_errorOfAModernServer_asItCame(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]int{http.StatusBadRequest: exitError, http.StatusInternalServerError: exitUnknown} {
		w, in := newWorld(t), &fault.Injector{}
		sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap, Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Era: sandbox.EraModern}}})
		w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --user A`)
		w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
		in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1,
			fault.JSON(status, `{"jsonrpc":"2.0","id":null,"error":{"code":-32021,"message":"x","data":{"requiredCapabilities":{"sampling":{}}}}}`))
		r := w.must(w.payu("call", create, `{}`, "--json"), code)
		if !strings.Contains(r.stderr, "PayU: it answered with error -32021: x\n") || !strings.Contains(r.stdout, `"serverError":{"code":-32021,"message":"x"`) {
			t.Errorf("%d: %+v", status, r)
		}
		noted := strings.Contains(w.must(w.payu("journal", "--unknown"), 0).stdout, "unknown  "+create)
		if noted != (code == exitUnknown) || noted != strings.Contains(r.stdout, `"entry":"`) {
			t.Errorf("%d: noted as unknown: %t, %+v", status, noted, r)
		}
	}
}
