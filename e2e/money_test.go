package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const writer = "switch_team_account" // a tool that changes something

// The host gives up without a word and the person is still at the sign-in page.
// What the host asked for then must not happen later. The
// clock is the real one.
func TestMoney_hostGivesUpAt30SignInAt40_nothingExecuted(t *testing.T) {
	t.Parallel()
	c := newcomers(t)
	opened := c.w.browser()
	h := c.launch()
	h.initialize()
	call := map[string]any{"name": writer, "arguments": map[string]any{"identifier": "180045"}}
	late := time.After(40 * time.Second)
	answer := h.begin("tools/call", call)
	c.w.eventually("the browser is opened", answerLimit, func() bool { return len(opened()) == 1 })
	<-late // the host has stopped to wait ten seconds ago, and nobody can see that
	c.w.visit(c.sb, opened()[0])
	m := <-answer
	if !strings.Contains(string(m.Result), "Nothing was sent to PayU") {
		t.Errorf("the call was answered with %s%s", m.Result, m.Error)
	}
	executed := func() int { return c.sb.Log().Count(sandbox.Query{Tool: writer}) }
	if n := executed(); n != 0 {
		t.Errorf("the call that the host had given up reached PayU %d times", n)
	}
	h.get("tools/call", call, &toolResult{})
	if n := executed(); n != 1 {
		t.Errorf("the call that was repeated reached PayU %d times, want 1", n)
	}
	h.end()
	c.w.nothingLeft()
}

// Two hosts before a server that keeps the selected merchant with the sign-in
// (PAYU U10). With one profile the one works on the other's merchant; that is
// why a host can have a profile of its own.
func TestMoney_merchantPerSignIn_ownProfilesKeepThemApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		profiles [2]string
		first    string // the merchant that the first host works on
	}{
		"one profile":  {[2]string{"default", "default"}, "180078"},
		"own profiles": {[2]string{"shop", "app"}, "180045"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sb := startSandbox(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Merchant: sandbox.MerchantKnobs{PerGrant: true}}}})
			w.visitor()
			var hosts [2]*host
			for i, profile := range c.profiles {
				if i == 0 || profile != c.profiles[0] {
					w.must(w.payu("login", "--profile", profile, "--url", sb.Endpoint(), "--store=file"), 0)
				}
				hosts[i] = w.startHost("--profile", profile)
				hosts[i].initialize()
			}
			for i, merchant := range []string{"180045", "180078"} {
				if r := hosts[i].call(writer, map[string]any{"identifier": merchant}); r.IsError {
					t.Fatalf("selecting %s: %+v", merchant, r)
				}
			}
			for i, want := range []string{c.first, "180078"} {
				r := hosts[i].call("get_current_team_account", map[string]any{})
				if len(r.Content) != 1 || !strings.Contains(r.Content[0].Text, want) {
					t.Errorf("host %d works on %+v, want %s", i+1, r.Content, want)
				}
				t.Logf("host %d: %+v", i+1, r.Content)
				hosts[i].end()
			}
			w.nothingLeft()
		})
	}
}
