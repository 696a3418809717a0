package hosts

import (
	"os"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// reader is a host that says what it has read from its file.
type reader struct {
	id, folder, program string   // for --client; of npm/; the command
	file, text          string   // below the home; what the person has in it
	onNode              bool     // the command is a script
	env                 []string // that it wants
	lists               [][]string
	connects            bool // the list starts the bridge and tells that it answers
}

const jsonWithComments = `{
  // mine
  "mcpServers": {
    "other": { "command": "echo", "args": [] } // late
  }
}
`

func readers() map[string]reader {
	return map[string]reader{
		"gemini": {
			id: "gemini", folder: "gemini", program: "gemini", file: ".gemini/settings.json", text: jsonWithComments,
			env: []string{"GEMINI_CLI_TRUST_WORKSPACE=true"}, lists: [][]string{{"mcp", "list"}}, connects: true,
		},
		"qwen": {
			id: "qwen", folder: "qwen", program: "qwen", file: ".qwen/settings.json", text: jsonWithComments,
			lists: [][]string{{"mcp", "list"}}, connects: true,
		},
		"copilot": {
			id: "copilot", folder: "copilot", program: "copilot", file: ".copilot/mcp-config.json",
			text:  strings.Replace(jsonWithComments, `"command"`, `"type": "local", "tools": ["*"], "command"`, 1),
			lists: [][]string{{"mcp", "list"}, {"mcp", "get", "payu"}},
		},
		"opencode": {
			id: "opencode", folder: "opencode", program: "opencode", file: ".config/opencode/opencode.jsonc",
			text: "{\n  // mine\n  \"mcp\": {\n    \"other\": { \"type\": \"local\", \"command\": [\"echo\"] }, // late\n  },\n}\n",
			env:  []string{"OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_AUTOUPDATE=1"}, lists: [][]string{{"mcp", "list"}}, connects: true,
		},
		"codex": {
			id: "codex", folder: "codex", program: "codex", file: ".codex/config.toml", onNode: true,
			text:  "# mine\nmodel = \"stub\" # good\n\n[mcp_servers.other] # late\ncommand = \"echo\"\n",
			lists: [][]string{{"mcp", "list"}, {"mcp", "get", "payu"}},
		},
		"claude-code": {
			id: "claude-code", folder: "claude-code", program: "claude", file: ".claude.json",
			text: "{\n  \"theme\": \"dark\",\n  \"mcpServers\": {\n    \"other\": {\"type\": \"stdio\", \"command\": \"echo\", \"args\": []}\n  }\n}\n",
			env:  []string{"DISABLE_AUTOUPDATER=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1"}, lists: [][]string{{"mcp", "get", "payu"}, {"mcp", "list"}}, connects: true,
		},
	}
}

// readsBack is the story of a person who has signed in: install, what the host
// itself says of it, uninstall.
func readsBack(t *testing.T, h reader, through bool) {
	t.Helper()
	c := newComputer(t, sandbox.Options{})
	program := c.program(h.folder, h.program)
	c.signIn()
	file := c.path("home", h.file)
	c.write(file, h.text)
	if through { // the host's own program is on PATH
		c.script(h.program, "exec \""+program+"\" \"$@\"\n")
	}
	told := func(args ...string) string {
		t.Helper()
		args = append(args, "--client", h.id, "--yes")
		out := together(c.run(h.env, at.binary, args...))
		t.Logf("payu-mcp %s\n%s", strings.Join(args, " "), out)
		return out
	}
	now := func() string {
		t.Helper()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}

	if !through { // before the host has seen it: hosts write into their files
		told("install")
		told("uninstall")
		if got := now(); got != h.text {
			t.Errorf("after install and uninstall %s is\n%s\nbefore it was\n%s", h.file, got, h.text)
		}
	}
	if out := told("install"); through && !strings.Contains(out, "by its own program: "+h.program+" mcp add -s user payu -- ") {
		t.Errorf("%s was not asked", h.program)
	}
	for _, args := range h.lists {
		out := h.says(c, program, args)
		if !strings.Contains(out, "payu") || args[1] == "get" && !strings.Contains(out, at.binary) {
			t.Errorf("%s %q does not know the entry: %s", h.program, args, out)
		}
		if h.connects && !strings.Contains(strings.ToLower(out), "connected") {
			t.Errorf("%s %q did not get an answer of the bridge", h.program, args)
		}
	}
	for _, comment := range []string{"mine", "late", "good"} {
		if strings.Contains(h.text, comment) && !strings.Contains(now(), comment) {
			t.Errorf("the comment %q is lost:\n%s", comment, now())
		}
	}
	told("uninstall")
	if got := now(); strings.Contains(got, "payu") || !strings.Contains(got, "other") {
		t.Errorf("after uninstall %s is\n%s", h.file, got)
	}
	if out := h.says(c, program, []string{"mcp", "list"}); strings.Contains(out, at.binary) {
		t.Errorf("%s still knows the entry: %s", h.program, out)
	}
}

func (h reader) says(c *computer, program string, args []string) string {
	c.t.Helper()
	line := append([]string{program}, args...)
	if h.onNode {
		line = append([]string{at.node}, line...)
	}
	out := together(c.run(h.env, line[0], line[1:]...))
	c.t.Logf("%s %s\n%s", h.program, strings.Join(args, " "), out)
	return out
}

func TestGemini_readsBack(t *testing.T)   { readsBack(t, readers()["gemini"], false) }
func TestQwen_readsBack(t *testing.T)     { big(t); readsBack(t, readers()["qwen"], false) }
func TestCopilot_readsBack(t *testing.T)  { big(t); readsBack(t, readers()["copilot"], false) }
func TestOpencode_readsBack(t *testing.T) { big(t); readsBack(t, readers()["opencode"], false) }
func TestCodex_readsBack(t *testing.T)    { big(t); readsBack(t, readers()["codex"], false) }
func TestClaude_readsBack(t *testing.T)   { big(t); readsBack(t, readers()["claude-code"], false) }

// R1: with the claude program on PATH the file is left to it.
func TestClaude_readsBackThroughItsProgram(t *testing.T) {
	big(t)
	readsBack(t, readers()["claude-code"], true)
}
