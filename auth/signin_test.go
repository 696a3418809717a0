package auth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestSignIn_documentedWorld_storesCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	cred, err := w.signIn()
	if err != nil {
		t.Fatal(err)
	}
	page := w.lastPage()
	if page.Status != http.StatusOK || !strings.Contains(page.Body, "You are signed in") {
		t.Errorf("last page = %d %s", page.Status, page.Body)
	}
	if !cred.SignedIn() || cred.RefreshToken == "" || cred.Resource != w.sb.Endpoint() || cred.Account == "" {
		t.Errorf("credential = %+v", cred.Summary())
	}
	if want := w.clock.now().Add(7199 * time.Second); !cred.Expiry.Equal(want) {
		t.Errorf("expiry = %v, want %v", cred.Expiry, want)
	}
	if w.store.current() != cred {
		t.Error("the credential is not the stored one")
	}
	if got := w.token(); got != cred.AccessToken {
		t.Error("Token gives another token")
	}
	e := w.sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"})[0]
	if e.Form.Get("resource") != w.sb.Endpoint() || e.Form.Get("code_challenge_method") != "S256" || e.Form.Has("scope") {
		t.Errorf("authorization request = %v", e.Form)
	}
	if e = w.sb.Log().Find(sandbox.Query{Grant: "authorization_code"})[0]; e.Form.Get("resource") != w.sb.Endpoint() {
		t.Errorf("token request = %v", e.Form)
	}
}

// Nothing is asked of anybody before a 401.
//
//oauth:row A1 auth/signin.go "return challenge{}, ErrNoChallenge" => "return challenge{}, nil"
func TestSignIn_withoutChallenge_refusedAndSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{}, soon)
	if _, err := w.client.SignIn(t.Context(), w.prompt()); !errors.Is(err, auth.ErrNoChallenge) {
		t.Errorf("err = %v", err)
	}
	if n := w.sb.Log().Len(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// Ten sign-ins make one registration: its port is tried first.
//
//oauth:row A12 auth/signin.go "case known != nil && known.RedirectURI == ln.RedirectURI()" => "case false"
//oauth:row A12 auth/signin.go "listenFor(ctx, known.RedirectURI); err == nil {" => "loopback.Listen(ctx, 0); err == nil {"
func TestSignIn_tenTimes_oneRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	var first *auth.Credential
	for range 10 {
		cred := w.mustSignIn()
		if first == nil {
			first = cred
		}
		if cred.Registration.RedirectURI != first.Registration.RedirectURI {
			t.Errorf("redirect URI %s, want %s", cred.Registration.RedirectURI, first.Registration.RedirectURI)
		}
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 1)
	w.wantCount("exchanges", sandbox.Query{Grant: "authorization_code", Status: 200}, 10)
}

func TestSignIn_registeredPortTaken_registersAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	cred := w.mustSignIn()
	_, port, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(cred.Registration.RedirectURI, "http://"), "/callback"), ":")
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w.mustSignIn()
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 2)
}

// A fixed port that is taken is no cue to take another.
//
//oauth:row X11 auth/signin.go "port := c.cfg.CallbackPort" => "port := 0 * c.cfg.CallbackPort"
func TestSignIn_callbackPortTaken_errorNamesFlag(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, text, _ := net.SplitHostPort(taken.Addr().String())
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.CallbackPort = port })
	if _, err := w.signIn(); err == nil || !strings.Contains(hint.Of(err), "--callback-port") {
		t.Errorf("err = %v, hint %q", err, hint.Of(err))
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 0)
}

func TestSignIn_again_revokesReplacedGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	first := w.mustSignIn()
	second := w.mustSignIn()
	w.wantCount("revocations", sandbox.Query{Path: "/oauth/revoke", Status: 200}, 2)
	if err := w.meet401(w.client, first.AccessToken); err != nil {
		t.Errorf("the replaced token: %v", err)
	}
	if got := w.token(); got != second.AccessToken {
		t.Error("the new login does not count")
	}
}

func TestSignIn_denied_keepsOldLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	w.person.Deny = true
	_, err := w.signIn()
	if !errors.Is(err, auth.ErrDenied) || hint.Of(err) == "" {
		t.Errorf("err = %v", err)
	}
	if page := w.lastPage(); !strings.Contains(page.Body, "Sign-in denied") {
		t.Errorf("page = %s", page.Body)
	}
	w.wantOnly(old)
	w.wantCount("revocations", sandbox.Query{Path: "/oauth/revoke"}, 0)
}

