package auth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// finishLimit ends a sign-in that nobody can finish, when a test is to fail.
const finishLimit = 20 * time.Second

// query returns the parameters of an address.
func query(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// get is a visit that goes nowhere by itself.
func (w *world) get(address string) (code int, body string) {
	w.t.Helper()
	c := w.browser()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		w.t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// State has 256 bits, each sign-in has one of its own, and an answer with
// another one is refused while the right one still counts.
//
//oauth:row A25 auth/reregister.go "rand.Text() + rand.Text()" => "rand.Text()"
//oauth:row A25 auth/attempt.go "[]byte(a.State.Reveal())) == 1" => "[]byte(a.State.Reveal())) >= 0"
//oauth:row A25 auth/attempt.go `len(q["state"]) == 1 && ` => ""
//oauth:row X10 auth/attempt.go `len(q["state"]) == 1 && ` => ""
func TestSignIn_state_longNewAndCompared(t *testing.T) {
	t.Parallel()
	const bitsOfLetter, want = 5, 256 // base32
	seen := map[string]bool{}
	for range 4 {
		w := newWorld(t, sandbox.Options{})
		o := w.open("", true)
		q := query(t, o.url)
		state, callback := q.Get("state"), q.Get("redirect_uri")
		if len(state)*bitsOfLetter < want || seen[state] {
			t.Errorf("state of %d letters, seen before: %v", len(state), seen[state])
		}
		seen[state] = true
		other := "A"
		if state[:1] == other {
			other = "B"
		}
		for name, forged := range map[string]string{
			"none": "", "empty": "&state=", "another": "&state=" + other + state[1:], "shorter": "&state=" + state[1:],
			"two": "&state=" + state + "&state=" + other, "the same twice": "&state=" + state + "&state=" + state,
		} {
			if code, _ := w.get(callback + "?code=forged" + forged); code != http.StatusBadRequest {
				t.Errorf("%s: answered %d", name, code)
			}
		}
		w.newTab(o.url).goOnFrom(o.url)
		if err := <-o.done; err != nil {
			t.Error(err)
		}
	}
}

// goOnFrom lets the person finish from an address.
func (b *tab) goOnFrom(address string) sandbox.Page { b.at = address; return b.goOn() }

// What the answer will be compared with is in the store before anybody is led
// anywhere: state, verifier, issuer, client and redirect URI.
//
//oauth:row A26 auth/signin.go "err = c.sealAttempt(ctx, a)" => "err = nil"
func TestSignIn_beforeAnythingOpens_allIsSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	sealed := func() *auth.Attempt {
		cur := w.store.current()
		if cur == nil || cur.Attempt == nil {
			t.Error("nothing is sealed")
			return &auth.Attempt{}
		}
		return cur.Attempt
	}
	_, err := w.signInWith(w.promptAfter(func() { sealed() }))
	if err != nil {
		t.Fatal(err)
	}
	w.lastPage()
	_, err = w.signInWith(auth.Prompt{Anew: true, Show: func(address string, _ error) {
		a, q := sealed(), query(t, address)
		for name, want := range map[string]string{
			"state": a.State.Reveal(), "code_challenge": oauth2.S256ChallengeFromVerifier(a.Verifier.Reveal()),
			"redirect_uri": a.RedirectURI, "client_id": a.Registration.ClientID, "resource": a.Resource,
		} {
			if q.Get(name) != want || want == "" {
				t.Errorf("%s was not sealed as it is sent", name)
			}
		}
		if a.Server.Issuer != w.sb.AccountsOrigin() && a.Server.Issuer != strings.TrimSuffix(w.target, "/mcp") {
			t.Errorf("sealed issuer %q", a.Server.Issuer)
		}
		go func() { page, err := w.person.Visit(t.Context(), address); w.pages <- visit{page, err} }()
	}})
	if err != nil {
		t.Error(err)
	}
	w.lastPage()
}

// The redirect URI is the address of the loopback interface, never a name, in
// whatever it is said.
//
//oauth:row A30 auth/loopback/listener.go "name:      literal," => "name:      localhost,"
func TestSignIn_redirectURI_loopbackAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.SignInLimit = finishLimit })
	cred := w.mustSignIn()
	said := []string{
		cred.Registration.RedirectURI,
		w.sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"})[0].Form.Get("redirect_uri"),
		w.sb.Log().Find(sandbox.Query{Grant: "authorization_code"})[0].Form.Get("redirect_uri"),
	}
	for _, uri := range said {
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" || u.Port() == "" || u.Path != "/callback" || uri != said[0] {
			t.Errorf("redirect URI %q", uri)
		}
	}
}

