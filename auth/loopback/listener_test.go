package loopback_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

const goodState = "the-state-of-this-flow"

func accept(q url.Values) bool { return q.Get("state") == goodState }

// own is a system that knows all visitors as this user.
func own(netip.AddrPort, netip.AddrPort) loopback.Peer { return loopback.PeerOwn }

// start serves one flow on a free port. The authorization URL leads back to the
// callback at once, as a browser that needs no page would.
func start(t *testing.T, bound bool) *loopback.Listener {
	t.Helper()
	ln, err := loopback.Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	ln.Serve(loopback.Flow{
		AuthorizationURL: ln.RedirectURI() + "?code=c&state=" + goodState,
		Accept:           accept, Bound: bound, Peer: own,
	})
	return ln
}

type reply struct {
	code   int
	body   string
	header http.Header
}

func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: tr}
}

func get(t *testing.T, c *http.Client, u string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, string(b), res.Header}
}

func wait(t *testing.T, ln *loopback.Listener) url.Values {
	t.Helper()
	select {
	case q := <-ln.Callback():
		return q
	case <-time.After(10 * time.Second):
		t.Fatal("no callback came")
		return nil
	}
}

func TestFlow_browserFollowsStartPage_getsResultAfterFinish(t *testing.T) {
	t.Parallel()
	ln := start(t, true)
	got := make(chan reply, 1)
	c := browser(t)
	go func() { got <- get(t, c, ln.StartURL()) }()
	if q := wait(t, ln); q.Get("code") != "c" {
		t.Errorf("callback = %v", q)
	}
	select {
	case <-got:
		t.Fatal("the browser was answered before the sign-in ended")
	default:
	}
	ln.Finish(loopback.Page{Kind: loopback.KindSuccess, Title: "You are signed in", Facts: []loopback.Fact{{Name: "Account", Values: []string{"<b>Store</b>"}}}})
	ln.Shown(t.Context())
	r := <-got
	if r.code != http.StatusOK || !strings.Contains(r.body, "<h1>You are signed in</h1>") {
		t.Errorf("page = %d %s", r.code, r.body)
	}
	if strings.Contains(r.body, "<b>Store") || !strings.Contains(r.body, "&lt;b&gt;Store") {
		t.Error("a value is not escaped")
	}
	checkHeaders(t, r.header)
}

func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-",
		"Referrer-Policy":         "no-referrer",
		"Cache-Control":           "no-store",
		"X-Content-Type-Options":  "nosniff",
	} {
		if !strings.HasPrefix(h.Get(name), want) {
			t.Errorf("%s = %q", name, h.Get(name))
		}
	}
}

// Two cookie jars: only the browser that opened the start page can finish.
//
//oauth:row X9 auth/loopback/handler.go "!l.flow.Bound || l.hasCookie(r)" => "true"
//oauth:row X9 auth/loopback/handler.go "; Path=/; HttpOnly; SameSite=Lax" => "; Path=/start; HttpOnly; SameSite=Lax"
func TestCallback_secondBrowser_refusedAndFlowGoesOn(t *testing.T) {
	t.Parallel()
	ln := start(t, true)
	own, stranger := browser(t), browser(t)
	got := make(chan reply, 1)
	// The own browser opens the start page but does not follow yet.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if r := get(t, own, ln.StartURL()); r.code != http.StatusFound {
		t.Fatalf("start page = %d", r.code)
	}
	if r := get(t, stranger, ln.StartURL()); r.code != http.StatusForbidden {
		t.Errorf("a second browser was let in: %d", r.code)
	}
	if r := get(t, stranger, ln.RedirectURI()+"?code=evil&state="+goodState); r.code != http.StatusBadRequest {
		t.Errorf("a callback without the cookie was answered %d", r.code)
	}
	own.CheckRedirect = nil
	go func() { got <- get(t, own, ln.StartURL()) }()
	if q := wait(t, ln); q.Get("code") != "c" {
		t.Errorf("callback = %v", q)
	}
	ln.Finish(loopback.Page{Kind: loopback.KindSuccess, Title: "ok"})
	if r := <-got; r.code != http.StatusOK {
		t.Errorf("own browser = %d", r.code)
	}
}

// An answer counts once.
//
//oauth:row A25 auth/loopback/listener.go "first := !l.used" => "first := true"
func TestCallback_second_isToldAlreadyUsed(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	cb := ln.RedirectURI() + "?code=c&state=" + goodState
	got := make(chan reply, 1)
	c := browser(t)
	go func() { got <- get(t, c, cb) }()
	wait(t, ln)
	r := get(t, browser(t), cb)
	if r.code != http.StatusConflict || !strings.Contains(r.body, "Already used") {
		t.Errorf("second callback = %d %s", r.code, r.body)
	}
	ln.Finish(loopback.Page{Kind: loopback.KindFailed, Title: "done"})
	<-got
}

func TestListen_portTaken_error(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	if _, err := loopback.Listen(t.Context(), ln.Port()); err == nil {
		t.Error("a taken port was bound")
	}
}

// What was answered in another way is not answered again by a browser.
func TestTake_thenCallback_isToldAlreadyUsed(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	if !ln.Take() || ln.Take() {
		t.Error("it can be taken once")
	}
	if r := get(t, browser(t), ln.RedirectURI()+"?code=c&state="+goodState); r.code != http.StatusConflict {
		t.Errorf("callback = %d", r.code)
	}
}

// The flow goes on in another process: the browser that has the cookie may
// finish, and no other gets one.
func TestServe_openedBefore_onlyTheSameBrowser(t *testing.T) {
	t.Parallel()
	opened := 0
	flow := func(ln *loopback.Listener) loopback.Flow {
		return loopback.Flow{
			AuthorizationURL: ln.RedirectURI() + "?code=c&state=" + goodState, Accept: accept, Bound: true,
			Start: "NONCE", Cookie: "COOKIE", OnOpen: func() { opened++ }, Peer: own,
		}
	}
	first, err := loopback.Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	first.Serve(flow(first))
	own := browser(t)
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	get(t, own, first.StartURL())
	get(t, own, first.StartURL())
	if opened != 1 {
		t.Errorf("told %d times that it was opened", opened)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := loopback.Listen(t.Context(), first.Port())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	f := flow(second)
	f.Opened = true
	second.Serve(f)
	stranger := browser(t)
	stranger.CheckRedirect = own.CheckRedirect
	if r := get(t, stranger, second.StartURL()); r.code != http.StatusForbidden {
		t.Errorf("stranger = %d", r.code)
	}
	if r := get(t, own, second.StartURL()); r.code != http.StatusFound {
		t.Errorf("own browser = %d", r.code)
	}
	go func() {
		wait(t, second)
		second.Finish(loopback.Page{Kind: loopback.KindSuccess, Title: "ok"})
	}()
	if r := get(t, own, second.RedirectURI()+"?code=c&state="+goodState); r.code != http.StatusSeeOther || opened != 1 {
		t.Errorf("callback = %d, opened %d", r.code, opened)
	}
}
