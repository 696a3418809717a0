package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// auditLimit is long: axe-core looks at each page four times, and other tests run
// beside it.
const auditLimit = 5 * time.Minute

// view is what Chromium saw of a page of ours, and what is wrong with it.
type view struct {
	Name, Title, Heading string
	Status               int
	Problems             []string
}

// look opens pages in Chromium and has each audited; the pictures go to
// out/page-NAME-SCHEME-WIDTH.png.
func (w *world) look(pages map[string]string) map[string]view {
	w.t.Helper()
	type page struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	list := struct {
		Out   string `json:"out"`
		Pages []page `json:"pages"`
	}{Out: outDir}
	for name, u := range pages {
		list.Pages = append(list.Pages, page{"page-" + name, u})
	}
	data, err := json.Marshal(list)
	file := w.path("pages.json")
	if err != nil || os.WriteFile(file, data, 0o600) != nil {
		w.t.Fatal(err)
	}
	r := w.must(w.runFor(auditLimit, node, filepath.Join(npmDir, "pages.mjs"), file), 0)
	views := map[string]view{}
	for line := range strings.Lines(r.stdout) {
		var v view
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			w.t.Fatalf("%v: %s", err, line)
		}
		views[strings.TrimPrefix(v.Name, "page-")] = v
	}
	return views
}

// stage is a listener in the state in which it shows one kind of page.
type stage struct {
	t    *testing.T
	ln   *loopback.Listener
	flow loopback.Flow
}

func newStage(t *testing.T, peer loopback.Peer) *stage {
	t.Helper()
	ln, err := loopback.Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	s := &stage{t: t, ln: ln, flow: loopback.Flow{
		AuthorizationURL: ln.RedirectURI(),
		Accept:           func(q url.Values) bool { return q.Get("state") == "good" },
		Peer:             func(netip.AddrPort, netip.AddrPort) loopback.Peer { return peer },
	}}
	return s
}

func (s *stage) serve() *stage { s.ln.Serve(s.flow); return s }

func (s *stage) at(path string) string {
	return strings.TrimSuffix(s.ln.RedirectURI(), "/callback") + path
}

// visit is another browser's look, which stays where it is sent.
func (s *stage) visit(u string) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, u, http.NoBody)
	if err != nil {
		s.t.Error(err)
		return
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return // the test is over
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
}

// answered is a stage whose sign-in has got its answer.
func (s *stage) answered() *stage {
	go s.visit(s.at("/callback?state=good")) // held until the end
	<-s.ln.Callback()
	return s
}

// stages has one address for each page that is shown without the end of a
// sign-in, and for one whose facts are as bad as they can be.
func stages(t *testing.T) map[string]string {
	t.Helper()
	plain := func() *stage { return newStage(t, loopback.PeerOwn).serve() }
	other, two, late, full := plain(), newStage(t, loopback.PeerUnknown), plain(), plain().answered()
	two.flow.Bound = true
	two.serve()
	other.visit(other.ln.StartURL())
	two.visit(two.ln.StartURL())
	late.ln.Linger(time.Hour)
	full.ln.Finish(loopback.Page{
		Kind: loopback.KindFailed, Title: strings.Repeat("Unbreakable", 12), Command: strings.Repeat("--option=", 30),
		Lines: []string{strings.Repeat("w", 300), "تعذّر تسجيل الدخول لأن الخادم رفض الطلب (access_denied)."},
		Facts: []loopback.Fact{
			{Name: "Account", Values: []string{"حساب التاجر <script>alert(1)</script> Store"}},
			{Name: "Endpoint", Values: []string{"https://" + strings.Repeat("a", 60) + ".example/" + strings.Repeat("path/", 40)}},
			{Name: "Scopes", Values: []string{strings.Repeat("read_", 60), "write:everything", "שלום"}},
			{Name: strings.Repeat("Name", 20), Values: []string{""}},
		},
	})
	return map[string]string{
		"nothing-here":  plain().at("/"),
		"wrong-state":   plain().at("/callback?code=c&state=bad"),
		"already-used":  plain().answered().at("/callback?code=c&state=good"),
		"other-browser": other.ln.StartURL(),
		"other-user":    newStage(t, loopback.PeerStranger).serve().at("/callback?code=c&state=good"),
		"two-browsers":  two.ln.StartURL(),
		"too-late":      late.at("/callback?code=c&state=good"),
		"pending":       plain().answered().at("/done"),
		"long-texts":    full.at("/done"),
	}
}

