package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inspect runs the Inspector as host on the built bridge and decodes its answer.
func (w *world) inspect(result any, args ...string) {
	w.t.Helper()
	program := filepath.Join(npmDir, "node_modules", "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")
	line := []string{program, "--cli"}
	for _, v := range w.env {
		if strings.HasPrefix(v, "PAYU_MCP_") || strings.HasPrefix(v, "DBUS_") || strings.HasPrefix(v, "XDG_") {
			line = append(line, "-e", v)
		}
	}
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	line = append(line, self, "tee", w.path("logs", "inspected"), binary)
	r := w.must(w.run(node, append(line, args...)...), 0)
	if err := json.Unmarshal([]byte(r.stdout), result); err != nil {
		w.t.Fatalf("the Inspector prints no JSON: %v\n%s%s", err, r.stdout, r.stderr)
	}
}

// onlyMessages checks a copy of the bridge's stdout, line by line.
func (w *world) onlyMessages(file string) {
	w.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil || len(data) == 0 {
		w.t.Fatalf("no copy of the bridge's stdout: %v", err)
	}
	for line := range bytes.Lines(data) {
		if _, err := wellFormed(line); err != nil {
			w.t.Errorf("a line on stdout is no JSON-RPC message: %v: %.200s", err, line)
		}
	}
}

func TestInspector_host_listsAndCallsTools(t *testing.T) {
	t.Parallel()
	w, s, _ := signedIn(t, "inspector")

	var list struct{ Tools []struct{ Name string } }
	w.inspect(&list, "--method", "tools/list")
	if !slices.ContainsFunc(list.Tools, func(tool struct{ Name string }) bool { return tool.Name == "echo" }) {
		t.Errorf("tools/list gave %v, want echo among them", list.Tools)
	}
	var answer toolResult
	w.inspect(&answer, "--method", "tools/call", "--tool-name", "echo", "--tool-arg", "message=through")
	if len(answer.Content) == 0 || !strings.Contains(answer.Content[0].Text, "through") {
		t.Errorf("echo gave %+v", answer)
	}
	if n := len(s.granted("authorization_code")); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	w.onlyMessages(w.path("logs", "inspected"))
	w.noLeaks(s.secrets())
}
