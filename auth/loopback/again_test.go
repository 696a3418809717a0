package loopback_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

// goOn serves a flow whose first callback leads to another authorization request,
// as if the server had forgotten the client. Browsers stop before they follow an
// authorization URL.
func goOn(t *testing.T, bound bool) (ln *loopback.Listener, second *atomic.Bool) {
	t.Helper()
	ln, err := loopback.Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	second = &atomic.Bool{}
	ln.Serve(loopback.Flow{
		AuthorizationURL: "https://server.example/authorize?round=1", Bound: bound,
		Accept: func(q url.Values) bool {
			return q.Get("state") == map[bool]string{false: "one", true: "two"}[second.Load()]
		},
	})
	return ln, second
}

func still(t *testing.T) *http.Client {
	t.Helper()
	c := browser(t)
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

const secondURL = "https://server.example/authorize?round=2"

func TestGoOn_heldBrowser_sentOnAndOnlyTheNewCallbackCounts(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]bool{"bound": true, "handed out": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ln, second := goOn(t, bound)
			own, got := still(t), make(chan reply, 1)
			get(t, own, ln.StartURL())
			go func() { got <- get(t, own, ln.RedirectURI()+"?code=a&state=one") }()
			wait(t, ln)
			second.Store(true)
			ln.GoOn(secondURL)
			if r := <-got; r.code != http.StatusSeeOther || r.header.Get("Location") != secondURL || r.body != "" {
				t.Errorf("the held browser: %d to %q %s", r.code, r.header.Get("Location"), r.body)
			}
			if r := get(t, own, ln.StartURL()); r.header.Get("Location") != secondURL {
				t.Errorf("the start page leads to %q", r.header.Get("Location"))
			}
			if r := get(t, own, ln.RedirectURI()+"?code=a&state=one"); r.code != http.StatusBadRequest {
				t.Errorf("the first callback again: %d", r.code)
			}
			wantDone(t, ln, own, bound)
			go func() { got <- get(t, own, ln.RedirectURI()+"?code=b&state=two") }()
			if q := wait(t, ln); q.Get("code") != "b" {
				t.Errorf("callback = %v", q)
			}
			ln.Finish(loopback.Page{Kind: loopback.KindSuccess, Title: "You are signed in"})
			<-got
			if r := get(t, own, done(ln)); !strings.Contains(r.body, "You are signed in") {
				t.Errorf("last page: %d %s", r.code, r.body)
			}
		})
	}
}

func done(ln *loopback.Listener) string {
	return strings.TrimSuffix(ln.RedirectURI(), "/callback") + "/done"
}

// wantDone looks where the last page leads while the flow goes on: on, for the
// browser with the cookie that was held for too long; nowhere for others, who are
// told no address and cannot finish.
func wantDone(t *testing.T, ln *loopback.Listener, own *http.Client, bound bool) {
	t.Helper()
	want := map[bool]int{true: http.StatusSeeOther, false: http.StatusNotFound}
	if r := get(t, own, done(ln)); r.code != want[bound] {
		t.Errorf("the last page of the browser: %d to %q", r.code, r.header.Get("Location"))
	}
	if r := get(t, still(t), done(ln)); r.code != http.StatusNotFound || r.header.Get("Location") != "" {
		t.Errorf("the last page of another browser: %d", r.code)
	}
	if !bound {
		return
	}
	if r := get(t, still(t), ln.RedirectURI()+"?code=b&state=two"); r.code != http.StatusBadRequest {
		t.Errorf("a callback without the cookie: %d", r.code)
	}
}
