package auth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// owner is another process with a sign-in open; its tab has not moved yet.
type owner struct {
	w      *world
	client *auth.Client
	url    string
	done   chan error
	end    context.CancelFunc
}

// open begins a sign-in in another process. With handOut no browser is opened.
func (w *world) open(by string, handOut bool) *owner {
	w.t.Helper()
	return w.openAs(w.newClient(), by, handOut)
}

func (w *world) openAs(c *auth.Client, by string, handOut bool) *owner {
	w.t.Helper()
	o := &owner{w: w, client: c, done: make(chan error, 1)}
	var ctx context.Context
	ctx, o.end = context.WithCancel(w.t.Context())
	_ = w.meet401(o.client, "")
	at := make(chan string, 1)
	p := auth.Prompt{By: by, Open: func(_ context.Context, url string) error { at <- url; return nil }}
	if handOut {
		p = auth.Prompt{By: by, Show: func(url string, _ error) { at <- url }}
	}
	go func() {
		_, err := o.client.SignIn(ctx, p)
		o.done <- err
	}()
	select {
	case o.url = <-at:
	case err := <-o.done:
		w.t.Fatalf("the owner's sign-in ended: %v", err)
	}
	return o
}

// gone ends the owner as the end of its process does.
func (o *owner) gone() {
	o.w.t.Helper()
	o.end()
	if err := <-o.done; !errors.Is(err, context.Canceled) {
		o.w.t.Errorf("the owner: %v", err)
	}
	o.client.Close(o.w.t.Context())
}

// tab is a browser that has opened an address and stands before the
// authorization server's pages.
type tab struct {
	w    *world
	c    *http.Client
	at   string
	code int
}

func (w *world) newTab(url string) *tab {
	w.t.Helper()
	c := w.browser()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
	c.CheckRedirect = nil
	return &tab{w, c, res.Header.Get("Location"), res.StatusCode}
}

// goOn lets the person finish in the tab.
func (b *tab) goOn() sandbox.Page {
	b.w.t.Helper()
	v := b.w.person
	v.Client = b.c
	page, err := v.Visit(b.w.t.Context(), b.at)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return page
}

// await starts Await in another process and returns what it returns.
func (w *world) await(c *auth.Client) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Await(w.t.Context()) }()
	return done
}

// bound waits until something listens at url.
func (w *world) bound(url string) {
	w.t.Helper()
	_, rest, _ := strings.Cut(url, "//")
	host, _, _ := strings.Cut(rest, "/")
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second) // OAUTH B4
	defer cancel()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", host)
		if err == nil {
			_ = conn.Close()
			return
		}
		if ctx.Err() != nil {
			w.t.Fatal("nobody has bound the port")
		}
	}
}

func noBrowser(t *testing.T) auth.Prompt {
	t.Helper()
	return auth.Prompt{Open: func(context.Context, string) error {
		t.Error("a browser was opened")
		return nil
	}}
}

// OAUTH L10, HOSTS P9.
func TestSignIn_openInOtherProcess_toldWhereAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("Claude\x1b Desktop", false)
	_ = w.meet401(w.client, "")
	_, err := w.client.SignIn(t.Context(), noBrowser(t))
	e, ok := errors.AsType[*auth.ElsewhereError](err)
	if !ok || e.By != "Claude Desktop" || e.URL != o.url || !e.Expiry.Equal(w.clock.now().Add(auth.SignInLimit)) {
		t.Errorf("err = %+v", err)
	}
	w.newTab(o.url).goOn()
	if err := <-o.done; err != nil {
		t.Error(err)
	}
	// What they did counts here.
	if cred, err := w.client.SignIn(t.Context(), noBrowser(t)); err != nil || !cred.SignedIn() {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSignIn_handedOutInOtherProcess_itsAddressIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("", true)
	_ = w.meet401(w.client, "")
	_, err := w.client.SignIn(t.Context(), noBrowser(t))
	e, ok := errors.AsType[*auth.ElsewhereError](err)
	if !ok || e.By != "payu-mcp login" || e.URL != o.url || !strings.HasPrefix(e.URL, w.sb.AccountsOrigin()) {
		t.Errorf("err = %+v", err)
	}
}

// Another process has the claim and has not said anything yet.
func TestSignIn_claimedInOtherProcess_doesNotWaitLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	_, ok, err := w.store.Claim(t.Context())
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	_ = w.meet401(w.client, "")
	_, err = w.client.SignIn(t.Context(), noBrowser(t))
	if e, ok := errors.AsType[*auth.ElsewhereError](err); !ok || e.URL != "" || !e.Expiry.IsZero() {
		t.Errorf("err = %+v", err)
	}
}

func TestSignIn_joined_addressIsShownAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("", false)
	shown := make(chan string, 4)
	joined := make(chan error, 1)
	go func() {
		_, err := o.client.SignIn(t.Context(), auth.Prompt{Show: func(url string, _ error) { shown <- url }})
		joined <- err
	}()
	if url := <-shown; url != o.url {
		t.Errorf("shown %s", url)
	}
	o.end() // the first one leaves; the sign-in stays for the second
	if err := <-o.done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.newTab(o.url).goOn()
	if err := <-joined; err != nil {
		t.Error(err)
	}
}

