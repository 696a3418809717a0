package hosts

import (
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// desk is a host on a terminal, as a person uses it.
type desk struct {
	start func() *terminal
	// ready is on the screen when the person may type.
	ready string
	// accept answers the dialog with PayU's address: it asserts what is shown and
	// lets the host open the browser. finished is what the host asks the person
	// afterwards, "" for nothing: the call goes on by itself, too.
	accept   func(*terminal)
	finished string
}

// desktop is the environment of somebody with a screen, whose browser is the
// visitor.
func (c *computer) desktop() []string {
	return []string{"DISPLAY=:9", "BROWSER=" + c.path("bin", "xdg-open")}
}

func (c *computer) claudeDesk() desk {
	c.t.Helper()
	c.claude()
	program := c.program("claude-code", "claude")
	return desk{
		start: func() *terminal {
			return c.inTerminal(append(c.claudeVars(), c.desktop()...), program, "--allowedTools", "mcp__payu", "--permission-mode", "default")
		},
		ready: "? for shortcuts",
		accept: func(t *terminal) {
			c.t.Helper()
			t.chooses("MCP server “payu” wants to open a URL", "sign in to PayU", c.sb.AccountsOrigin()+"/", "❯ Accept Decline")
		},
	}
}

func (c *computer) codexDesk() desk {
	c.t.Helper()
	c.codex()
	program := c.program("codex", "codex")
	return desk{
		start: func() *terminal {
			return c.inTerminal(c.desktop(), at.node, program, "-a", "on-request", "-s", "danger-full-access")
		},
		ready: "Ask Codex to do anything",
		accept: func(t *terminal) {
			c.t.Helper()
			t.chooses("Action required", "Server: payu", "sign in to PayU", c.sb.AccountsOrigin()+"/", "› 1. Open link")
		},
		finished: "› 1. I finished",
	}
}

// atADesk is the story of the first days with a host that shows addresses to the
// person: the dialog appears on a call, the host opens the browser, and the call
// goes on.
func atADesk(t *testing.T, host func(*computer) desk, listsAgain bool) {
	t.Helper()
	c := newComputer(t, sandbox.Options{TLS: true})
	d := host(c)
	ask := func(term *terminal, line string, turns ...turn) {
		t.Helper()
		c.model.says(turns...)
		term.types(line)
	}
	done := func(what string, term *terminal, from int) {
		t.Helper()
		c.eventually(what, func() bool {
			if d.finished != "" && has(term.screen(), d.finished) {
				term.press("Enter")
			}
			return len(c.model.since(from)) > 1
		})
		if got := c.model.since(from)[1].last(); !strings.Contains(got, payuAnswer) {
			t.Fatalf("%s: the model heard %q, want PayU's answer", what, got)
		}
	}
	began := func() *terminal {
		t.Helper()
		wire := c.mark()
		term := d.start()
		term.sees(d.ready)
		c.eventually("the host has the tools", func() bool { return len(c.lists(wire)) > 0 })
		return term
	}

	// Signed out: the call shows the dialog.
	term := began()
	c.onlyOurs("first use", c.lists(0)[0])
	ask(term, "list my accounts", throughUs())
	d.accept(term)
	done("the call goes on after the sign-in", term, 0)
	c.opened("first use", "host", 1)
	next := throughUs()
	if listsAgain {
		next = turn{tool: payuTool}
	}
	from := c.model.mark()
	ask(term, "and once more", next)
	done("a call in the same conversation", term, from)
	term.close()

	// Another day: no dialog, PayU's tools at once.
	wire, from := c.mark(), c.model.mark()
	term = began()
	c.onlyPayUs("after a restart", c.lists(wire)[0])
	ask(term, "list my accounts", turn{tool: payuTool})
	done("a call after a restart", term, from)
	c.opened("after a restart", "host", 1)

	// PayU ends it, in the middle of the conversation.
	c.sb.RevokeFromDashboard("A")
	from = c.model.mark()
	ask(term, "and again please", turn{tool: payuTool})
	d.accept(term)
	done("a call after a revocation", term, from)
	c.opened("after a revocation", "host", 2)
	c.opened("in the end", "bridge", 0)
	term.close()
}

func TestClaude_atADesk(t *testing.T) { big(t); atADesk(t, (*computer).claudeDesk, true) }
func TestCodex_atADesk(t *testing.T)  { big(t); atADesk(t, (*computer).codexDesk, false) }
