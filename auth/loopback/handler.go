package loopback

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// cookieName names the cookie that binds the flow to the browser that opened the
// start page. It is another one for each flow: cookies do not know ports. It
// stays the same when the flow goes on in another process.
func (f *Flow) cookieName() string {
	sum := sha256.Sum256([]byte(f.Cookie))
	return "payu_mcp_" + hex.EncodeToString(sum[:4])
}

func (l *Listener) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		switch {
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			l.show(w, http.StatusMethodNotAllowed, notFound)
		case r.Host != l.host(), r.URL.IsAbs(): // DNS rebinding: a page whose name points here (OAUTH X10)
			l.show(w, http.StatusForbidden, notFound)
		case isPrefetch(r):
			w.WriteHeader(http.StatusNoContent)
		default:
			l.judge(w, r)
		}
	})
}

// judge turns other users of this computer away and, when the sign-in's time is
// over, everybody.
func (l *Listener) judge(w http.ResponseWriter, r *http.Request) {
	peer := l.peerOf(r)
	late := l.latePage()
	switch {
	case peer == PeerStranger:
		if l.flow.OnStranger != nil {
			l.flow.OnStranger()
		}
		l.show(w, http.StatusForbidden, otherUser)
	case late != nil:
		l.serveLate(w, r, *late)
	default:
		l.route(w, r, peer)
	}
}

func (l *Listener) route(w http.ResponseWriter, r *http.Request, peer Peer) {
	switch p := r.URL.EscapedPath(); { // as it was sent: %63allback is another path
	case p == callbackPath:
		l.serveCallback(w, r)
	case p == donePath:
		l.serveDone(w, r)
	case strings.HasPrefix(p, startPath):
		l.serveStart(w, r, p[len(startPath):], peer)
	case p == "/favicon.ico":
		w.WriteHeader(http.StatusNoContent)
	default:
		l.show(w, http.StatusNotFound, notFound)
	}
}

// serveStart sends the browser on and marks it with the cookie. A second
// browser is refused, and sees that: who reads the opener's argv and is faster
// than the browser does not go unnoticed.
func (l *Listener) serveStart(w http.ResponseWriter, r *http.Request, nonce string, peer Peer) {
	f := l.flow
	if !equal(nonce, f.Start) {
		l.show(w, http.StatusNotFound, notFound)
		return
	}
	switch l.admit(l.hasCookie(r), peer) {
	case admitted:
		// Lax, so that it comes along when the authorization server redirects back
		// (OAUTH X9). Without Secure: the loopback redirect is http (RFC 8252 section 7.3).
		w.Header().Set("Set-Cookie", f.cookieName()+"="+f.Cookie+"; Path=/; HttpOnly; SameSite=Lax")
		redirect(w, l.authorizationURL(), http.StatusFound)
	case refused:
		l.show(w, http.StatusForbidden, otherBrowser)
	case contested:
		l.show(w, http.StatusForbidden, twoBrowsers)
	}
}

type admission int

const (
	admitted  admission = iota // the first browser, or one that has the cookie
	refused                    // another browser of the person
	contested                  // nobody can tell whose the first one was
)

// admit decides who passes the start page of a bound flow.
func (l *Listener) admit(hasCookie bool, peer Peer) admission {
	l.opening.Lock()
	defer l.opening.Unlock()
	switch {
	case !l.opened:
		l.opened, l.sure = true, peer == PeerOwn
		if l.flow.OnOpen != nil {
			l.flow.OnOpen()
		}
		return admitted
	case hasCookie:
		return admitted
	case l.sure, peer == PeerOwn: // where own users are known, the first one was known as well
		return refused
	}
	if !l.Take() {
		return refused
	}
	close(l.contested)
	return contested
}

func (l *Listener) serveCallback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !l.flow.Accept(q) {
		l.show(w, http.StatusBadRequest, wrongState)
		return
	}
	if !l.mayFinish(r) {
		l.show(w, http.StatusBadRequest, otherBrowser)
		return
	}
	if !l.Take() {
		l.show(w, http.StatusConflict, alreadyUsed)
		return
	}
	round := l.round()
	l.callback <- q
	l.await(r, round)
	// Code and state leave the address bar with this redirect.
	redirect(w, l.after(round), http.StatusSeeOther)
}

// mayFinish checks the cookie of a bound flow.
func (l *Listener) mayFinish(r *http.Request) bool { return !l.flow.Bound || l.hasCookie(r) }

func (l *Listener) await(r *http.Request, round <-chan struct{}) {
	t := time.NewTimer(l.hold)
	defer t.Stop()
	select {
	case <-round:
	case <-t.C:
	case <-r.Context().Done():
	}
}

func (l *Listener) serveDone(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	used, result := l.used, l.result
	l.mu.Unlock()
	switch {
	case l.goesOn(r):
		redirect(w, l.authorizationURL(), http.StatusSeeOther)
	case !used || !l.mayFinish(r): // the page names the account
		l.show(w, http.StatusNotFound, notFound)
	case result.Kind == "":
		w.Header().Set("Refresh", "2")
		l.show(w, http.StatusOK, pending)
	default:
		l.show(w, http.StatusOK, result)
		l.markShown()
	}
}

func (l *Listener) markShown() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.shown:
	default:
		close(l.shown)
	}
}

func redirect(w http.ResponseWriter, to string, code int) {
	// Not http.Redirect: its body repeats the URL.
	w.Header().Set("Location", to)
	w.WriteHeader(code)
}

func (l *Listener) hasCookie(r *http.Request) bool {
	c, err := r.Cookie(l.flow.cookieName())
	return err == nil && equal(c.Value, l.flow.Cookie)
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// isPrefetch tells a browser that only warms up; a code is used once, so such a
// request must not use it (OAUTH X10).
func isPrefetch(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Purpose") == "prefetch" ||
		r.Header.Get("X-Moz") == "prefetch"
}
