package e2e

import (
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Nothing that somebody types after `payu-mcp call` gets a tool that writes past the
// brakes of the profile: no option, no variable, no spelling, no other message in
// the arguments.
func TestShell_brakesOfTheProfile_noWayRound(t *testing.T) {
	t.Parallel()
	for name, knobs := range map[string]sandbox.MCPKnobs{
		"legacy, paged": {Tools: sandbox.ToolKnobs{PageSize: 4}}, "modern": {Era: sandbox.EraModern, Answer: sandbox.AnswerSSE},
		"no annotations": {Tools: sandbox.ToolKnobs{Annotations: sandbox.AnnotationsAbsent}},
	} {
		for _, brake := range []string{"--read-only", "--allow-tool=health_check", "--block-tool=*paymentLink*"} {
			t.Run(name+" "+brake, func(t *testing.T) {
				t.Parallel()
				w, sb := shellWorld(t, knobs, brake)
				for _, variable := range []string{"READ_ONLY=false", "ALLOW_TOOL=*", "BLOCK_TOOL=nothing", "CONFIRM=false"} {
					name, value, _ := strings.Cut(variable, "=")
					w.setenv("PAYU_MCP_"+name, value)
				}
				const arguments = `{"invoiceNumber":"X","amount":1}`
				for _, args := range [][]string{
					{create, arguments},
					{create, arguments, "--read-only=false"},
					{create, arguments, "--allow-tool=" + create},
					{create, arguments, "--allow-tool="},
					{create, arguments, "--block-tool="},
					{create, arguments, "--block-tool=x", "--no-journal"},
					{strings.ToUpper(create), arguments},
					{create + " ", arguments},
					{create + "\n", arguments},
					{" " + create, arguments},
					{create + "\u200b", arguments},
					{"payLinks_paymentLink_cre\u0430te", arguments}, // a letter of another script
					{"payu_call_tool", `{"name":"` + create + `","arguments":` + arguments + `}`},
					{"health_check", `{"name":"` + create + `","method":"tools/call","params":{"name":"` + create + `"}}` + "\n" + `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"` + create + `"}}`},
				} {
					r := w.payu(append([]string{"call"}, args...)...)
					if r.code != exitError && r.code != exitUsage || !strings.Contains(r.stderr, "payu-mcp: error:") {
						t.Errorf("%q: %+v", args, r)
					}
				}
				sawNoCall(t, sb)
				if r := w.must(w.payu("tools"), 0); strings.Contains(r.stdout, create) || !strings.Contains(r.stderr, "more held back") {
					t.Errorf("%+v", r)
				}
			})
		}
	}
}

// The key of the login cannot be had: the exit code says so, and nothing is sent.
func TestShell_keychainLocked_nothingIsSent(t *testing.T) {
	t.Parallel()
	g, s := keychainLogin(t)
	s.set(map[string]manner{"Unlock": isDismissed})
	r := g.w.must(g.w.payu("call", "health_check", "--json"), exitNoKeychain)
	if !strings.Contains(r.stderr, "it is locked") || !strings.Contains(r.stdout, `"kind":"token"`) {
		t.Errorf("%+v", r)
	}
	if n := g.sb.Log().Len() - g.log; n > 0 {
		t.Errorf("%d requests were sent", n)
	}
	g.kept()
	g.w.nothingLeft()
	g.w.noLeaks(g.sb.Secrets())
}
