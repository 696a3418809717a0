package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// desktop is Claude Desktop as it was measured (HOSTS H18): 2025-11-25, no
// capabilities, no progress token, one list at the start and never again,
// list_changed discarded, 60 s for each answer. Its transcript is test output.
type desktop struct {
	*host

	t    *testing.T
	day  string
	seen []string // the tools that its model knows
}

const transcriptWidth = 240

func (d *desktop) note(who string, what any) {
	line, err := json.Marshal(what)
	if err != nil {
		d.t.Fatal(err)
	}
	text := string(line)
	if len(text) > transcriptWidth {
		text = text[:transcriptWidth] + fmt.Sprintf("... (%d bytes)", len(line))
	}
	d.t.Logf("%s  %s %s", d.day, who, text)
}

// asks sends a request and returns its result, which must be one.
func (d *desktop) asks(method string, params any) json.RawMessage {
	d.t.Helper()
	d.note("host ->", map[string]any{"method": method, "params": params})
	m := d.ask(method, params)
	if m.Error != nil {
		d.t.Fatalf("%s: an error that Claude Desktop would hide: %s", method, m.Error)
	}
	d.note("host <-", m.Result)
	return m.Result
}

// startDesktop starts the program in the morning.
func startDesktop(w *world, day string) *desktop {
	w.t.Helper()
	return openDesktop(w.startHost(), day)
}

// openDesktop is what Claude Desktop says to a bridge that it has started.
func openDesktop(h *host, day string) *desktop {
	h.w.t.Helper()
	d := &desktop{host: h, t: h.w.t, day: day}
	d.asks("initialize", map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "claude-ai", "version": "0.1.0"},
	})
	d.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	var r struct{ Tools []struct{ Name string } }
	if err := json.Unmarshal(d.asks("tools/list", map[string]any{}), &r); err != nil {
		d.t.Fatal(err)
	}
	for _, tool := range r.Tools {
		d.seen = append(d.seen, tool.Name)
	}
	for _, list := range []string{"prompts/list", "resources/list"} {
		if m := d.ask(list, map[string]any{}); m.Error != nil {
			d.note("host <-", m.Error) // as it is: Claude Desktop asks for what it was promised
		}
	}
	return d
}

// uses calls a tool that the model knows, and returns the text.
func (d *desktop) uses(tool string, args map[string]any) (text string, isError bool) {
	d.t.Helper()
	if !slices.Contains(d.seen, tool) {
		d.t.Fatalf("the model knows no %s, only %q", tool, d.seen)
	}
	var r toolResult
	if err := json.Unmarshal(d.asks("tools/call", map[string]any{"name": tool, "arguments": args}), &r); err != nil || len(r.Content) == 0 {
		d.t.Fatalf("%s: %v", tool, err)
	}
	return r.Content[0].Text, r.IsError
}

// payuWorld makes the world in which the endpoint is PayU's own, by its names, and
// nobody is signed in: the settings of an earlier login are still there.
func payuWorld(t *testing.T) (*world, *sandbox.Sandbox) {
	t.Helper()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{TLS: true, HTTP2: true, PayUNames: true})
	ca := w.path("ca.pem")
	if err := os.WriteFile(ca, sb.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Only the person's browser has the variables; a host strips them.
	w.setenv("PAYU_MCP_BROWSER", fmt.Sprintf("env HTTPS_PROXY=%s SSL_CERT_FILE=%s %q visit", sb.ProxyURL(), ca, self))
	w.must(w.payu("login", "--store=file", "--proxy", sb.ProxyURL(), "--ca-file", ca), 0)
	w.must(w.payu("logout"), 0)
	return w, sb
}

func TestClaudeDesktop_dayOne_nextDay_revoked(t *testing.T) {
	t.Parallel()
	w, sb := payuWorld(t)
	liveThrough(w, sb, func(day string) *desktop { return startDesktop(w, day) })
}

// liveThrough is the story of the first days, with whatever program start starts.
func liveThrough(w *world, sb *sandbox.Sandbox, start func(day string) *desktop) {
	t := w.t
	t.Helper()
	before := sb.Log().Len()

	d := start("day one")
	if !slices.Equal(d.seen, ownTools()) {
		t.Fatalf("the model knows %q", d.seen)
	}
	if n := sb.Log().Len() - before; n != 0 {
		t.Errorf("%d requests before anybody called a tool", n)
	}
	if text, isError := d.uses("payu_login", map[string]any{}); isError || !strings.Contains(text, "You are signed in") {
		t.Errorf("payu_login: %s", text)
	}
	if text, isError := d.uses("payu_list_tools", map[string]any{}); isError || !strings.Contains(text, "list_available_team_accounts") {
		t.Errorf("payu_list_tools: %s", text)
	}
	accounts := map[string]any{"name": "list_available_team_accounts", "arguments": map[string]any{}}
	if text, isError := d.uses("payu_call_tool", accounts); isError || !strings.Contains(text, "180012") {
		t.Errorf("no result of PayU's: %s", text)
	}
	d.end()

	d = start("next day")
	if text, isError := d.uses("list_available_team_accounts", map[string]any{}); isError || !strings.Contains(text, "180012") {
		t.Errorf("no result of PayU's: %s", text)
	}
	if n := sb.Log().Count(sandbox.Query{Grant: "authorization_code", Status: 200, After: before}); n != 1 {
		t.Errorf("%d sign-ins by the next day", n)
	}

	sb.RevokeFromDashboard("B")
	d.day = "revoked"
	if text, isError := d.uses("list_available_team_accounts", map[string]any{}); isError || !strings.Contains(text, "180012") {
		t.Errorf("after the revocation: %s", text)
	}
	d.end()
	if n := sb.Log().Count(sandbox.Query{Grant: "authorization_code", Status: 200, After: before}); n != 2 {
		t.Errorf("%d sign-ins in all", n)
	}
	d = start("day three")
	if len(d.seen) != 13 {
		t.Errorf("the model knows %q", d.seen)
	}
	d.end()
	w.must(w.payu("logout"), 0)
	w.noLeaks(sb.Secrets())
}
