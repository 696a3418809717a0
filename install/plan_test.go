package install_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/install/edit"
)

const separator = filepath.Separator

// jsonPath is a path as it stands in a JSON string.
func jsonPath(path string) string { return strings.ReplaceAll(path, `\`, `\\`) }

// programs puts the paths of ours, and of one that is gone, into the JSON of a host's
// file. On Windows, too, they are absolute there.
func (c computer) programs(servers string) string {
	gone := filepath.Join(c.Home, "nowhere", "payu-mcp")
	return strings.NewReplacer("OURS", jsonPath(c.ours), "/nowhere/payu-mcp", jsonPath(gone)).Replace(servers)
}

// samples are files as people have them, by what a path ends with.
func samples() map[string]string {
	return map[string]string{
		".json": "// mine, do not touch\r\n{\r\n\t\"theme\" : \"dark\", /* late */\r\n\t\"big\": 9007199254740993, \"e\": 1.50,\r\n" +
			"\t\"PARENT\": {\r\n\t\t\"other\": { \"command\": \"npx\", \"args\": [\"-y\", \"thing\"], },\r\n\t},\r\n}\r\n",
		".toml":                  "# mine\nmodel = \"o3\"   # the good one\n\n[mcp_servers.other]\ncommand = 'npx' # keep\nargs = [\n  \"-y\", # yes\n]\n\n[tui]\ntheme = \"x\"\n",
		"/goose/config.yaml":     "# mine\nGOOSE_MODEL: gpt   # good\nextensions:\n  developer:\n    enabled: true\n    type: builtin\n",
		"/.continue/config.yaml": "name: Main # mine\nversion: 1.0.0\nschema: v1\nmcpServers:\n  - name: other\n    command: npx\n    args: [\"-y\", \"thing\"]\nmodels: []\n",
	}
}

func sample(path string) string {
	path = filepath.ToSlash(path)
	for end, text := range samples() {
		if strings.HasSuffix(strings.Replace(path, "/config/config.yaml", "/goose/config.yaml", 1), end) {
			return text
		}
	}
	return ""
}

func parentOf(id string) string {
	switch id {
	case "vscode", "vscode-insiders":
		return "servers"
	case "zed":
		return "context_servers"
	case "opencode":
		return "mcp"
	case "amp":
		return "amp.mcpServers"
	}
	return "mcpServers"
}

// E6 for each row on each system: what is there stays, a second install changes
// nothing, and after uninstall the file is what it was, to the byte.
func TestPlan_everyHost_twiceAndBack(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"darwin", "linux", "windows"} {
		for _, h := range install.Hosts() {
			t.Run(goos+"/"+h.ID, func(t *testing.T) {
				t.Parallel()
				c := newComputer(t, goos)
				path := c.Paths(h, false)[0]
				before := strings.ReplaceAll(sample(path), "PARENT", parentOf(h.ID))
				c.put(strings.TrimPrefix(path, c.Home), before)

				if n := c.install(h, c.command(), install.Options{}); n != 1 {
					t.Fatalf("install changed %d files", n)
				}
				after := c.read(path)
				if !strings.Contains(after, "other") && h.ID != "goose" || !strings.Contains(after, "payu-mcp") {
					t.Errorf("after install the file is\n%s", after)
				}
				if n := c.install(h, c.command(), install.Options{}); n != 0 || c.read(path) != after {
					t.Errorf("the second install changed %d files", n)
				}
				if f := c.findings(h.ID); len(f) != 1 || f[0].State != install.StateOurs || !f[0].Installed {
					t.Errorf("after install it is %+v", f)
				}
				second := install.Command{Path: c.ours, Profile: "shop2"}
				if n := c.install(h, second, install.Options{}); n != 1 {
					t.Errorf("another profile changed %d files", n)
				}
				if n := c.uninstall(h, "shop2"); n != 1 || c.read(path) != after {
					t.Errorf("removing the other profile changed %d files; now\n%s", n, c.read(path))
				}
				c.install(h, second, install.Options{})
				if n := c.uninstall(h, ""); n != 1 || c.read(path) != before {
					t.Errorf("uninstall changed %d files; the file is\n%q, it was\n%q", n, c.read(path), before)
				}
				if n := c.uninstall(h, ""); n != 0 {
					t.Errorf("the second uninstall changed %d files", n)
				}
			})
		}
	}
}

// Where there is no file, one is made, and it goes again.
func TestPlan_noFile_madeAndGone(t *testing.T) {
	t.Parallel()
	for _, h := range install.Hosts() {
		t.Run(h.ID, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, "linux")
			changes := c.Plan(h, c.command(), install.Options{})
			if h.ID == "continue" { // the file must have more in it
				if len(changes) != 1 || !errors.Is(changes[0].Err, install.ErrNeedsFile) {
					t.Errorf("planned %+v", changes)
				}
				return
			}
			c.apply(changes)
			path := c.Paths(h, false)[0]
			want, err := h.Snippet(c.command())
			if err != nil || strings.ReplaceAll(c.read(path), " # added by payu-mcp", "") != want {
				t.Errorf("the file is\n%s, want\n%s (%v)", c.read(path), want, err)
			}
			if c.uninstall(h, ""); exists(path) {
				t.Errorf("%s is still there: %q", path, c.read(path))
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestPlan_entry_correctedOrLeft(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, host, servers, want string
		err                       error
		replace                   bool
	}{
		{
			"stale: what the person added stays", "cursor",
			`"payu": {"command": "/nowhere/payu-mcp", "args": ["--log-level", "debug"], "env": {"HTTPS_PROXY": "http://p:1"}, "timeout": 60, "alwaysAllow": ["a"]}`,
			`"payu": {"command": "OURS", "args": [], "alwaysAllow": ["a"], "env": {"HTTPS_PROXY": "http://p:1"}, "timeout": 60}`, nil, false,
		},
		{
			"stale: also what is no text", "cursor",
			`"payu": {"command": "/nowhere/payu-mcp", "args": [], "rate": 1.5, "env": {"A": 1}, "tools": {"x": {"trust": true}}, "none": null, "list": [{"a": "b"}]}`,
			`"payu": {"command": "OURS", "args": [], "rate": 1.5, "env": {"A": 1}, "tools": {"x": {"trust": true}}, "none": null, "list": [{"a": "b"}]}`, nil, false,
		},
		{
			"fewer tools: a brake", "copilot",
			`"payu": {"type": "local", "command": "/nowhere/payu-mcp", "args": [], "tools": ["health_check"]}`,
			`"payu": {"type": "local", "command": "OURS", "args": [], "tools": ["health_check"]}`, nil, false,
		},
		{"P24, under our name", "claude-desktop", `"payu": {"url": "https://api.payu.in/mcp", "transport": "http"}`, `"payu": {"command": "OURS", "args": []}`, nil, false},
		{"P24, under another name", "claude-desktop", `"PayU MCP": {"url": "https://api.payu.in/mcp"}`, `"payu": {"command": "OURS", "args": []}`, nil, false},
		{"mcp-remote", "cursor", `"PayU": {"command": "npx", "args": ["mcp-remote", "https://api.payu.in/mcp"]}`, `"payu": {"command": "OURS", "args": []}`, nil, false},
		{"duplicate", "cursor", `"payu": {"command": "OURS", "args": []}, "PayU": {"command": "OURS", "args": []}`, `"payu": {"command": "OURS", "args": []}`, nil, false},
		{"PayU's documentation", "cursor", `"payu-docs": {"command": "npx", "args": ["mcp-remote", "https://docs.payu.in/mcp"]}`, `"payu-docs": {"command": "npx", "args": ["mcp-remote", "https://docs.payu.in/mcp"]}, "payu": {"command": "OURS", "args": []}`, nil, false},
		{
			"another login by a variable", "cursor", `"uat": {"command": "OURS", "args": [], "env": {"PAYU_MCP_PROFILE": "uat"}}`,
			`"uat": {"command": "OURS", "args": [], "env": {"PAYU_MCP_PROFILE": "uat"}}, "payu": {"command": "OURS", "args": []}`, nil, false,
		},
		{"foreign", "cursor", `"payu": {"command": "node", "args": ["x"]}`, `"payu": {"command": "node", "args": ["x"]}`, install.ErrForeign, false},
		{"foreign, and told to", "cursor", `"payu": {"command": "node", "args": ["x"], "env": {"SECRET": "s"}}`, `"payu": {"command": "OURS", "args": []}`, nil, true},
		{"foreign under another name", "cursor", `"payments": {"command": "node", "args": ["x"]}`, `"payments": {"command": "node", "args": ["x"]}, "payu": {"command": "OURS", "args": []}`, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, "linux")
			h := host(t, test.host)
			path := c.Paths(h, false)[0]
			text := func(servers string) string {
				return `{"mcpServers": {` + strings.ReplaceAll(servers, "OURS", jsonPath(c.ours)) + `}}`
			}
			c.put(strings.TrimPrefix(path, c.Home), text(test.servers))
			ch := c.Plan(h, c.command(), install.Options{Replace: test.replace})[0]
			if !errors.Is(ch.Err, test.err) {
				t.Fatalf("planned %v, want %v", ch.Err, test.err)
			}
			if ch.Err == nil {
				if ch.Diff() == "" || len(ch.Does) == 0 {
					t.Errorf("the change does not say what it does: %q, %q", ch.Does, ch.Diff())
				}
				c.apply([]install.Change{ch})
			}
			if !sameServers(t, c.read(path), text(test.want)) {
				t.Errorf("the file is %s\nwant    %s", c.read(path), text(test.want))
			}
		})
	}
}

// sameServers compares what two files mean.
func sameServers(t *testing.T, a, b string) bool {
	t.Helper()
	at := edit.Place{Parent: []string{"mcpServers"}}
	x, err := edit.List(edit.JSON, []byte(a), at)
	y, err2 := edit.List(edit.JSON, []byte(b), at)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return equal(x, y)
}

// A file that cannot be edited safely stays, and the error says so; it may be
// looked for ours in vain, but uninstall then has nothing to do either.
func TestPlan_refused_fileStays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"mcpServers": {`, `{"mcpServers": []}`, `{"mcpServers": {}, "mcpServers": {}}`, `nonsense`} {
		c := newComputer(t, "linux")
		path := c.put(".cursor/mcp.json", text)
		h := host(t, "cursor")
		if ch := c.Plan(h, c.command(), install.Options{})[0]; !errors.Is(ch.Err, edit.ErrRefused) || !ch.Empty() {
			t.Errorf("%s: planned %v", text, ch.Err)
		}
		if ch := c.Removal(h, "", install.Options{})[0]; ch.Err != nil || !ch.Empty() {
			t.Errorf("%s: uninstall planned %v, %q", text, ch.Err, ch.Does)
		}
		if c.read(path) != text {
			t.Errorf("%s became %s", text, c.read(path))
		}
	}
	c := newComputer(t, "linux")
	c.put(".cursor/mcp.json", `{"mcpServers": {"payu": {"command": "/x/payu-mcp"`)
	if ch := c.Removal(host(t, "cursor"), "", install.Options{})[0]; !errors.Is(ch.Err, edit.ErrRefused) {
		t.Errorf("uninstall of a damaged file with our entry planned %v", ch.Err)
	}
}