// Whoever meets a page of ours can read it: axe-core finds nothing, in light and
// dark, on a telephone and on a desk, and nothing is wider than the screen.
func TestPages_ofTheListener_accessible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pages := stages(t)
	views := w.look(pages)
	for name := range pages {
		v, seen := views[name]
		if !seen || len(v.Problems) > 0 || v.Title == "" || v.Heading == "" || strings.Contains(v.Heading, "|") {
			t.Errorf("%s: seen %v, title %q, headings %q, status %d\n%s", name, seen, v.Title, v.Heading, v.Status, strings.Join(v.Problems, "\n"))
		}
	}
}

// audited is what Chromium found on the last page of a sign-in.
type audited struct {
	Name, Title, Text string
	Problems          []string
}

// The pages at the end of a sign-in, each by the built program, tell what a
// person wants to know, and whoever it is can read them.
func TestPages_ofASignIn_tellAndAccessible(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		browser map[string]any
		outcome sandbox.Outcome
		host    string // "": the login command
		code    int
		title   string
		tells   []string
	}{
		"signed-in": {nil, sandbox.OutcomeAsChosen, "", 0, "Signed in - payu-mcp", []string{"You are signed in", "payu-mcp login", "go back to the terminal", "read_reports"}},
		"host":      {nil, sandbox.OutcomeAsChosen, "Claude Desktop", 0, "Signed in - payu-mcp", []string{"You are signed in", "go back to Claude Desktop"}},
		"denied":    {map[string]any{"deny": true}, sandbox.OutcomeAsChosen, "", 4, "Denied - payu-mcp", []string{"Sign-in denied", "access_denied", "No login was stored", "payu-mcp login"}},
		"failed":    {nil, sandbox.OutcomeInvalidScope, "", 6, "Failed - payu-mcp", []string{"Sign-in failed", "invalid_scope", "--scope", "payu-mcp login"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sb := startSandbox(t, sandbox.Options{})
			sb.SetOutcome(c.outcome)
			settings := map[string]any{"audit": true}
			maps.Copy(settings, c.browser)
			w.chromium("page-end-"+name, settings)
			if c.host == "" {
				w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file", "--scope", "read_reports read_payments"), c.code)
			} else {
				w.callAs(c.host, sb)
			}
			var found []audited
			w.eventually("the page is judged", auditLimit, func() bool {
				found = readLines[audited](w, "audits.jsonl")
				return len(found) > 0 || len(readLines[struct{ Name string }](w, "visits.jsonl")) > 0
			})
			w.visited("page-end-" + name) // its profile, which holds codes, is gone then
			if len(found) != 1 || len(found[0].Problems) > 0 || found[0].Title != c.title {
				t.Fatalf("%+v\n%s", found, w.browserSays())
			}
			for _, want := range append(c.tells, sb.Endpoint()) {
				if !strings.Contains(found[0].Text, want) {
					t.Errorf("the page does not say %q:\n%s", want, found[0].Text)
				}
			}
			if c.code == 0 {
				w.noLeaks(sb.Secrets())
			}
		})
	}
}

// callAs lets a host of that name call a tool, which signs the person in.
func (w *world) callAs(name string, sb *sandbox.Sandbox) {
	w.t.Helper()
	h := w.startHost("--url", sb.Endpoint(), "--store=file")
	h.ask("initialize", map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "h", "title": name, "version": "1"},
	})
	h.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	h.ask("tools/call", map[string]any{"name": "health_check", "arguments": map[string]any{}})
}
