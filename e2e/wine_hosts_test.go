package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// unixPath is where a path of Wine's programs is on this computer.
func (v *windows) unixPath(path string) string {
	path = strings.ReplaceAll(path, `\`, "/")
	if rest, ok := strings.CutPrefix(path, "C:"); ok {
		return filepath.Join(v.prefix, "drive_c", rest)
	}
	return strings.TrimPrefix(path, "Z:")
}

// variable asks Wine for one that it makes itself.
func (v *windows) variable(w *world, name string) string {
	w.t.Helper()
	return strings.TrimSpace(v.run(w, "", "cmd", "/c", "echo %"+name+"%").stdout)
}

// hostFiles is a person's day with Claude Desktop: the entry is written into the file
// under %APPDATA%, a host starts what it says, and everything is looked at and taken
// back.
func (v *windows) hostFiles(t *testing.T) {
	w := v.world(t)
	sb := startSandbox(t, sandbox.Options{})
	file := filepath.Join(v.unixPath(v.variable(w, "APPDATA")), "Claude", "claude_desktop_config.json")
	const before = "{\r\n\t\"mcpServers\": {\r\n\t\t\"other\": {\"command\": \"C:\\\\x.exe\"}\r\n\t}\r\n}\r\n"
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	v.listed(w, "absent")
	w.must(v.payu(w, "login", "--url", sb.Endpoint()), 0)
	w.must(v.payu(w, "install", "--client", "claude-desktop", "--yes"), 0)
	v.listed(w, "ours")
	var config struct {
		Servers map[string]struct {
			Command string   `json:"command"`
			Args    []string `json:"args"`
		} `json:"mcpServers"`
	}
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &config) != nil || strings.Count(string(text), "\n") != strings.Count(string(text), "\r\n") {
		t.Fatalf("the file is now %q, %v", text, err)
	}
	entry := config.Servers["payu"]
	if len(config.Servers) != 2 || entry.Command != windowsPath(v.exe("payu-mcp")) {
		t.Fatalf("the servers are now %+v", config.Servers)
	}
	h := w.startBehind(wine64, append([]string{entry.Command}, entry.Args...)...)
	h.initialize()
	h.works()
	v.examined(w)
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	w.must(v.payu(w, "uninstall", "--client", "claude-desktop", "--yes"), 0)
	if text, err := os.ReadFile(file); err != nil || string(text) != before {
		t.Errorf("after uninstall the file is %q, %v", text, err)
	}
	w.must(v.payu(w, "logout"), 0)
	w.noLeaks(sb.Secrets())
}

// listed wants Claude Desktop in the list of hosts, found and with an entry in a state.
func (v *windows) listed(w *world, state string) {
	w.t.Helper()
	r := w.must(v.payu(w, "install", "--list"), 0)
	for line := range strings.Lines(r.stdout) {
		if f := strings.Fields(line); len(f) > 4 && f[0] == "claude-desktop" {
			if f[1] != "yes" || f[3] != state || f[4] != `~\AppData\Roaming\Claude\claude_desktop_config.json` {
				w.t.Errorf("Claude Desktop is listed as %q, want %s", line, state)
			}
			return
		}
	}
	w.t.Errorf("Claude Desktop is not listed:\n%s", r.stdout)
}

// examined wants doctor content with what is special on Windows, and a log to show.
func (v *windows) examined(w *world) {
	w.t.Helper()
	r := v.payu(w, "doctor", "--json")
	var c checkup
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil {
		w.t.Fatalf("doctor: %v\n%s%s", err, r.stdout, r.stderr)
	}
	for _, id := range []string{"keychain", "callback", "browser", "state", "login", "remote", "host:claude-desktop", "bridges", "log"} {
		if l := c.line(id); l.Result != "ok" {
			w.t.Errorf("doctor says of %s: %+v", id, l)
		}
	}
	if r := w.must(v.payu(w, "logs", "--lines", "1000"), 0); !strings.Contains(r.stdout, "method=tools/call") {
		w.t.Errorf("the log has no call:\n%s%s", r.stdout, r.stderr)
	}
}
