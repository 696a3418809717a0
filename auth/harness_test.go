package auth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// clock is a wall clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is a sandbox, a store and a client for them.
type world struct {
	t      *testing.T
	sb     *sandbox.Sandbox
	clock  *clock
	store  *memory
	http   *http.Client
	target string // the endpoint
	client *auth.Client
	person sandbox.Visitor
	pages  chan visit
}

type visit struct {
	page sandbox.Page
	err  error
}

func newWorld(t *testing.T, o sandbox.Options, change ...func(*auth.Config)) *world {
	t.Helper()
	w := &world{t: t, clock: newClock(), store: newMemory(), pages: make(chan visit, 16)}
	o.Now = w.clock.now
	sb, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	})
	w.sb, w.http, w.target = sb, sb.HTTPClient(), sb.Endpoint()
	if o.PayUNames {
		w.http, w.target = throughProxy(t, sb), auth.PayUEndpoint
	}
	w.client = w.newClient(change...)
	w.person = sandbox.Visitor{User: "A"}
	return w
}

// throughProxy reaches PayU's names at the sandbox.
func throughProxy(t *testing.T, sb *sandbox.Sandbox) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(sb.CAPEM())
	proxy, err := url.Parse(sb.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	tr.Proxy = func(r *http.Request) (*url.URL, error) {
		if auth.IsLoopback(r.URL.String()) {
			return nil, nil
		}
		return proxy, nil
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// own is a system that knows each visitor as this user.
func own(netip.AddrPort, netip.AddrPort) loopback.Peer { return loopback.PeerOwn }

// newClient is another client, of the same store.
func (w *world) newClient(change ...func(*auth.Config)) *auth.Client {
	w.t.Helper()
	cfg := auth.Config{Resource: w.target, HTTP: w.http, Store: w.store, Now: w.clock.now, Peer: own}
	for _, f := range change {
		f(&cfg)
	}
	c, err := auth.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// browser is a fresh browser of the person.
func (w *world) browser() *http.Client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Transport: w.http.Transport, Jar: jar}
}

// prompt lets the person walk through the pages in a browser.
func (w *world) prompt() auth.Prompt { return w.promptAfter(func() {}) }

// promptAfter does something before the browser opens.
func (w *world) promptAfter(before func()) auth.Prompt {
	return auth.Prompt{
		Open: func(_ context.Context, url string) error {
			before()
			v := w.person
			v.Client = w.browser()
			go func() {
				page, err := v.Visit(w.t.Context(), url)
				w.pages <- visit{page, err}
			}()
			return nil
		},
		Anew: true,
	}
}

// meet401 lets the client see the challenge of the endpoint.
func (w *world) meet401(c *auth.Client, token redact.Secret) error {
	w.t.Helper()
	return w.meet(c, token, http.StatusUnauthorized)
}

// meet lets the client see the refusal of the endpoint, which must be this one.
func (w *world) meet(c *auth.Client, token redact.Secret, code int) error {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.target, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	res, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != code {
		w.t.Fatalf("the endpoint answered %d, not %d", res.StatusCode, code)
	}
	return c.Rejected(w.t.Context(), token, res.Header.Values("WWW-Authenticate"))
}

// signIn meets the 401 and signs in.
func (w *world) signIn() (*auth.Credential, error) {
	w.t.Helper()
	return w.signInWith(w.prompt())
}

func (w *world) signInWith(p auth.Prompt) (*auth.Credential, error) {
	w.t.Helper()
	_ = w.meet401(w.client, "") // nil when somebody is signed in: Token has a token then
	return w.client.SignIn(w.t.Context(), p)
}

// wantOnly checks that the store holds this login and no open sign-in.
func (w *world) wantOnly(want *auth.Credential) {
	w.t.Helper()
	if cur := w.store.current(); !cur.SignedIn() || cur.RefreshToken != want.RefreshToken || cur.Attempt != nil {
		w.t.Errorf("stored: %+v", cur.Summary())
	}
}

func (w *world) mustSignIn() *auth.Credential {
	w.t.Helper()
	cred, err := w.signIn()
	if err != nil {
		w.t.Fatal(err)
	}
	w.lastPage()
	return cred
}

// lastPage is what the person saw at the end.
func (w *world) lastPage() sandbox.Page {
	w.t.Helper()
	select {
	case v := <-w.pages:
		if v.err != nil {
			w.t.Fatalf("the person's browser: %v", v.err)
		}
		return v.page
	case <-w.t.Context().Done():
		w.t.Fatal("no page came")
		return sandbox.Page{}
	}
}

func (w *world) token() redact.Secret {
	w.t.Helper()
	token, err := w.client.Token(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// asked is the newest authorization request.
func (w *world) asked() url.Values {
	w.t.Helper()
	all := w.sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"})
	if len(all) == 0 {
		w.t.Fatal("nothing was asked of the authorization endpoint")
	}
	return all[len(all)-1].Form
}

func (w *world) count(q sandbox.Query) int { return w.sb.Log().Count(q) }

func (w *world) refreshes() int { return w.count(sandbox.Query{Grant: "refresh_token"}) }

func (w *world) wantCount(what string, q sandbox.Query, want int) {
	w.t.Helper()
	if got := w.count(q); got != want {
		w.t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// occupy lets another program have a port: of 127.0.0.1 or, for 0, any of [::1].
func occupy(t *testing.T, port int) int {
	t.Helper()
	address := "127.0.0.1:" + strconv.Itoa(port)
	if port == 0 {
		address = "[::1]:0"
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", address)
	if err != nil && port == 0 {
		t.Skip("no IPv6 here")
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return port // a test beside this one has just got it
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return portAt(t, ln.Addr().String())
}

func portAt(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func freePort(t *testing.T) int {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return portAt(t, ln.Addr().String())
}
