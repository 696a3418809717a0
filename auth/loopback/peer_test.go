package loopback_test

import (
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

// bound is a bound flow whose next visitors are whoever peer says.
type bound struct {
	t         *testing.T
	ln        *loopback.Listener
	peer      atomic.Int64
	opened    atomic.Int64
	strangers atomic.Int64
}

func startBound(t *testing.T, change func(*loopback.Flow)) *bound {
	t.Helper()
	ln, err := loopback.Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	b := &bound{t: t, ln: ln}
	f := loopback.Flow{
		AuthorizationURL: ln.RedirectURI() + "?code=c&state=" + goodState, Accept: accept, Bound: true,
		OnOpen: func() { b.opened.Add(1) }, OnStranger: func() { b.strangers.Add(1) },
		Peer: func(_, server netip.AddrPort) loopback.Peer {
			if server != netip.MustParseAddrPort(strings.Split(ln.RedirectURI(), "/")[2]) {
				t.Errorf("asked about %v", server)
			}
			return loopback.Peer(b.peer.Load())
		},
	}
	change(&f)
	ln.Serve(f)
	return b
}

// come is a visit by a browser of somebody, which goes nowhere by itself.
func (b *bound) come(c *http.Client, who loopback.Peer, u string) reply {
	b.t.Helper()
	b.peer.Store(int64(who))
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return get(b.t, c, u)
}

func (b *bound) wantFinish(own *http.Client) {
	b.t.Helper()
	go func() {
		wait(b.t, b.ln)
		b.ln.Finish(loopback.Page{Kind: loopback.KindSuccess, Title: "ok"})
	}()
	if r := b.come(own, loopback.PeerOwn, b.ln.RedirectURI()+"?code=c&state="+goodState); r.code != http.StatusSeeOther {
		b.t.Errorf("the person's callback = %d", r.code)
	}
}

// Another user of the computer who has read the opener's argument list, and is
// faster than the browser, gets nothing, and the person signs in.
//
//oauth:row X9 auth/loopback/handler.go "case peer == PeerStranger:" => "case false:"
func TestPeer_anotherUser_refusedEverywhereAndPersonGoesOn(t *testing.T) {
	t.Parallel()
	b := startBound(t, func(*loopback.Flow) {})
	callback := b.ln.RedirectURI() + "?code=evil&state=" + goodState
	done := strings.Replace(b.ln.RedirectURI(), "callback", "done", 1)
	thief, own := browser(t), browser(t)
	for _, u := range []string{b.ln.StartURL(), callback, done} {
		r := b.come(thief, loopback.PeerStranger, u)
		if r.code != http.StatusForbidden || r.header.Get("Set-Cookie") != "" || r.header.Get("Location") != "" || !strings.Contains(r.body, "Started by another user") {
			t.Errorf("%s = %d %v", u, r.code, r.header)
		}
	}
	if n := b.opened.Load(); n != 0 || b.strangers.Load() != 3 {
		t.Errorf("opened %d, told of %d strangers", n, b.strangers.Load())
	}
	if r := b.come(own, loopback.PeerOwn, b.ln.StartURL()); r.code != http.StatusFound {
		t.Errorf("the person's browser = %d", r.code)
	}
	// With the person's cookie it is still another user.
	if r := b.come(own, loopback.PeerStranger, callback); r.code != http.StatusForbidden {
		t.Errorf("with the cookie = %d", r.code)
	}
	b.wantFinish(own)
}

// Where nobody can tell whose a browser is, two of them end the sign-in.
//
//oauth:row X9 auth/loopback/handler.go "case l.sure, peer == PeerOwn:" => "case l.opened:"
func TestStart_twoBrowsersOfUnknownUsers_contested(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*loopback.Flow){
		"opened here":         func(*loopback.Flow) {},
		"opened in a process": func(f *loopback.Flow) { f.Opened, f.Cookie = true, "COOKIE" },
	} {
		b := startBound(t, change)
		first, second := browser(t), browser(t)
		if name == "opened here" {
			b.come(first, loopback.PeerUnknown, b.ln.StartURL())
			if r := b.come(first, loopback.PeerUnknown, b.ln.StartURL()); r.code != http.StatusFound {
				t.Errorf("%s: the same browser again = %d", name, r.code)
			}
		}
		select {
		case <-b.ln.Contested():
			t.Errorf("%s: contested by one browser", name)
		default:
		}
		if r := b.come(second, loopback.PeerUnknown, b.ln.StartURL()); r.code != http.StatusForbidden || !strings.Contains(r.body, "Opened by two browsers") {
			t.Errorf("%s: the second browser = %d %s", name, r.code, r.body)
		}
		select {
		case <-b.ln.Contested():
		default:
			t.Errorf("%s: not contested", name)
		}
		if r := b.come(first, loopback.PeerUnknown, b.ln.RedirectURI()+"?code=c&state="+goodState); r.code == http.StatusSeeOther {
			t.Errorf("%s: a callback was accepted afterwards", name)
		}
	}
}

// Where one of the two is known to be the person's, the second is refused, and
// that is all.
func TestStart_secondBrowserOfAKnownUser_refusedOnly(t *testing.T) {
	t.Parallel()
	for name, who := range map[string][2]loopback.Peer{
		"first known":  {loopback.PeerOwn, loopback.PeerUnknown},
		"second known": {loopback.PeerUnknown, loopback.PeerOwn},
		"both known":   {loopback.PeerOwn, loopback.PeerOwn},
	} {
		b := startBound(t, func(*loopback.Flow) {})
		own := browser(t)
		b.come(own, who[0], b.ln.StartURL())
		if r := b.come(browser(t), who[1], b.ln.StartURL()); r.code != http.StatusForbidden || !strings.Contains(r.body, "Opened in another browser") {
			t.Errorf("%s: the second browser = %d", name, r.code)
		}
		b.wantFinish(own)
	}
}

// Once the answer is there, a second browser does not change it.
func TestStart_secondBrowserAfterTheAnswer_refusedOnly(t *testing.T) {
	t.Parallel()
	b := startBound(t, func(*loopback.Flow) {})
	own := browser(t)
	b.come(own, loopback.PeerUnknown, b.ln.StartURL())
	b.wantFinish(own)
	if r := b.come(browser(t), loopback.PeerUnknown, b.ln.StartURL()); r.code != http.StatusForbidden || strings.Contains(r.body, "two browsers") {
		t.Errorf("the second browser = %d", r.code)
	}
}
