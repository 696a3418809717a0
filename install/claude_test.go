package install_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/install"
)

// claude is the program of Claude Code: it records how it was called, and does
// what it is told as the real one was seen to.
type claude struct {
	c     computer
	calls [][]string
	fails func(args []string) bool
}

func withClaude(t *testing.T, text string) (*claude, string) {
	t.Helper()
	c := newComputer(t, "linux")
	p := &claude{c: c, fails: func([]string) bool { return false }}
	p.c.LookPath = func(name string) (string, error) {
		if name != "claude" {
			return "", exec.ErrNotFound
		}
		return "/usr/bin/claude", nil
	}
	p.c.Run = p.run
	return p, c.put(".claude.json", text)
}

func (p *claude) run(ctx context.Context, program string, args ...string) ([]byte, error) {
	if _, limited := ctx.Deadline(); !limited {
		return nil, errors.New("nothing bounds the program")
	}
	p.calls = append(p.calls, append([]string{program}, args...))
	if p.fails(args) {
		return []byte("no"), errors.New("exit status 1")
	}
	if args[1] == "remove" {
		p.c.put(".claude.json", `{"numStartups": 4, "mcpServers": {}}`)
		return nil, nil
	}
	command := args[slices.Index(args, "--")+1:]
	p.c.put(".claude.json", fmt.Sprintf(`{"numStartups": 4, "mcpServers": {%q: {"type": "stdio", "command": %q, "args": [], "env": {}}}}`, args[4], command[0]))
	return nil, nil
}

// R1: the program is asked, the name comes first, and its file is not edited by us.
func TestApply_claudeProgramThere_itIsAsked(t *testing.T) {
	t.Parallel()
	p, path := withClaude(t, `{"numStartups": 3}`)
	ch := p.c.Plan(host(t, "claude-code"), p.c.command(), install.Options{})[0]
	if steps := ch.Steps(); len(steps) != 1 || steps[0] != "claude mcp add -s user payu -- "+p.c.ours || ch.Diff() == "" {
		t.Errorf("the plan shows %q and the diff %q", steps, ch.Diff())
	}
	done, err := p.c.Apply(t.Context(), ch, time.Now())
	if err != nil || done.Program != "/usr/bin/claude" || done.Backup != "" {
		t.Errorf("done %+v, %v", done, err)
	}
	if len(p.calls) != 1 || !strings.Contains(p.c.read(path), `"numStartups": 4`) {
		t.Errorf("called %q; the file is %s", p.calls, p.c.read(path))
	}
	if f := p.c.findings("claude-code"); f[0].State != install.StateOurs {
		t.Errorf("then it is %+v", f)
	}
	p.calls = nil
	if n := p.c.install(host(t, "claude-code"), p.c.command(), install.Options{}); n != 0 || len(p.calls) != 0 {
		t.Errorf("the second install made %d changes: %q", n, p.calls)
	}
	if p.c.uninstall(host(t, "claude-code"), ""); len(p.calls) != 1 || !slices.Equal(p.calls[0], []string{"/usr/bin/claude", "mcp", "remove", "-s", "user", "payu"}) {
		t.Errorf("uninstall called %q", p.calls)
	}
}

// It does not replace: the old entry goes first.
func TestApply_claudeProgramAndStaleEntry_removedAndAdded(t *testing.T) {
	t.Parallel()
	p, _ := withClaude(t, `{"mcpServers": {"payu": {"type": "stdio", "command": "/nowhere/payu-mcp", "args": [], "env": {}}}}`)
	p.c.install(host(t, "claude-code"), p.c.command(), install.Options{})
	if len(p.calls) != 2 || p.calls[0][2] != "remove" || p.calls[1][2] != "add" {
		t.Errorf("called %q", p.calls)
	}
}

// Whatever goes wrong with the program, also half way, the file is edited.
func TestApply_claudeProgramFails_fileIsEdited(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func([]string) bool{
		"at once":  func([]string) bool { return true },
		"half way": func(args []string) bool { return args[1] == "add" },
	} {
		p, path := withClaude(t, `{"numStartups": 3, "mcpServers": {"payu": {"command": "/nowhere/payu-mcp", "args": []}}}`)
		p.fails = fails
		p.c.install(host(t, "claude-code"), p.c.command(), install.Options{})
		if f := p.c.findings("claude-code"); f[0].State != install.StateOurs || !strings.Contains(p.c.read(path), "numStartups") {
			t.Errorf("%s: found %+v in %s", name, f, p.c.read(path))
		}
	}
	// It says that all is well, and has written elsewhere.
	p, _ := withClaude(t, `{}`)
	p.c.Run = func(context.Context, string, ...string) ([]byte, error) { return nil, nil }
	p.c.install(host(t, "claude-code"), p.c.command(), install.Options{})
	if f := p.c.findings("claude-code"); f[0].State != install.StateOurs {
		t.Errorf("found %+v", f)
	}
}

// What a person has added may be a secret: it is neither lost nor put into an
// argument list. Nor is a name that looks like an option.
func TestPlan_claudeProgramCannotSayIt_fileIsEdited(t *testing.T) {
	t.Parallel()
	for _, servers := range []string{
		`"payu": {"type": "stdio", "command": "/nowhere/payu-mcp", "args": [], "env": {"HTTPS_PROXY": "http://user:secret@p:1"}}`,
		`"--scope": {"command": "npx", "args": ["mcp-remote", "https://api.payu.in/mcp"]}`,
	} {
		p, path := withClaude(t, `{"mcpServers": {`+servers+`}}`)
		p.c.install(host(t, "claude-code"), p.c.command(), install.Options{})
		if len(p.calls) != 0 {
			t.Errorf("called %q", p.calls)
		}
		if strings.Contains(servers, "secret") && !strings.Contains(p.c.read(path), "secret") {
			t.Errorf("the person's variable is lost: %s", p.c.read(path))
		}
	}
	p, _ := withClaude(t, `{}`)
	p.c.LookPath = func(string) (string, error) { return `C:\npm\claude.cmd`, nil }
	p.c.install(host(t, "claude-code"), p.c.command(), install.Options{})
	if len(p.calls) != 0 {
		t.Errorf("a batch file was called: %q", p.calls)
	}
}

// A project's file belongs to nobody's running program.
func TestPlan_claudeProject_fileIsEdited(t *testing.T) {
	t.Parallel()
	p, _ := withClaude(t, `{}`)
	p.c.Work = p.c.Home
	p.c.install(host(t, "claude-code"), p.c.command(), install.Options{Project: true})
	if len(p.calls) != 0 || !exists(p.c.Home+"/.mcp.json") {
		t.Errorf("called %q", p.calls)
	}
}
