package hosts

import (
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// What the stories are about: a tool of PayU's that only reads, and what it says
// of user A.
const (
	payuTool   = "list_available_team_accounts"
	payuAnswer = "180012"
	payuTools  = 13
)

// throughUs is the call of a tool of PayU's by way of our own.
func throughUs() turn {
	return turn{tool: "payu_call_tool", args: object{"name": payuTool, "arguments": object{}}}
}

// lists is what a start of the bridge told its host about tools: the results of
// tools/list since a mark, in order.
func (c *computer) lists(since int) [][]string {
	var found [][]string
	for _, m := range c.messages(since, "host", "tools/list") {
		if a := c.answer(m); a.Result != nil {
			found = append(found, toolNames(a.Result))
		}
	}
	return found
}

// onlyOurs checks the list of one who is signed out: three tools, none of PayU's.
func (c *computer) onlyOurs(what string, list []string) {
	c.t.Helper()
	if got := slices.Sorted(slices.Values(list)); !slices.Equal(got, []string{"payu_call_tool", "payu_list_tools", "payu_login"}) {
		c.t.Errorf("%s: the tools are %q, want our three", what, got)
	}
}

// onlyPayUs checks the list of one who is or was signed in.
func (c *computer) onlyPayUs(what string, list []string) {
	c.t.Helper()
	if len(list) != payuTools || slices.ContainsFunc(list, func(name string) bool { return strings.HasPrefix(name, "payu_") }) {
		c.t.Errorf("%s: the tools are %q, want PayU's %d", what, list, payuTools)
	}
}

// offers reports whether a host gave the model a tool.
func (a asked) offers(tool string) bool { return turn{tool: tool}.reply(a.offered, 0).tool != "" }

// last is the result of the last tool that the model heard of.
func (a asked) last() string {
	if len(a.results) == 0 {
		return ""
	}
	return a.results[len(a.results)-1]
}

// heard are the results of tools that the model got since a mark, by its turns.
func (m *model) heard(since int) []string {
	var all []string
	for _, a := range m.since(since) {
		all = append(all, a.last())
	}
	return all
}

// gotAnswer checks that PayU's answer came to the model since a mark.
func (c *computer) gotAnswer(what string, since int) {
	c.t.Helper()
	if heard := c.model.heard(since); !strings.Contains(strings.Join(heard, "\n"), payuAnswer) {
		c.t.Fatalf("%s: the model heard %q, want PayU's answer among it", what, heard)
	}
}

// opened checks how often the browser was opened so far, and that each of its
// visits ended well.
func (c *computer) opened(what string, by string, times int) {
	c.t.Helper()
	if got := c.visits(by); len(got) != times {
		c.t.Errorf("%s: the browser was opened %+v, want %d times by the %s", what, got, times, by)
	}
	for _, v := range c.visits("") {
		if v.Status != 200 {
			c.t.Errorf("%s: a visit ended badly: %+v", what, v)
		}
	}
}

// firstDays is the story of one who has signed in nowhere, with a host that is
// not on a terminal: a call signs in, the next start needs no sign-in, and one
// that PayU has ended is made again.
func firstDays(t *testing.T, host func(*computer) talk) {
	t.Helper()
	c := newComputer(t, sandbox.Options{})
	say := host(c)

	// Signed out: the call signs in.
	from := c.model.mark()
	c.model.says(throughUs())
	say()
	c.onlyOurs("first use", c.lists(0)[0])
	c.opened("first use", "bridge", 1)
	c.gotAnswer("first use", from)

	// Another day: no sign-in, PayU's tools at once.
	wire, from := c.mark(), c.model.mark()
	c.model.says(turn{tool: payuTool})
	say()
	c.onlyPayUs("after a restart", c.lists(wire)[0])
	c.opened("after a restart", "bridge", 1)
	c.gotAnswer("after a restart", from)

	// PayU ends it.
	c.sb.RevokeFromDashboard("A")
	wire, from = c.mark(), c.model.mark()
	c.model.says(turn{tool: payuTool})
	say()
	c.onlyPayUs("after a revocation", c.lists(wire)[0])
	c.opened("after a revocation", "bridge", 2)
	c.gotAnswer("after a revocation", from)
}

func TestGemini_firstDays(t *testing.T)   { firstDays(t, (*computer).gemini) }
func TestClaude_firstDays(t *testing.T)   { big(t); firstDays(t, (*computer).claude) }
func TestCodex_firstDays(t *testing.T)    { big(t); firstDays(t, (*computer).codex) }
func TestOpencode_firstDays(t *testing.T) { big(t); firstDays(t, (*computer).opencode) }

// sameConversation is the story of the model that has just been let in: its next
// question already has PayU's tools, in a host that lists again when told to.
func sameConversation(t *testing.T, host func(*computer) talk) {
	t.Helper()
	c := newComputer(t, sandbox.Options{})
	say := host(c)
	c.model.says(turn{tool: "payu_login"}, turn{tool: payuTool})
	say()
	lists := c.lists(0)
	if len(lists) < 2 {
		t.Fatalf("the host did not list again: %q", lists)
	}
	c.onlyPayUs("after the sign-in", lists[1])
	if asked := c.model.since(0); len(asked) < 2 || !asked[1].offers(payuTool) {
		t.Errorf("after the sign-in the model is not offered PayU's tools: %+v", asked)
	}
	c.gotAnswer("in the same conversation", 0)
}

func TestGemini_sameConversation(t *testing.T) { sameConversation(t, (*computer).gemini) }

// signedInBefore is the story of one who ran `payu-mcp login` first: a host never
// sees our own tools.
func signedInBefore(t *testing.T, host func(*computer) talk) {
	t.Helper()
	c := newComputer(t, sandbox.Options{})
	say := host(c)
	c.signIn()
	c.model.says(turn{tool: payuTool})
	say()
	c.onlyPayUs("signed in before", c.lists(0)[0])
	c.gotAnswer("signed in before", 0)
}

func TestGemini_signedInBefore(t *testing.T)   { signedInBefore(t, (*computer).gemini) }
func TestClaude_signedInBefore(t *testing.T)   { big(t); signedInBefore(t, (*computer).claude) }
func TestCodex_signedInBefore(t *testing.T)    { big(t); signedInBefore(t, (*computer).codex) }
func TestOpencode_signedInBefore(t *testing.T) { big(t); signedInBefore(t, (*computer).opencode) }

// probed is the story of a host that only looks whether the bridge starts, and
// ends it (HOSTS H17): that opens no browser and leaves nothing behind.
func probed(t *testing.T, host func(*computer) talk) {
	t.Helper()
	c := newComputer(t, sandbox.Options{})
	say := host(c)
	for range 2 {
		if printed := say("mcp", "list"); !strings.Contains(strings.ToLower(printed), "connected") {
			t.Errorf("the host says %q, want that it is connected", printed)
		}
	}
	c.opened("a probe", "", 0)
	c.eventually("nothing is left", func() bool { return len(c.processes()) == 0 })
}

func TestGemini_probed(t *testing.T)   { probed(t, (*computer).gemini) }
func TestClaude_probed(t *testing.T)   { big(t); probed(t, (*computer).claude) }
func TestOpencode_probed(t *testing.T) { big(t); probed(t, (*computer).opencode) }
