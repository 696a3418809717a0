package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// hostFiles are where hosts keep their configuration, below the home.
func hostFiles() []string {
	return []string{
		".claude.json", ".claude/settings.json", ".codex/config.toml", ".config/Claude/claude_desktop_config.json", ".config/Code/User/mcp.json",
		".cursor/mcp.json", ".gemini/settings.json", ".mcp.json", ".vscode/mcp.json", "Library/Application Support/Claude/claude_desktop_config.json",
	}
}

// Only install and uninstall write a host's configuration, which their own tests
// show; all other commands write into their state folder only.
//
//oauth:row X29 cmd/payu-mcp/profile.go "return filepath.Join(stateDir, \"profile-\"+profile+\".json\")" => "return filepath.Join(stateDir, \"..\", \"home\", \".mcp.json\")"
//oauth:row X29 cmd/payu-mcp/commands.go "{\"version\", newVersionCmd}," => "{\"version\", newVersionCmd}, {\"configure\", func() *cobra.Command { return &cobra.Command{Use: \"configure\", Run: func(*cobra.Command, []string) {}} }},"
func TestHostFiles_everyCommand_leavesThemAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	content := func(name string) string {
		if filepath.Ext(name) == ".toml" {
			return "[mcp_servers]\n"
		}
		return "{\"mcpServers\":{}}\n"
	}
	for _, name := range hostFiles() {
		file := w.path("home", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := w.homeFiles()

	known := []string{"call", "completion", "demo", "doctor", "help", "install", "journal", "login", "logout", "logs", "status", "tools", "uninstall", "version"}
	var offers []string
	for _, m := range regexp.MustCompile(`(?m)^  (\w+)`).FindAllStringSubmatch(section(w.must(w.payu("--help"), 0).stdout, "Available Commands:"), -1) {
		offers = append(offers, m[1])
	}
	if !slices.Equal(offers, known) {
		t.Errorf("the commands are %q; say in docs/security.md what a new one writes", offers)
	}
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	h := w.startHost()
	h.initialize()
	h.works()
	h.end()
	for _, args := range [][]string{{"tools"}, {"call", "health_check"}, {"status"}, {"doctor"}, {"logs"}, {"journal"}, {"version"}, {"completion", "bash"}, {"demo"}, {"logout"}, {"install", "--list"}, {"install", "--print", "--all"}, {"install", "--dry-run"}, {"uninstall", "--dry-run"}} {
		w.must(w.payu(args...), 0)
	}

	own := w.path("home", ".local", "state", "payu-mcp", "folders.json") // where else login has written
	if after := slices.DeleteFunc(w.homeFiles(), func(name string) bool { return name == own }); !slices.Equal(after, before) {
		t.Errorf("the home holds %q, before %q", after, before)
	}
	for _, name := range hostFiles() {
		if text, err := os.ReadFile(w.path("home", filepath.FromSlash(name))); err != nil || string(text) != content(name) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// section is the paragraph of a help text below a heading.
func section(help, heading string) string {
	_, rest, _ := strings.Cut(help, heading+"\n")
	text, _, _ := strings.Cut(rest, "\n\n")
	return text
}

// homeFiles lists the files below the home.
func (w *world) homeFiles() []string {
	w.t.Helper()
	var found []string
	err := filepath.WalkDir(w.path("home"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
	return found
}
