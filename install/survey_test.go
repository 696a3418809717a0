package install_test

import (
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/install"
)

// What an entry is, for a host that knows only commands (Claude Desktop) and for
// one that also knows addresses (Cursor). OURS stands for this program's path.
func TestSurvey_entry_state(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, host, servers string
		state               install.State
		entry               string
	}{
		{"nothing", "cursor", ``, install.StateAbsent, "payu"},
		{"as install writes it", "cursor", `"payu": {"command": "OURS", "args": []}`, install.StateOurs, "payu"},
		{"with something of the person's", "cursor", `"payu": {"command": "OURS", "args": [], "env": {"A": "b"}, "timeout": 3}`, install.StateOurs, "payu"},
		{"other arguments", "cursor", `"payu": {"command": "OURS", "args": ["--log-level", "debug"]}`, install.StateDifferent, "payu"},
		{"another login", "cursor", `"payu": {"command": "OURS", "args": ["--profile", "shop2"]}`, install.StateDifferent, "payu"},
		{"found over PATH", "cursor", `"payu": {"command": "payu-mcp", "args": []}`, install.StateDifferent, "payu"},
		{"program gone", "cursor", `"payu": {"command": "/nowhere/payu-mcp", "args": []}`, install.StateStale, "payu"},
		{"somebody else's", "cursor", `"payu": {"command": "node", "args": ["/srv/payu.js"]}`, install.StateForeign, "payu"},
		{"not even an object", "cursor", `"payu": 3`, install.StateForeign, "payu"},
		{"an address where addresses work", "cursor", `"payu": {"url": "https://api.payu.in/mcp"}`, install.StateForeign, "payu"},
		{"an address of P24", "claude-desktop", `"payu": {"url": "https://api.payu.in/mcp", "transport": "http"}`, install.StateBroken, "payu"},
		{"under another name", "claude-desktop", `"payu-remote": {"url": "https://api.payu.in/mcp", "transport": "http"}`, install.StateBroken, "payu-remote"},
		{"an address where there is only stdio", "junie", `"payu": {"url": "https://API.PayU.in/mcp"}`, install.StateBroken, "payu"},
		{"somebody else's address", "claude-desktop", `"payu": {"url": "https://api.payu.in.example.com/mcp"}`, install.StateForeign, "payu"},
		{"mcp-remote", "cursor", `"PayU": {"command": "npx", "args": ["-y", "mcp-remote@latest", "https://api.payu.in/mcp"]}`, install.StateBroken, "PayU"},
		{"mcp-remote through cmd", "claude-desktop", `"x": {"command": "cmd", "args": ["/c", "npx", "mcp-remote", "https://api.payu.in/mcp"]}`, install.StateBroken, "x"},
		{"mcp-remote in a shell's line", "cursor", `"x": {"command": "sh", "args": ["-c", "exec npx mcp-remote https://api.payu.in/mcp"]}`, install.StateBroken, "x"},
		{"mcp-remote for another server", "cursor", `"payu": {"command": "npx", "args": ["mcp-remote", "https://mcp.example.com"]}`, install.StateForeign, "payu"},
		{"mcp-remote for PayU's documentation", "cursor", `"payu": {"command": "npx", "args": ["mcp-remote", "https://docs.payu.in/mcp"]}`, install.StateForeign, "payu"},
		{"an address of PayU's tests", "claude-desktop", `"payu": {"url": "https://apitest.payu.in/mcp"}`, install.StateForeign, "payu"},
		{"twice", "cursor", `"payu": {"command": "OURS", "args": []}, "PayU": {"command": "OURS", "args": []}`, install.StateDuplicate, "PayU"},
		{"another login beside it", "cursor", `"payu-shop2": {"command": "OURS", "args": ["--profile=shop2"]}`, install.StateOurs, "payu-shop2"},
		{"another login whose program is gone", "cursor", `"payu-shop2": {"command": "/nowhere/payu-mcp", "args": ["--profile", "shop2"]}`, install.StateStale, "payu-shop2"},
		{"another login by a variable", "cursor", `"uat": {"command": "OURS", "args": [], "env": {"PAYU_MCP_PROFILE": "uat"}}`, install.StateOurs, "uat"},
		{"another endpoint by a variable", "cursor", `"try": {"command": "OURS", "args": [], "env": {"PAYU_MCP_URL": "http://127.0.0.1:1/mcp"}}`, install.StateOurs, "try"},
		{"a brake by a variable", "cursor", `"careful": {"command": "OURS", "args": [], "env": {"PAYU_MCP_READ_ONLY": "true"}}`, install.StateOurs, "careful"},
		{"one for trying out", "cursor", `"try": {"command": "OURS", "args": ["--url", "http://127.0.0.1:1/mcp"]}`, install.StateOurs, "try"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, "linux")
			path := c.Paths(host(t, test.host), false)[0]
			c.put(strings.TrimPrefix(path, c.Home), `{"mcpServers": {"other": {"command": "npx", "args": ["-y", "x"]}, `+
				c.programs(strings.TrimSuffix(test.servers+`, `, `, `))+`}}`)
			if test.servers == "" {
				c.put(strings.TrimPrefix(path, c.Home), `{"mcpServers": {}}`)
			}
			for _, f := range c.findings(test.host) {
				if f.Entry != test.entry {
					continue
				}
				if f.State != test.state || !f.Installed || f.Path != path {
					t.Errorf("found %+v, want %s", f, test.state)
				}
				if (f.Advice == "") != (f.State == install.StateOurs) {
					t.Errorf("the advice for %s is %q", f.State, f.Advice)
				}
				return
			}
			t.Errorf("found %+v, want something about %s", c.findings(test.host), test.entry)
		})
	}
}