// Another program has the same port of ::1: the browser does not come to it,
// because no name leads there.
//
//oauth:row X11 auth/loopback/listener.go "name:      literal," => "name:      localhost,"
func TestSignIn_sameIPv6PortTaken_browserComesToUs(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	squatter, err := lc.Listen(t.Context(), "tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	defer squatter.Close()
	came := make(chan struct{}, 16)
	go func() {
		for {
			conn, err := squatter.Accept()
			if err != nil {
				return
			}
			came <- struct{}{}
			_ = conn.Close()
		}
	}()
	addr, ok := squatter.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(squatter.Addr())
	}
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.CallbackPort, c.SignInLimit = addr.Port, finishLimit })
	tr := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer // of a browser that prefers IPv6
		return d.DialContext(ctx, network, strings.Replace(address, "localhost:", "[::1]:", 1))
	}}
	t.Cleanup(tr.CloseIdleConnections)
	w.http.Transport = tr
	if _, err := w.signIn(); err != nil {
		t.Fatal(err)
	}
	if page := w.lastPage(); page.Status != http.StatusOK || len(came) != 0 {
		t.Errorf("page %d, %d connections to the other program", page.Status, len(came))
	}
}

// again repeats a callback after its answer, as a proxy or a reload does.
type again struct {
	http.RoundTripper

	mu    sync.Mutex
	codes []int
}

func (a *again) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := a.RoundTripper.RoundTrip(r)
	if err != nil || r.URL.Path != "/callback" {
		return res, err
	}
	for range 3 {
		second, err := a.RoundTripper.RoundTrip(r.Clone(r.Context()))
		if err != nil {
			return nil, err
		}
		_ = second.Body.Close()
		a.mu.Lock()
		a.codes = append(a.codes, second.StatusCode)
		a.mu.Unlock()
	}
	return res, err
}

// A repeated callback does not spend the code again, and nothing that could is
// kept.
//
//oauth:row X27 auth/loopback/listener.go "first := !l.used" => "first := true"
//oauth:row X27 auth/open.go "if other := cur.attempt(); !other.same(a) {" => "if other := cur.attempt(); other != nil {"
func TestSignIn_callbackReplayed_codeIsSpentOnceAndVerifierWiped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	replays := &again{RoundTripper: w.http.Transport}
	w.http.Transport = replays
	var verifier redact.Secret
	cred, err := w.signInWith(w.promptAfter(func() { verifier = w.store.current().Attempt.Verifier }))
	if err != nil {
		t.Fatal(err)
	}
	w.lastPage()
	w.wantCount("exchanges", sandbox.Query{Path: "/oauth/token"}, 1)
	if len(replays.codes) != 3 {
		t.Errorf("answers to the replays: %v", replays.codes)
	}
	for _, code := range replays.codes {
		if code != http.StatusConflict {
			t.Errorf("a replay was answered %d", code)
		}
	}
	w.wantOnly(cred)
	kept, err := w.store.current().Seal()
	if err != nil || verifier == "" || strings.Contains(string(kept), verifier.Reveal()) {
		t.Errorf("the verifier is still stored (%v)", err)
	}
}

