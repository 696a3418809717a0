package hosts

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// inspect starts the Inspector for one request and returns the result.
func (c *computer) inspect(args ...string) json.RawMessage {
	c.t.Helper()
	command, entry, env := c.entry()
	line := []string{filepath.Join(at.shared, "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js"), "--cli"}
	for _, v := range with(env) {
		line = append(line, "-e", v)
	}
	line = append(append(line, command), entry...)
	printed, _ := c.run(nil, at.node, append(line, args...)...)
	if !json.Valid([]byte(printed)) {
		c.t.Fatalf("the Inspector prints no JSON: %s", printed)
	}
	return json.RawMessage(printed)
}

// The Inspector starts the bridge for each request: each of them is a restart.
func TestInspector_firstDays(t *testing.T) {
	c := newComputer(t, sandbox.Options{})
	list := func() []string { t.Helper(); return toolNames(c.inspect("--method", "tools/list")) }
	call := func(what string, args ...string) {
		t.Helper()
		if got := string(c.inspect(append([]string{"--method", "tools/call"}, args...)...)); !strings.Contains(got, payuAnswer) {
			t.Errorf("%s: %s, want PayU's answer", what, got)
		}
	}
	c.onlyOurs("first use", list())
	c.opened("a list does not sign in", "", 0)
	call("a call signs in", "--tool-name", "payu_call_tool", "--tool-arg", "name="+payuTool)
	c.opened("first use", "bridge", 1)

	c.onlyPayUs("after the sign-in", list())
	call("a call after a restart", "--tool-name", payuTool)
	c.opened("after the sign-in", "bridge", 1)

	// PayU ends it: the bridge that finds out is another one than that of the call.
	c.sb.RevokeFromDashboard("A")
	c.onlyPayUs("after a revocation", list())
	c.opened("a list does not sign in again", "bridge", 1)
	call("a call signs in again", "--tool-name", payuTool)
	c.opened("after a revocation", "bridge", 2)
}