func TestSurvey_damagedFile_unreadableWithReason(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux")
	c.put(".cursor/mcp.json", `{"mcpServers": {`)
	f := c.findings("cursor")
	if len(f) != 1 || f[0].State != install.StateUnreadable || f[0].Detail == "" || !strings.Contains(f[0].Advice, "--print") {
		t.Errorf("found %+v", f)
	}
}

func TestSurvey_nothingInstalled_everyHostOnce(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"darwin", "linux", "windows"} {
		c := newComputer(t, goos)
		found := c.Survey("payu", c.ours)
		if len(found) != len(install.Hosts()) {
			t.Errorf("%s: %d findings for %d hosts", goos, len(found), len(install.Hosts()))
		}
		for _, f := range found {
			if f.Installed || f.State != install.StateAbsent || f.Advice != "" {
				t.Errorf("%s: found %+v on an empty computer", goos, f)
			}
		}
	}
}

// F24: Claude Desktop of the Windows Store reads a copy of %APPDATA% that is its own.
func TestSurvey_storePackage_itsOwnFile(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "windows")
	const store = "AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/claude_desktop_config.json"
	usual := c.put("AppData/Roaming/Claude/claude_desktop_config.json", `{"mcpServers": {"payu": {"command": "`+jsonPath(c.ours)+`", "args": []}}}`)
	c.put("AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/other.txt", "")

	found := c.findings("claude-desktop")
	if len(found) != 2 || found[0].State != install.StateOurs || found[1].State != install.StateStorePackage || found[1].Advice == "" {
		t.Fatalf("found %+v, want the mismatch", found)
	}
	before := c.read(usual)
	if n := c.install(host(t, "claude-desktop"), c.command(), install.Options{}); n != 1 {
		t.Errorf("%d files were changed, want the one of the Store's edition", n)
	}
	if got := c.read(usual); got != before {
		t.Errorf("the usual file is now %s", got)
	}
	found = c.findings("claude-desktop")
	if len(found) != 2 || found[1].State != install.StateOurs || !strings.HasSuffix(found[1].Path, strings.ReplaceAll(store, "/", string(separator))) {
		t.Errorf("found %+v", found)
	}
}

// Only the Store's edition: %APPDATA% is left alone.
func TestPlan_onlyStorePackage_onlyThere(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "windows")
	c.put("AppData/Local/Packages/Claude_x/LocalCache/Roaming/other.txt", "")
	changes := c.Plan(host(t, "claude-desktop"), c.command(), install.Options{})
	if len(changes) != 1 || !strings.Contains(changes[0].Path, "Claude_x") {
		t.Errorf("planned %d changes: %+v", len(changes), changes)
	}
}

// The advice cures: it names the login whose entry is meant, whatever the entry is
// called, and after it there is nothing to advise.
func TestSurvey_advice_cures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, servers, want, profile string }{
		{"broken, with a name like a profile's", `"payu-remote": {"command": "npx", "args": ["mcp-remote", "https://api.payu.in/mcp"]}`, "payu-mcp install --client cursor", "default"},
		{"gone, under another name", `"PayU": {"command": "/nowhere/payu-mcp", "args": []}`, "payu-mcp install --client cursor", "default"},
		{"gone, another login, under another name", `"payu": {"command": "OURS", "args": []}, "shop": {"command": "/nowhere/payu-mcp", "args": ["--profile", "shop2"]}`, "payu-mcp install --client cursor --profile shop2", "shop2"},
	} {
		c := newComputer(t, "linux")
		path := c.put(".cursor/mcp.json", `{"mcpServers": {`+c.programs(test.servers)+`}}`)
		found := c.findings("cursor")
		if f := found[len(found)-1]; f.Advice != test.want {
			t.Errorf("%s: the advice is %q, want %q", test.name, f.Advice, test.want)
		}
		c.install(host(t, "cursor"), install.Command{Path: c.ours, Profile: test.profile}, install.Options{})
		for _, f := range c.findings("cursor") {
			if f.State != install.StateOurs {
				t.Errorf("%s: after that it is %+v in %s", test.name, f, c.read(path))
			}
		}
	}

	c := newComputer(t, "linux")
	c.put(".cursor/mcp.json", c.programs(`{"mcpServers": {"try": {"command": "/nowhere/payu-mcp", "args": ["--url", "http://127.0.0.1:1/mcp"]}}}`))
	if f := c.findings("cursor")[1]; f.State != install.StateStale || strings.Contains(f.Advice, "install") {
		t.Errorf("of an entry that install does not touch: %+v", f)
	}
}

// What stands in a host's file does not get into a command that a person pastes.
func TestSurvey_strangeProfile_notInTheAdvice(t *testing.T) {
	t.Parallel()
	for _, servers := range []string{
		`"a": {"command": "/nowhere/payu-mcp", "args": ["--profile", "x; touch /tmp/y\u001b[2J"]}`,
		`"payu-x; touch y": {"command": "/nowhere/payu-mcp", "args": ["--read-only"]}`,
		`"payu-x; touch y": {"command": "npx", "args": ["mcp-remote", "https://api.payu.in/mcp"]}`,
	} {
		c := newComputer(t, "linux")
		c.put(".cursor/mcp.json", `{"mcpServers": {`+c.programs(servers)+`}}`)
		if f := c.findings("cursor")[1]; f.Advice == "" || strings.Contains(f.Advice, "touch") {
			t.Errorf("%s: the advice is %q", servers, f.Advice)
		}
	}
}
