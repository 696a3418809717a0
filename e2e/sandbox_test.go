package e2e

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func startSandbox(t *testing.T, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	sb, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		keepSecrets(sb)
		if err := sb.Close(); err != nil {
			t.Errorf("closing the sandbox: %v", err)
		}
	})
	return sb
}

func headings(pages []page) []string {
	var all []string
	for _, p := range pages {
		all = append(all, p.Heading)
	}
	return all
}

// A person signs in on the sandbox's pages. The pictures are test output.
func TestChromium_sandbox_walksLoginConsentAndSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.chromium("sandbox", map[string]any{"user": "B"})
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)

	pages := w.visited("sandbox")
	if len(pages) != 3 {
		t.Fatalf("pages: %q, want login, consent, success", headings(pages))
	}
	if last := pages[2]; last.Path != "/done" || !strings.Contains(strings.ToLower(last.Heading), "signed in") {
		t.Errorf("the last page is %s %q", last.Path, last.Heading)
	}
	logFile := w.path("logs", "bridge.log")
	h := w.startHost("--log-file", logFile)
	h.initialize()
	h.works()
	h.end()
	if info, err := os.Stat(logFile); err != nil || info.Size() == 0 {
		t.Errorf("no log to search (%v)", err)
	}
	w.must(w.payu("logout"), 0)
	w.noLeaks(sb.Secrets())
}

func TestChromium_refused_endsWithTheFailurePage(t *testing.T) {
	t.Parallel()
	for name, driver := range map[string]map[string]any{
		"denied":     {"user": "A", "deny": true},
		"notenabled": {"user": "C"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sb := startSandbox(t, sandbox.Options{})
			w.chromium(name, driver)
			r := w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 4)
			if !strings.Contains(r.stderr, "payu-mcp: hint:") {
				t.Errorf("no hint: %s", r.stderr)
			}
			pages := w.visited(name)
			if last := pages[len(pages)-1]; !strings.HasPrefix(last.Origin, "http://127.0.0.1:") || strings.Contains(strings.ToLower(last.Heading), "you are signed in") {
				t.Errorf("the last page is %s%s %q", last.Origin, last.Path, last.Heading)
			}
			w.must(w.payu("status", "--url", sb.Endpoint()), 3)
		})
	}
}

// Small screens: the same pages at 320 pixels, for the eye.
func TestChromium_narrow_walksTheSamePages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.chromium("narrow", map[string]any{"viewport": map[string]int{"width": 320, "height": 640}})
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	if pages := w.visited("narrow"); len(pages) != 3 {
		t.Errorf("pages: %q, want 3", headings(pages))
	}
}

// PayU's own names, through the sandbox's proxy and CA: nothing is told to
// payu-mcp but how to get out.
func TestPayU_ownNames_signInWithoutURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{TLS: true, HTTP2: true, PayUNames: true})
	proxy, err := url.Parse(sb.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	ca := w.path("ca.pem")
	if err := os.WriteFile(ca, sb.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.chromium("payu", map[string]any{"proxy": proxy.Host, "insecure": true, "hosts": []string{"api.payu.in", "accounts.payu.in"}})

	w.must(w.payu("login", "--store=file", "--ca-file", ca, "--proxy", sb.ProxyURL()), 0)
	pages := w.visited("payu")
	if !slices.ContainsFunc(pages, func(p page) bool { return p.Origin == "https://accounts.payu.in" }) {
		t.Errorf("the browser was never at accounts.payu.in: %+v", pages)
	}
	if r := w.must(w.payu("status"), 0); !strings.Contains(r.stdout, "https://api.payu.in/mcp") {
		t.Errorf("status does not name PayU: %s", r.stdout)
	}
	h := w.startHost() // a host's entry has no options: the profile remembers them
	h.initialize()
	h.works()
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	w.must(w.payu("logout"), 0)
	if n := sb.Log().Count(sandbox.Query{Role: sandbox.RoleForeign}); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
	w.noLeaks(sb.Secrets())
}
