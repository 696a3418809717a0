package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func createLink(invoice string) map[string]any {
	return map[string]any{"name": "payLinks_paymentLink_create", "arguments": map[string]any{"invoiceNumber": invoice, "amount": 10, "customerName": "A", "customerEmail": "a@shop.example", "description": "d"}}
}

// run runs a command that must end with a code, and returns what it printed.
func (c *computer) run(code int, args ...string) string {
	c.t.Helper()
	cmd := c.command(args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		c.t.Fatalf("%s: %v\n%s", args, err, out)
	}
	return string(out)
}

// What the profile forbids, no entry and no environment of a host can allow.
func TestBrakes_profileAndEntry_onlyTighten(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.run(0, "login", "--url", c.sandbox.Endpoint(), "--read-only", "--block-tool", "reporting_*", "--block-tool", "health_check")
	for _, entry := range [][]string{
		{}, {"--read-only=false"}, {"--read-only=false", "--block-tool=", "--allow-tool", "*"}, {"--confirm"}, {"--allow-tool", "payLinks_*"},
	} {
		h, _ := c.host(entry...)
		handshake(t, h)
		a, err := h.ask(t.Context(), "tools/list", map[string]any{})
		if err != nil || len(a.Result.Tools) == 0 {
			t.Fatalf("%s: %v %+v", entry, err, a)
		}
		for _, tool := range a.Result.Tools {
			if strings.HasPrefix(tool.Name, "reporting_") || strings.HasSuffix(tool.Name, "_create") || tool.Name == "health_check" || tool.Name == "switch_team_account" {
				t.Errorf("%s: %s is listed", entry, tool.Name)
			}
			if strings.Join(entry, "") == "--allow-toolpayLinks_*" && tool.Name != "payLinks_paymentLink_getByInvoiceNumber" {
				t.Errorf("%s: %s is listed", entry, tool.Name)
			}
		}
		for _, call := range []map[string]any{createLink("INV1"), healthCheck(), {"name": "reporting_getReport", "arguments": map[string]any{"reportId": "RPT-1"}}} {
			a, err := h.ask(t.Context(), "tools/call", call)
			if err != nil || !strings.Contains(a.text(), "Nothing was sent to PayU") {
				t.Errorf("%s, %v: %v %q", entry, call["name"], err, a.text())
			}
		}
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	}
	if n := c.sandbox.Executions("payLinks_paymentLink_create", "INV1"); n != 0 {
		t.Errorf("%d links were made", n)
	}
	for _, e := range c.sandbox.Log().Find(sandbox.Query{Path: "/mcp"}) {
		if e.RPC == "tools/call" {
			t.Errorf("the server got a call: %+v", e)
		}
	}
}

// What status shows is what counts: the profile with what is given on top of it.
func TestBrakes_status_showsWhatIsInForce(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.run(0, "login", "--url", c.sandbox.Endpoint())
	if out := c.run(0, "status"); strings.Contains(out, "policy") {
		t.Error(out)
	}
	c.run(0, "login", "--read-only", "--block-tool=a*,b", "--allow-tool=c*", "--confirm")
	if b, err := os.ReadFile(filepath.Join(c.home, "state", "profile-default.json")); err != nil || !strings.Contains(string(b), `"read_only": true`) || !strings.Contains(string(b), `"block_tools": "a*,b"`) {
		t.Errorf("%v %s", err, b)
	}
	c.run(0, "login", "--read-only=false") // the rest stays
	const want = "asks before a tool that may change something; only c*; not a*, b\n"
	if out := c.run(0, "status"); !strings.Contains(out, "policy        "+want) {
		t.Error(out)
	}
	var r struct{ Policy statusPolicy }
	out := c.run(0, "status", "--json", "--read-only", "--allow-tool=*d", "--block-tool=b,e", "--confirm=false")
	if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Policy.ReadOnly || !r.Policy.Confirm ||
		len(r.Policy.AllowTools) != 2 || strings.Join(r.Policy.BlockTools, " ") != "a* b e" {
		t.Errorf("%v %s", err, out)
	}
	if out := c.run(2, "status", "--allow-tool=[a]"); !strings.Contains(out, "in a glob") {
		t.Error(out)
	}
	c.run(0, "login", "--allow-tool=", "--block-tool=", "--confirm=false")
	if out := c.run(0, "status"); strings.Contains(out, "policy") {
		t.Error(out)
	}
}

