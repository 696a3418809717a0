package hosts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// talk is a host without a terminal. With no arguments it is one conversation from
// its start to its end: the person says one thing, the model does what it is
// scripted to. With arguments it is a command of the host.
type talk func(command ...string) (printed string)

// or is the command, or what starts a conversation.
func or(command []string, conversation ...string) []string {
	if len(command) > 0 {
		return command
	}
	return conversation
}

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
	ours, args, env := c.entry()
	c.writeJSON(c.path("home", ".gemini", "settings.json"), object{
		"security":   object{"auth": object{"selectedType": "gemini-api-key"}},
		"privacy":    object{"usageStatisticsEnabled": false},
		"mcpServers": object{"payu": object{"command": ours, "args": args, "env": env}},
	})
	vars := []string{"GEMINI_CLI_TRUST_WORKSPACE=true", "GEMINI_API_KEY=x", "GOOGLE_GEMINI_BASE_URL=" + c.model.URL}
	return func(command ...string) string {
		c.t.Helper()
		return together(c.run(vars, at.node, append([]string{program}, or(command, "-p", "go on", "--yolo", "-m", "gemini-2.5-flash")...)...))
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
	ours, args, env := c.entry()
	c.writeJSON(c.path("home", ".claude.json"), object{
		"hasCompletedOnboarding": true, "theme": "dark",
		"customApiKeyResponses": object{"approved": []string{claudeKey[max(0, len(claudeKey)-20):]}},
		"projects":              object{c.path("work"): object{"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true}},
		"mcpServers":            object{"payu": object{"type": "stdio", "command": ours, "args": args, "env": env}},
	})
	return func(command ...string) string {
		c.t.Helper()
		return together(c.run(c.claudeVars(), program, or(command, "-p", "go on", "--allowedTools", "mcp__payu")...))
	}
}

func (c *computer) codex() talk {
	c.t.Helper()
	program := c.program("codex", "codex")
	ours, args, env := c.entry()
	var b strings.Builder
	fmt.Fprintf(&b, "model = \"stub\"\nmodel_provider = \"stub\"\ncheck_for_update_on_startup = false\n\n")
	fmt.Fprintf(&b, "[model_providers.stub]\nname = \"stub\"\nbase_url = %q\nwire_api = \"responses\"\n\n", c.model.URL+"/v1")
	fmt.Fprintf(&b, "[mcp_servers.payu]\ncommand = %q\nargs = %s\ndefault_tools_approval_mode = \"approve\"\n\n[mcp_servers.payu.env]\n", ours, toJSON(args))
	for k, v := range env {
		fmt.Fprintf(&b, "%s = %q\n", k, v)
	}
	fmt.Fprintf(&b, "\n[projects.%q]\ntrust_level = \"trusted\"\n", c.path("work"))
	c.write(c.path("home", ".codex", "config.toml"), b.String())
	return func(command ...string) string {
		c.t.Helper()
		return together(c.run(nil, at.node, append([]string{program}, or(command, "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "go on")...)...))
	}
}

func (c *computer) opencode() talk {
	c.t.Helper()
	program := c.program("opencode", "opencode")
	ours, args, env := c.entry()
	c.writeJSON(c.path("home", ".config", "opencode", "opencode.json"), object{
		"$schema": "https://opencode.ai/config.json", "autoupdate": false, "share": "disabled",
		"model": "stub/stub", "small_model": "stub/stub", "permission": "allow",
		"provider": object{"stub": object{
			"npm": "@ai-sdk/openai-compatible", "name": "stub",
			"options": object{"baseURL": c.model.URL + "/v1", "apiKey": "x"},
			"models":  object{"stub": object{"name": "stub", "tool_call": true}},
		}},
		"mcp": object{"payu": object{"type": "local", "command": append([]string{ours}, args...), "environment": env, "enabled": true}},
	})
	vars := []string{"OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_AUTOUPDATE=1", "OPENCODE_DISABLE_LSP_DOWNLOAD=1"}
	return func(command ...string) string {
		c.t.Helper()
		return together(c.run(vars, program, or(command, "run", "go on")...))
	}
}

// together is all that a program printed.
func together(stdout, stderr string) string { return stdout + stderr }

func toJSON(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

func (c *computer) writeJSON(file string, v any) {
	c.t.Helper()
	c.write(file, toJSON(v))
}
