package hosts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// talk is one conversation with a host from its start to its end, without a
// terminal: the person says one thing, the model does what it is scripted to.
type talk func(more ...string) (printed string)

// program is the path of a host's program; without it the test is skipped.
func (c *computer) program(host, name string) string {
	c.t.Helper()
	file := filepath.Join(at.npm, host, "node_modules", ".bin", name)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		why, _ := os.ReadFile(filepath.Join(at.npm, host, "not-installed.txt"))
		c.t.Skipf("%s is not installed: run make e2e-hosts\n%s", host, why)
	}
	return file
}

// big skips the test unless the big hosts are asked for.
func big(t *testing.T) {
	t.Helper()
	if os.Getenv("E2E_HOSTS") == "" {
		t.Skip("a big host: run make e2e-hosts")
	}
}

func (c *computer) gemini() talk {
	c.t.Helper()
	program := c.program("gemini", "gemini")
	command, args, env := c.entry()
	c.writeJSON(c.path("home", ".gemini", "settings.json"), object{
		"security":   object{"auth": object{"selectedType": "gemini-api-key"}},
		"privacy":    object{"usageStatisticsEnabled": false},
		"mcpServers": object{"payu": object{"command": command, "args": args, "env": env}},
	})
	vars := []string{"GEMINI_CLI_TRUST_WORKSPACE=true", "GEMINI_API_KEY=x", "GOOGLE_GEMINI_BASE_URL=" + c.model.URL}
	return func(more ...string) string {
		c.t.Helper()
		return c.run(vars, at.node, append([]string{program, "-p", "go on", "--yolo", "-m", "gemini-2.5-flash"}, more...)...)
	}
}

const claudeKey = "a-key-of-this-test-only"

func (c *computer) claudeVars() []string {
	return []string{
		"ANTHROPIC_API_KEY=" + claudeKey, "ANTHROPIC_BASE_URL=" + c.model.URL, "ENABLE_TOOL_SEARCH=false",
		"DISABLE_AUTOUPDATER=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
	}
}

func (c *computer) claude() talk {
	c.t.Helper()
	program := c.program("claude-code", "claude")
	command, args, env := c.entry()
	c.writeJSON(c.path("home", ".claude.json"), object{
		"hasCompletedOnboarding": true, "theme": "dark",
		"customApiKeyResponses": object{"approved": []string{claudeKey[max(0, len(claudeKey)-20):]}},
		"projects":              object{c.path("work"): object{"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true}},
		"mcpServers":            object{"payu": object{"type": "stdio", "command": command, "args": args, "env": env}},
	})
	return func(more ...string) string {
		c.t.Helper()
		return c.run(c.claudeVars(), program, append([]string{"-p", "go on", "--allowedTools", "mcp__payu"}, more...)...)
	}
}

func (c *computer) codex() talk {
	c.t.Helper()
	program := c.program("codex", "codex")
	command, args, env := c.entry()
	var b strings.Builder
	fmt.Fprintf(&b, "model = \"stub\"\nmodel_provider = \"stub\"\ncheck_for_update_on_startup = false\n\n")
	fmt.Fprintf(&b, "[model_providers.stub]\nname = \"stub\"\nbase_url = %q\nwire_api = \"responses\"\n\n", c.model.URL+"/v1")
	fmt.Fprintf(&b, "[mcp_servers.payu]\ncommand = %q\nargs = %s\n\n[mcp_servers.payu.env]\n", command, toJSON(args))
	for k, v := range env {
		fmt.Fprintf(&b, "%s = %q\n", k, v)
	}
	fmt.Fprintf(&b, "\n[projects.%q]\ntrust_level = \"trusted\"\n", c.path("work"))
	c.write(c.path("home", ".codex", "config.toml"), b.String())
	return func(more ...string) string {
		c.t.Helper()
		return c.run(nil, at.node, append([]string{program, "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "go on"}, more...)...)
	}
}

func (c *computer) opencode() talk {
	c.t.Helper()
	program := c.program("opencode", "opencode")
	command, args, env := c.entry()
	c.writeJSON(c.path("home", ".config", "opencode", "opencode.json"), object{
		"$schema": "https://opencode.ai/config.json", "autoupdate": false, "share": "disabled",
		"model": "stub/stub", "small_model": "stub/stub", "permission": "allow",
		"provider": object{"stub": object{
			"npm": "@ai-sdk/openai-compatible", "name": "stub",
			"options": object{"baseURL": c.model.URL + "/v1", "apiKey": "x"},
			"models":  object{"stub": object{"name": "stub", "tool_call": true}},
		}},
		"mcp": object{"payu": object{"type": "local", "command": append([]string{command}, args...), "environment": env, "enabled": true}},
	})
	vars := []string{"OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_AUTOUPDATE=1", "OPENCODE_DISABLE_LSP_DOWNLOAD=1"}
	return func(more ...string) string {
		c.t.Helper()
		return c.run(vars, program, append([]string{"run", "go on"}, more...)...)
	}
}

func toJSON(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

func (c *computer) writeJSON(file string, v any) {
	c.t.Helper()
	c.write(file, toJSON(v))
}

// signedInBefore is the story of one who ran `payu-mcp login` first: PayU's
// tools, a call, and the same after a restart.
func signedInBefore(t *testing.T, host func(*computer) talk) {
	t.Helper()
	c := newComputer(t, sandbox.Options{})
	say := host(c)
	c.signIn()
	for range 2 {
		from := c.model.mark()
		c.model.says(turn{tool: "list_available_team_accounts"})
		printed := say()
		asked := c.model.since(from)
		if len(asked) != 2 || !slices.ContainsFunc(asked[1].results, func(r string) bool { return strings.Contains(r, "180012") }) {
			t.Fatalf("the model was asked %+v\n%s", asked, printed)
		}
	}
}

func TestGemini_signedInBefore(t *testing.T)   { signedInBefore(t, (*computer).gemini) }
func TestClaude_signedInBefore(t *testing.T)   { big(t); signedInBefore(t, (*computer).claude) }
func TestCodex_signedInBefore(t *testing.T)    { big(t); signedInBefore(t, (*computer).codex) }
func TestOpencode_signedInBefore(t *testing.T) { big(t); signedInBefore(t, (*computer).opencode) }