func TestPlan_project_fileOfTheFolder(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux")
	c.Work = filepath.Join(c.Home, "shop")
	c.apply(c.Plan(host(t, "vscode"), c.command(), install.Options{Project: true}))
	if got := c.read(filepath.Join(c.Work, ".vscode", "mcp.json")); !strings.Contains(got, `"servers"`) {
		t.Errorf("the project's file is %q", got)
	}
	if ch := c.Plan(host(t, "claude-desktop"), c.command(), install.Options{Project: true}); len(ch) != 1 || !errors.Is(ch[0].Err, install.ErrNoProject) {
		t.Errorf("planned %+v", ch)
	}
}

// F17: the file that is there is the one that is changed.
func TestPlan_opencode_existingFile(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux")
	path := c.put(".config/opencode/opencode.jsonc", "{\n  // mine\n}\n")
	c.install(host(t, "opencode"), c.command(), install.Options{})
	if got := c.read(path); !strings.Contains(got, "// mine") || !strings.Contains(got, `"payu"`) || exists(strings.TrimSuffix(path, "c")) {
		t.Errorf("the file is\n%s", got)
	}
}

// Hosts that come in several forms get the entry in each that is there, and only there.
func TestPaths_editions_thoseThatAreThere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		host  string
		there []string
		want  []string
	}{
		{"lmstudio", []string{".cache/lm-studio/x"}, []string{".cache/lm-studio/mcp.json"}},
		{"antigravity", []string{".gemini/config/x"}, []string{".gemini/config/mcp_config.json"}},
		{"antigravity", []string{".gemini/config/x", ".gemini/antigravity/x"}, []string{".gemini/antigravity/mcp_config.json", ".gemini/config/mcp_config.json"}},
		{"windsurf", []string{".codeium/windsurf/x"}, []string{".codeium/windsurf/mcp_config.json"}},
		{"windsurf", []string{".codeium/mcp_config.json"}, []string{".codeium/mcp_config.json"}},
		{"vscode", []string{".vscode-server/x"}, []string{".vscode-server/data/User/mcp.json"}},
		{"cline", []string{".cline/data/x"}, []string{".cline/data/settings/cline_mcp_settings.json"}},
		{"gemini", []string{".gemini/antigravity/x"}, []string{".gemini/settings.json"}},
	} {
		c := newComputer(t, "linux")
		for _, name := range test.there {
			c.put(name, "{}")
		}
		var want []string
		for _, name := range test.want {
			want = append(want, filepath.Join(c.Home, filepath.FromSlash(name)))
		}
		if got := c.Paths(host(t, test.host), false); !slices.Equal(got, want) {
			t.Errorf("%s with %q: %q, want %q", test.host, test.there, got, want)
		}
		if got := c.Installed(host(t, test.host)); got != (test.host != "gemini") {
			t.Errorf("%s with %q: installed %v", test.host, test.there, got)
		}
	}
}