// Who answers when the time is over is told so, and the code is not used. The
// next sign-in, of whichever process, gets the same port and so the same client.
//
//oauth:row X27 auth/linger.go "ln.Linger(lateLimit)" => "_ = lateLimit"
func TestSignIn_answeredTooLate_toldSoAndCodeNotUsed(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]bool{"this process begins again": true, "another one": false} {
		w := newWorld(t, sandbox.Options{})
		slow := w.newClient(func(c *auth.Config) { c.SignInLimit = 500 * time.Millisecond })
		_ = w.meet401(slow, "")
		var at string
		_, err := slow.SignIn(t.Context(), auth.Prompt{Open: func(_ context.Context, address string) error { at = address; return nil }})
		if !errors.Is(err, auth.ErrTimeout) {
			t.Fatalf("%s: %v", name, err)
		}
		if code, body := w.get(at); code != http.StatusGone || !strings.Contains(body, "Too late") {
			t.Errorf("%s: the late page = %d %s", name, code, body)
		}
		w.wantCount("exchanges", sandbox.Query{Path: "/oauth/token"}, 0)
		next := slow
		if !own {
			next = w.newClient()
			_ = w.meet401(next, "")
		}
		again := make(chan string, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = next.SignIn(ctx, auth.Prompt{Open: func(_ context.Context, address string) error { again <- address; return nil }})
			close(again)
		}()
		if second := <-again; second == "" || second == at || portOf(t, second) != portOf(t, at) {
			t.Errorf("%s: first %s, then %s", name, at, second)
		}
		cancel()
		<-again
		slow.Close(t.Context())
		w.wantCount("registrations", sandbox.Query{Path: "/register"}, 1)
	}
}

// A port that the user has fixed is free again at once.
func TestSignIn_tooLateAtAFixedPort_freed(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	free, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, ok := free.Addr().(*net.TCPAddr)
	if !ok || free.Close() != nil {
		t.Fatal("no port")
	}
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.CallbackPort, c.SignInLimit = addr.Port, 300*time.Millisecond })
	_, err = w.signInWith(auth.Prompt{Open: func(context.Context, string) error { return nil }})
	if !errors.Is(err, auth.ErrTimeout) {
		t.Fatal(err)
	}
	ln, err := loopback.Listen(t.Context(), addr.Port)
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
}

// Where the system does not tell whose a browser is, a second one ends the
// sign-in: the first may be a stranger's.
//
//oauth:row X9 auth/paste.go "case <-ln.Contested():" => "case <-context.Background().Done():"
func TestSignIn_twoBrowsersOfUnknownUsers_endsAndSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) {
		c.Peer = func(netip.AddrPort, netip.AddrPort) loopback.Peer { return loopback.PeerUnknown }
		c.SignInLimit = finishLimit
	})
	_ = w.meet401(w.client, "")
	at, done := make(chan string, 1), make(chan error, 1)
	go func() {
		_, err := w.client.SignIn(t.Context(), auth.Prompt{Open: func(_ context.Context, address string) error { at <- address; return nil }})
		done <- err
	}()
	address := <-at
	first, second := w.newTab(address), w.newTab(address)
	if first.code != http.StatusFound || second.code != http.StatusForbidden {
		t.Errorf("first %d, second %d", first.code, second.code)
	}
	if err := <-done; !errors.Is(err, auth.ErrTwoBrowsers) || !strings.Contains(hint.Of(err), "--no-browser") {
		t.Errorf("err = %v, hint %q", err, hint.Of(err))
	}
	if page := first.goOn(); page.Status != http.StatusGone || !strings.Contains(page.Body, "Opened by two browsers") {
		t.Errorf("the first one's page = %d %s", page.Status, page.Body)
	}
	w.wantCount("exchanges", sandbox.Query{Path: "/oauth/token"}, 0)
	if cur := w.store.current(); cur.Attempt != nil || cur.SignedIn() {
		t.Errorf("stored: %+v", cur.Summary())
	}
}

// RFC 6749 section 7.1: the type is compared without regard to case, and no
// other one is understood.
//
//oauth:row X27 auth/token_request.go `!strings.EqualFold(res.TokenType, "bearer")` => `res.TokenType != "Bearer"`
//oauth:row X27 auth/token_request.go `!strings.EqualFold(res.TokenType, "bearer")` => `false`
func TestSignIn_tokenType_bearerInAnyCase(t *testing.T) {
	t.Parallel()
	for kind, fine := range map[string]bool{"Bearer": true, "bearer": true, "BEARER": true, "bEARER": true, "mac": false, "DPoP": false, "Bearer2": false} {
		var f tokenEndpoint
		f.set(status(http.StatusOK, "application/json", `{"access_token":"a-token-for-tests","token_type":"`+kind+`","expires_in":60}`))
		w := newWorld(t, sandbox.Options{Wrap: f.wrap})
		cred, err := w.signIn()
		w.lastPage()
		if (err == nil && cred.SignedIn()) != fine || !fine && !errors.Is(err, auth.ErrServer) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