// OAUTH B4, HOSTS P10: the next process binds the same port and the tab that is
// open completes.
func TestAwait_ownerGone_openTabCompletes(t *testing.T) {
	t.Parallel()
	for name, handOut := range map[string]bool{"bound": false, "handed out": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			o := w.open("", handOut)
			b := &tab{w, w.browser(), o.url, 0}
			if !handOut {
				b = w.newTab(o.url)
			}
			redirect := w.store.current().Attempt.RedirectURI
			done := w.await(w.newClient())
			o.gone()
			w.bound(redirect)
			if page := b.goOn(); !strings.Contains(page.Body, "You are signed in") {
				t.Errorf("page = %s", page.Body)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			w.wantCount("registrations", sandbox.Query{Path: "/register"}, 1)
			w.wantCount("authorizations", sandbox.Query{Path: "/oauth/token", Status: 200}, 1)
			if cur := w.store.current(); !cur.SignedIn() || cur.Attempt != nil {
				t.Errorf("stored: %+v", cur.Summary())
			}
		})
	}
}

// A call in the next process resumes; it opens no second browser.
func TestSignIn_ownerGone_resumedWithoutBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("", false)
	b := w.newTab(o.url)
	o.gone()
	_ = w.meet401(w.client, "")
	p := noBrowser(t)
	shown := make(chan string, 1)
	p.Show = func(url string, _ error) { shown <- url }
	done := make(chan error, 1)
	go func() {
		_, err := w.client.SignIn(t.Context(), p)
		done <- err
	}()
	if url := <-shown; url != o.url {
		t.Errorf("shown %s, want %s", url, o.url)
	}
	if stranger := w.newTab(o.url); stranger.code != http.StatusForbidden {
		t.Errorf("another browser was let into a tab's sign-in: %d", stranger.code)
	}
	b.goOn()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The owner ended before its page was opened: nobody has a tab, so the one who
// resumes opens it.
func TestSignIn_ownerGoneUnopened_opened(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("", false)
	o.gone()
	_ = w.meet401(w.client, "")
	opened := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		_, err := w.client.SignIn(t.Context(), auth.Prompt{Open: func(_ context.Context, url string) error {
			opened <- url
			return nil
		}})
		done <- err
	}()
	url := <-opened
	if url != o.url {
		t.Errorf("opened %s, want %s", url, o.url)
	}
	w.newTab(url).goOn()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The person asks anew: a start page of their own, and the old tab works too.
func TestSignIn_ownerGoneAskedAnew_bothTabsWork(t *testing.T) {
	t.Parallel()
	for name, useOld := range map[string]bool{"old tab": true, "new tab": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			o := w.open("", false)
			tabs := map[bool]*tab{true: w.newTab(o.url)}
			o.gone()
			at, done := w.askAnew(w.newClient())
			url := <-at
			if url == o.url {
				t.Error("an address that stood in an argument list is open to a new browser")
			}
			if tabs[false] = w.newTab(url); tabs[false].code != http.StatusFound {
				t.Fatalf("the new browser: %d", tabs[false].code)
			}
			tabs[useOld].goOn()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// askAnew asks as the login command does; at gets what the browser is to open.
func (w *world) askAnew(c *auth.Client) (at chan string, done chan error) {
	at, done = make(chan string, 4), make(chan error, 1)
	_ = w.meet401(c, "")
	go func() {
		_, err := c.SignIn(w.t.Context(), auth.Prompt{Anew: true, Open: func(_ context.Context, url string) error { at <- url; return nil }})
		done <- err
	}()
	return at, done
}

// The login command while a bridge has a sign-in open: it follows that one.
func TestSignIn_anewWhileOpenElsewhere_followsAndReturnsItsLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("Claude Desktop", false)
	_ = w.meet401(w.client, "")
	p := noBrowser(t)
	p.Anew = true
	shown := make(chan string, 4)
	p.Show = func(url string, _ error) { shown <- url }
	done := make(chan error, 1)
	go func() {
		_, err := w.client.SignIn(t.Context(), p)
		done <- err
	}()
	if url := <-shown; url != o.url {
		t.Errorf("shown %s", url)
	}
	w.newTab(o.url).goOn()
	if err := errors.Join(<-done, <-o.done); err != nil {
		t.Error(err)
	}
	w.wantCount("exchanges", sandbox.Query{Grant: "authorization_code"}, 1)
}

// Ctrl-C ends only the waiting.
func TestSignIn_anewWhileOpenElsewhereInterrupted_otherGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("", false)
	_ = w.meet401(w.client, "")
	ctx, cancel := context.WithCancel(t.Context())
	p := auth.Prompt{Anew: true, Show: func(string, error) { cancel() }}
	if _, err := w.client.SignIn(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	w.newTab(o.url).goOn()
	if err := <-o.done; err != nil {
		t.Error(err)
	}
}

// The other process dies while the login command follows: it goes on itself.
func TestSignIn_anewAndOwnerDies_takesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("", false)
	b := w.newTab(o.url)
	at, done := w.askAnew(w.client)
	o.gone()
	<-at
	b.goOn()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The owner died before its browser came: the first one to come gets the tab.
func TestAwait_ownerGoneBeforeTab_startPageWorksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("", false)
	done := w.await(w.newClient())
	o.gone()
	w.bound(o.url)
	b := w.newTab(o.url)
	if stranger := w.newTab(o.url); b.code != http.StatusFound || stranger.code != http.StatusForbidden {
		t.Errorf("first %d, second %d", b.code, stranger.code)
	}
	b.goOn()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func portIn(t *testing.T, w *world) int {
	t.Helper()
	return portOf(t, w.store.current().Attempt.RedirectURI)
}

// The port of the dead process is another program's now: a new attempt is made.
func TestSignIn_ownerGonePortTaken_newAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	o := w.open("", false)
	port := portIn(t, w)
	o.gone()
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_ = w.meet401(w.client, "")
	p := w.prompt()
	p.Anew = false
	if _, err := w.client.SignIn(t.Context(), p); err != nil {
		t.Error(err)
	}
	w.lastPage()
}
