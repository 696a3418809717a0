package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// start is how a host starts a bundle.
type start struct {
	Command string
	Args    []string
	Env     map[string]string
}

// unpacked installs the bundle as Claude Desktop does: the format's own library
// unpacks it, and makes the command line of the values of the form.
func (w *world) unpacked(form string) start {
	w.t.Helper()
	dir := w.path("extension")
	w.mcpb("unpack", bundleFile(packages(w.t)), dir)
	r := w.must(w.run(node, filepath.Join(npmDir, "bundle.mjs"), dir, form), 0)
	var s start
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
		w.t.Fatalf("%v: %s", err, r.stdout)
	}
	return s
}

// mcpb runs the tool of the format.
func (w *world) mcpb(args ...string) string {
	w.t.Helper()
	program := filepath.Join(npmDir, "node_modules", "@anthropic-ai", "mcpb", "dist", "cli", "cli.js")
	return w.must(w.run(node, append([]string{program}, args...)...), 0).stdout
}

// host starts the bridge of a bundle. The form's variables are for it alone.
func (s start) host(w *world) *host {
	w.t.Helper()
	before := slices.Clone(w.env)
	for name, value := range s.Env {
		w.setenv(name, value)
	}
	h := w.startBehind(s.Command, s.Args...)
	w.env = before
	return h
}

func TestBundle_tools_acceptIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := packages(t)
	if a, b := checksum(t, bundleFile(dir)), checksum(t, bundleFile(filepath.Join(dir, "again"))); a != b {
		t.Errorf("two runs gave %s and %s", a, b)
	}
	w.mcpb("unpack", bundleFile(dir), w.path("extension"))
	if says := w.mcpb("validate", w.path("extension")); !strings.Contains(says, "Manifest schema validation passes!") || !strings.Contains(says, "Icon validation passed") {
		t.Errorf("mcpb validate: %s", says)
	}
	if says := w.mcpb("info", bundleFile(dir)); !strings.Contains(says, "payu-mcp_"+packagesVersion+".mcpb") {
		t.Errorf("mcpb info: %s", says)
	}
}

// What people do to the form, and what the bridge makes of it.
func TestBundle_form_becomesOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.visitor()
	for _, profile := range []string{"default", "shop2"} {
		w.must(w.payu("login", "--profile", profile, "--url", sb.Endpoint(), "--store=file"), 0)
	}
	w.must(w.payu("logout", "--profile", "shop2"), 0)
	for form, c := range map[string]struct {
		tools    []string // some that it shows
		readOnly bool
	}{
		`{}`:                                   {[]string{"health_check", create}, false},
		`{"profile":"","read_only":false}`:     {[]string{"health_check", create}, false},
		`{"profile":"default"}`:                {[]string{"health_check", create}, false},
		`{"read_only":true}`:                   {[]string{"health_check"}, true},
		`{"profile":"shop2"}`:                  {ownTools(), false},
		`{"profile":"shop2","read_only":true}`: {ownTools(), false},
	} {
		s := w.unpacked(form)
		h := s.host(w)
		var opening struct {
			ServerInfo struct{ Name, Version string }
		}
		h.get("initialize", initializing(), &opening)
		h.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
		seen := h.tools()
		for _, tool := range c.tools {
			if !slices.Contains(seen, tool) {
				t.Errorf("%s: %v lacks %s", form, seen, tool)
			}
		}
		if c.readOnly && slices.Contains(seen, create) {
			t.Errorf("%s: %v has %s", form, seen, create)
		}
		if code := h.end(); code != 0 {
			t.Errorf("%s: it ended with %d", form, code)
		}
	}
	// A host that cannot fill in the form must not come to a bridge without brakes.
	for _, bad := range []string{"", "${user_config.read_only}"} {
		w.must(w.payu("--read-only="+bad), exitUsage)
	}
	w.nothingLeft()
}

// The story of TestClaudeDesktop_dayOne_nextDay_revoked, told by the program in
// the bundle, with a form whose profile somebody has emptied.
func TestBundle_claudeDesktop_dayOne(t *testing.T) {
	t.Parallel()
	w, sb := payuWorld(t)
	s := w.unpacked(`{"profile":""}`)
	if !strings.HasPrefix(s.Command, w.path("extension")) {
		t.Fatalf("it starts %s", s.Command)
	}
	if r := w.must(w.run(s.Command, "version"), 0); !strings.HasPrefix(r.stdout, "payu-mcp v"+packagesVersion+" ") {
		t.Errorf("it is %s", r.stdout)
	}
	liveThrough(w, sb, func(day string) *desktop { return openDesktop(s.host(w), day) })
}