// A brake that cannot be read is no reason to drive without it.
func TestBrakes_damagedProfile_noBridge(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.login()
	file := filepath.Join(c.home, "state", "profile-default.json")
	for _, text := range []string{`{"block_tools":["a"]}`, `{"block_tools":"a b"}`, `{"read_only":"yes"}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		h, stderr := c.host()
		if err := h.stop(); err == nil || !strings.Contains(stderr.String(), "profile") {
			t.Errorf("%s: %v %s", text, err, stderr)
		}
	}
}

// A tool that may change something and is described in another way is told once in
// the log, and by status until it is acknowledged or somebody signs in anew.
func TestChangedTools_toldOnceAndByStatus(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.login()
	logFile := filepath.Join(c.home, "bridge.log")
	lists := func() (lines int) {
		t.Helper()
		h, _ := c.host("--log-file", logFile)
		handshake(t, h)
		if a, err := h.ask(t.Context(), "tools/list", map[string]any{}); err != nil || len(a.Result.Tools) != 13 {
			t.Fatalf("%v %+v", err, a)
		}
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(logFile)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "in another way than before")
	}
	if n := lists(); n != 0 || strings.Contains(c.run(0, "status"), "changed") {
		t.Errorf("%d lines before any change", n)
	}
	c.sandbox.Change(func(k *sandbox.Knobs) { k.MCP.Tools.Annotations = sandbox.AnnotationsLying })
	for range 2 {
		if n := lists(); n != 1 {
			t.Errorf("%d lines after a change", n)
		}
	}
	const shown = "changed       the tool payLinks_paymentLink_create: its annotations, seen 2"
	if out := c.run(0, "status"); !strings.Contains(out, shown) || strings.Contains(out, "health_check") {
		t.Error(out)
	}
	if out := c.run(0, "status", "--json"); !strings.Contains(out, `"name": "payLinks_paymentLink_create"`) {
		t.Error(out)
	}
	if out := c.run(0, "status", "--acknowledge"); !strings.Contains(out, shown) {
		t.Error(out)
	}
	if out := c.run(0, "status"); strings.Contains(out, "changed") {
		t.Error(out)
	}
	c.sandbox.Change(func(k *sandbox.Knobs) { k.MCP.Tools.Annotations = sandbox.AnnotationsAbsent })
	if n := lists(); n != 2 {
		t.Errorf("%d lines after the second change", n)
	}
	c.sandbox.Change(func(k *sandbox.Knobs) { k.MCP.Tools.Annotations = sandbox.AnnotationsRight })
	if out := c.run(0, "login"); !strings.Contains(out, "changed    the tool payLinks_paymentLink_create: its annotations") {
		t.Error(out)
	}
	if out := c.run(0, "status"); strings.Contains(out, "changed") {
		t.Error(out)
	}
}

// What could not be shown is not acknowledged.
func TestChangedTools_statusCannotBeShown_staysUnseen(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no device that is always full")
	}
	defer full.Close()
	c := newComputer(t, sandbox.Options{})
	c.login()
	newChangedTools(filepath.Join(c.home, "state"), "default", c.sandbox.Endpoint(), slog.New(slog.DiscardHandler)).note([]policy.Change{{Name: "refund", What: []string{"description"}, Sum: "1"}})
	unread := c.command("status", "--acknowledge")
	unread.Stdout = full
	if err := unread.Run(); err == nil {
		t.Error("a status that nobody can read is no error")
	}
	if out := c.run(0, "status"); !strings.Contains(out, "the tool refund: its description") {
		t.Error(out)
	}
}