// PAYU P13: the account is not enabled for MCP.
func TestSignIn_accountNotEnabled_saysWhomToAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.person.User = "C"
	_, err := w.signIn()
	if !errors.Is(err, auth.ErrDenied) || !strings.Contains(hint.Of(err), "ai-solutions@payu.in") {
		t.Errorf("err = %v, hint %q", err, hint.Of(err))
	}
	w.lastPage()
}

func TestSignIn_deniedFirst_registrationIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.person.Deny = true
	if _, err := w.signIn(); !errors.Is(err, auth.ErrDenied) {
		t.Fatal(err)
	}
	w.lastPage()
	w.person.Deny = false
	w.mustSignIn()
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 1)
}

func TestSignIn_nobodyFinishes_timeLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.SignInLimit = 500 * time.Millisecond })
	if err := w.meet401(w.client, ""); !errors.Is(err, auth.ErrSignInNeeded) {
		t.Fatal(err)
	}
	nobody := auth.Prompt{Open: func(context.Context, string) error { return nil }, Show: func(string, error) {}}
	_, err := w.client.SignIn(t.Context(), nobody)
	if !errors.Is(err, auth.ErrTimeout) || hint.Of(err) == "" {
		t.Errorf("err = %v", err)
	}
}

func TestSignIn_manyAsk_oneBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	if err := w.meet401(w.client, ""); !errors.Is(err, auth.ErrSignInNeeded) {
		t.Fatal(err)
	}
	var asked sync.WaitGroup
	for range 8 {
		asked.Go(func() {
			if _, err := w.client.SignIn(t.Context(), w.prompt()); err != nil {
				t.Error(err)
			}
		})
	}
	asked.Wait()
	// One who comes late starts another; those who came together share one.
	if n := w.count(sandbox.Query{Grant: "authorization_code", Status: 200}); n < 1 || n > 2 {
		t.Errorf("%d sign-ins", n)
	}
}

func TestSignIn_handedOut_authorizationURLIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	if err := w.meet401(w.client, ""); !errors.Is(err, auth.ErrSignInNeeded) {
		t.Fatal(err)
	}
	show := func(url string, _ error) {
		if !strings.HasPrefix(url, w.sb.AccountsOrigin()+"/oauth/authorize?") {
			t.Errorf("shown: %s", url)
		}
		_ = w.prompt().Open(t.Context(), url)
	}
	if _, err := w.client.SignIn(t.Context(), auth.Prompt{Show: show}); err != nil {
		t.Error(err)
	}
	w.lastPage()
}

func TestSignIn_storeFails_grantIsRevokedAndPageSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	fire := w.promptAfter(func() { w.store.failSaving(errors.New("disk on fire")) })
	if _, err := w.signInWith(fire); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("err = %v", err)
	}
	if page := w.lastPage(); strings.Contains(page.Body, "You are signed in") {
		t.Error("the page says signed in")
	}
	if cur := w.store.current(); cur.AccessToken != old.AccessToken {
		t.Error("the old login is gone")
	}
	w.wantCount("revocations", sandbox.Query{Path: "/oauth/revoke", Status: 200}, 2)
}

// A login that could not be kept is not asked for.
func TestSignIn_storeFailsBeforehand_noBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.store.failSaving(errors.New("disk on fire"))
	p := w.promptAfter(func() { t.Error("a browser was opened") })
	if _, err := w.signInWith(p); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("err = %v", err)
	}
}

func TestSignIn_keptInMemory_countsAndOldGrantStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.mustSignIn()
	w.store.failSaving(auth.ErrNotSaved)
	cred := w.mustSignIn()
	if w.token() != cred.AccessToken {
		t.Error("the login in memory is not used")
	}
	w.wantCount("revocations", sandbox.Query{Path: "/oauth/revoke"}, 0)
}

func TestSignIn_preRegistered_noRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	cred := w.mustSignIn() // makes a public client that we can name
	id := cred.Registration.ClientID
	c := w.newClient(func(c *auth.Config) { c.ClientID = id; c.CallbackPort = portOf(t, cred.Registration.RedirectURI) })
	if err := w.meet401(c, ""); err != nil {
		t.Fatalf("somebody is signed in, so Token knows better: %v", err)
	}
	if _, err := c.SignIn(t.Context(), w.prompt()); err != nil {
		t.Fatal(err)
	}
	w.lastPage()
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 1)
}

func portOf(t *testing.T, uri string) int {
	t.Helper()
	_, rest, _ := strings.Cut(uri, "127.0.0.1:")
	text, _, _ := strings.Cut(rest, "/")
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