// E4: a link of a dotfile manager is followed, and stays one; one that leads out
// of the home is not. X29's "symlink".
//
//oauth:row X29 install/survey.go "edit.ReadIn(p.within, p.path)" => "edit.Read(p.path)"
func TestPlan_links_followedInsideTheHomeOnly(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux")
	kept := c.put("dotfiles/cursor.json", "{}\n")
	symlink(t, kept, filepath.Join(c.Home, ".cursor", "mcp.json"))
	c.install(host(t, "cursor"), c.command(), install.Options{})
	if info, err := os.Lstat(filepath.Join(c.Home, ".cursor", "mcp.json")); err != nil || info.Mode().Type() != os.ModeSymlink || !strings.Contains(c.read(kept), "payu") {
		t.Errorf("the link is now %v, %v; its target %s", info.Mode(), err, c.read(kept))
	}
	c.uninstall(host(t, "cursor"), "")
	if c.read(kept) != "{}\n" {
		t.Errorf("the target is %q", c.read(kept))
	}

	outside := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(outside, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	symlink(t, outside, filepath.Join(c.Home, ".gemini", "settings.json"))
	ch := c.Plan(host(t, "gemini"), c.command(), install.Options{})[0]
	if !errors.Is(ch.Err, edit.ErrRefused) || c.read(outside) != "{}\n" {
		t.Errorf("planned %v; the file outside is %q", ch.Err, c.read(outside))
	}
}

// Some people have one file for several hosts. The plans are made before the first
// change.
func TestApply_oneFileOfTwoHosts_bothDone(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux")
	const before = `{"mcpServers": {"other": {"command": "npx"}}}`
	path := c.put(".cursor/mcp.json", before)
	symlink(t, path, filepath.Join(c.Home, ".codeium", "windsurf", "mcp_config.json"))
	hosts := []install.Host{host(t, "cursor"), host(t, "windsurf")}
	var changes []install.Change
	for _, h := range hosts {
		changes = append(changes, c.Plan(h, c.command(), install.Options{})...)
	}
	if c.apply(changes); strings.Count(c.read(path), `"payu"`) != 1 {
		t.Errorf("the file is %s", c.read(path))
	}
	changes = nil
	for _, h := range hosts {
		changes = append(changes, c.Removal(h, "", install.Options{})...)
	}
	if c.apply(changes); c.read(path) != before {
		t.Errorf("the file is %s", c.read(path))
	}
	late := c.Plan(hosts[1], c.command(), install.Options{})[0]
	c.put(".cursor/mcp.json", `{}`)
	if _, err := c.Apply(t.Context(), late, time.Now()); !errors.Is(err, edit.ErrChanged) {
		t.Errorf("a file that somebody else has changed: %v", err)
	}
}

// A repository of a stranger may have links in it.
//
//oauth:row X29 install/survey.go "if !f.Exists && leadsOut(" => "if false && leadsOut("
//oauth:row X29 install/host.go "within: s.Work," => "within: s.Home,"
func TestPlan_projectLinks_notFollowedOutOfIt(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux")
	c.Work = filepath.Join(c.Home, "clone")
	mine := c.put(".claude.json", "{}\n")
	symlink(t, mine, filepath.Join(c.Work, ".mcp.json"))
	c.put("settings/x", "")
	symlink(t, filepath.Join(c.Home, "settings"), filepath.Join(c.Work, ".cursor"))
	for _, id := range []string{"claude-code", "cursor"} {
		ch := c.Plan(host(t, id), c.command(), install.Options{Project: true})[0]
		if !errors.Is(ch.Err, edit.ErrRefused) {
			t.Errorf("%s: planned %v, %q", id, ch.Err, ch.Diff())
		}
	}
	if c.read(mine) != "{}\n" {
		t.Errorf("the file outside is %q", c.read(mine))
	}
}

// A login that an entry's variable names is the one that uninstall goes by.
func TestRemoval_profileInAVariable_heeded(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux")
	path := c.put(".cursor/mcp.json", `{"mcpServers": {"shop": {"command": "`+jsonPath(c.ours)+`", "env": {"PAYU_MCP_PROFILE": "shop2"}}}}`)
	if n := c.uninstall(host(t, "cursor"), "default"); n != 0 {
		t.Errorf("another login's entry is gone: %s", c.read(path))
	}
	if n := c.uninstall(host(t, "cursor"), "shop2"); n != 1 {
		t.Errorf("its own login's entry stays: %s", c.read(path))
	}
}

// What a person has set in an entry is no difference, and stays when the rest is
// corrected.
func TestPlan_personsOwnMembers_stay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ host, path, before string }{
		{"copilot", ".copilot/mcp-config.json", `{"mcpServers": {"payu": {"type": "local", "command": "OURS", "args": [], "tools": ["health_check"]}}}`},
		{"goose", ".config/goose/config.yaml", "extensions:\n  payu:\n    name: payu\n    description: mine\n    type: stdio\n    enabled: true\n    cmd: \"OURS\"\n    args: []\n    envs: {}\n    timeout: 900\n"},
		{"codex", ".codex/config.toml", "[mcp_servers.payu]\ncommand = 'OURS'\nargs = []\nenv_vars = [\"MINE\", \"HTTPS_PROXY\", \"https_proxy\", \"NO_PROXY\", \"no_proxy\", " +
			"\"PAYU_MCP_BROWSER\", \"PAYU_MCP_CA_FILE\", \"PAYU_MCP_LOG_FILE\", \"PAYU_MCP_LOG_LEVEL\", \"PAYU_MCP_PROXY\", \"PAYU_MCP_STATE_DIR\", \"PAYU_MCP_STORE\", \"PAYU_MCP_URL\"]\n"},
	} {
		c := newComputer(t, "linux")
		before := strings.ReplaceAll(test.before, "'OURS'", "'"+c.ours+"'") // TOML: as it is
		path := c.put(test.path, strings.ReplaceAll(before, "OURS", jsonPath(c.ours)))
		if n := c.install(host(t, test.host), c.command(), install.Options{}); n != 0 {
			t.Errorf("%s was changed to\n%s", test.host, c.read(path))
		}
	}

	c := newComputer(t, "linux")
	path := c.put(".codex/config.toml", "[mcp_servers.payu]\ncommand = '/nowhere/payu-mcp'\nargs = []\nenv_vars = [\"MINE\"]\n\n[mcp_servers.payu.tools.list]\napproval_mode = \"approve\"\n")
	c.install(host(t, "codex"), c.command(), install.Options{})
	for _, want := range []string{`"MINE"`, `"HTTPS_PROXY"`, `approval_mode = "approve"`} {
		if !strings.Contains(c.read(path), want) {
			t.Errorf("%s is not in\n%s", want, c.read(path))
		}
	}
}
