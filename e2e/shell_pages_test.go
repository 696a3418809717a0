package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// A server asks the person of a call to open a page (elicitation in mode "url").

// pageWorld is a shellWorld whose server asks for a page, and whose browser leaves
// a file behind if it is ever opened.
type pageWorld struct {
	*world

	sb    *sandbox.Sandbox
	knobs sandbox.MCPKnobs
	mark  string
}

func newPageWorld(t *testing.T, knobs sandbox.MCPKnobs) *pageWorld {
	t.Helper()
	w, sb := shellWorld(t, knobs)
	p := &pageWorld{w, sb, knobs, w.path("browser-was-opened")}
	w.setenv("PAYU_MCP_BROWSER", "touch "+p.mark)
	t.Cleanup(func() {
		if _, err := os.Stat(p.mark); err == nil {
			t.Error("a browser was opened")
		}
	})
	return p
}

// asks starts a call in which the server asks for a page.
func (p *pageWorld) asks(address string) *terminal {
	p.t.Helper()
	p.knobs.Tools = sandbox.ToolKnobs{Ask: true, AskURL: address}
	p.sb.SetMCP(p.knobs)
	return p.startTerminal(shape{}, "call", sandbox.AskTool)
}

// The person sees the whole address and whose it is, opens it or not, and the server
// hears what they say. No browser is opened.
func TestShell_serverAsksForAPage_personDecides(t *testing.T) {
	t.Parallel()
	for name, knobs := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPageWorld(t, knobs)
			for _, c := range []struct{ address, whose, keys, action string }{
				{"https://pay.evil.example/x?a=b&c=%20d#e", "The page is at pay.evil.example, which is not PayU's.", "y\n", "accept"},
				{"https://api.payu.in.evil.example/verify", "The page is at api.payu.in.evil.example, which is not PayU's.", "n\n", "decline"},
				{"https://accounts.payu.in/kyc?merchant=1", "The page is at accounts.payu.in, which is PayU's.", "\n", "decline"},
				{"https://xn--pyu-7cd.in:8443/", "The page is at xn--pyu-7cd.in:8443, which is not PayU's.", ctrlD, "decline"},
			} {
				term := w.asks(c.address)
				term.sees("Have you opened it? [y/N]")
				for _, part := range []string{"A page for this probe\r\n", "\n  " + c.address + "\r\n", c.whose} {
					if !strings.Contains(term.seen.String(), part) {
						t.Errorf("the terminal lacks %q: %q", part, term.seen)
					}
				}
				term.types(c.keys)
				term.ends(0)
				term.harmless()
				if !strings.Contains(term.stdout.String(), `"action":"`+c.action+`"`) {
					t.Errorf("%q: the server heard %s", c.keys, term.stdout)
				}
			}
			w.must(w.payu("call", sandbox.AskTool), exitError) // nobody to ask: the server is told so
		})
	}
}

// An address that is not what it seems, or not safe, is not shown: the server is
// told no at once.
func TestShell_serverAsksForABadPage_toldNo(t *testing.T) {
	t.Parallel()
	w := newPageWorld(t, sandbox.MCPKnobs{Answer: sandbox.AnswerSSE})
	for _, address := range []string{
		"http://pay.evil.example/marker",
		"https://accounts.payu.in@evil.example/marker",
		"https://accounts.payu.in\u200d.evil.example/marker",
		"https://p\u0430yu.in/marker", // a letter of another script
		"https://2130706433/marker",
		"https://evil.example\\@payu.in/marker",
		"https://payu.in/marker\npayu-mcp: hint: run rm",
		"javascript:alert(marker)",
		"file:///etc/marker",
		"//evil.example/marker",
		"https:///marker",
		"https://evil.example/marker" + strings.Repeat("x", 5000), // longer than what is shown of anything
	} {
		term := w.asks(address)
		term.ends(0)
		term.harmless()
		if !strings.Contains(term.stdout.String(), `"action":"decline"`) {
			t.Errorf("%.60q: the server heard %s", address, term.stdout)
		}
		if seen := term.seen.String(); strings.Contains(seen, "marker") || !strings.Contains(seen, "is not safe to open, so it was told no") {
			t.Errorf("%.60q: the terminal shows %q", address, seen)
		}
	}
}

// Ctrl-C at the question ends the call, and it is cancelled at the server.
func TestShell_interruptedAtAPage_callIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, knobs := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPageWorld(t, knobs)
			term := w.asks("https://pay.evil.example/")
			term.sees("Have you opened it? [y/N]")
			term.types(ctrlC)
			term.ends(130)
			w.nothingLeft()
		})
	}
}

// Of two questions that come at once each is asked for itself: a yes is one to what
// the person sees.
func TestShell_serverAsksTwice_oneAfterTheOther(t *testing.T) {
	t.Parallel()
	w, in := newWorld(t), &fault.Injector{}
	sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap, Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Era: sandbox.EraModern}}})
	w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --user A`)
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	asks := func(host string) string {
		return `"` + host + `":{"method":"elicitation/create","params":{"mode":"url","message":"m","url":"https://` + host + `/"}}`
	}
	answers := make(chan map[string]struct{ Action string }, 1)
	in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1, func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
		body, _ := io.ReadAll(r.Body) // the bridge's own
		var m struct {
			Params struct {
				InputResponses map[string]struct{ Action string }
			}
		}
		_ = json.Unmarshal(body, &m)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if m.Params.InputResponses == nil {
			oddly(http.StatusOK, `"id":ID,"result":{"resultType":"input_required","inputRequests":{`+asks("a.example")+`,`+asks("b.example")+`}}`)(rw, r, nil)
			return
		}
		answers <- m.Params.InputResponses
		oddly(http.StatusOK, `"id":ID,"result":{"resultType":"complete","content":[]}`)(rw, r, nil)
	})
	term := w.startTerminal(shape{}, "call", create, `{"invoiceNumber":"I","amount":1}`)
	term.sees("Have you opened it? [y/N]")
	first := "a.example"
	if strings.Contains(term.seen.String(), "https://b.example/") {
		first = "b.example"
	}
	term.types("y\n")
	second := map[string]string{"a.example": "b.example", "b.example": "a.example"}[first]
	term.sees("https://" + second + "/")
	if before, _, _ := strings.Cut(term.seen.String(), second); strings.Count(before, "[y/N]") != 1 || !strings.Contains(before, "[y/N] y\r\n") {
		t.Errorf("both were asked at once: %q", term.seen)
	}
	term.types("n\n")
	term.ends(0)
	if got := <-answers; got[first].Action != "accept" || got[second].Action != "decline" {
		t.Errorf("asked for %s first, the server heard %v", first, got)
	}
}
