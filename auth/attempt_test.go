package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestAttempt_sealed_comesBackWhole(t *testing.T) {
	t.Parallel()
	want := &auth.Credential{
		Resource: "https://h.example/mcp", Account: "Store",
		Attempt: &auth.Attempt{
			Server:       auth.Server{Issuer: "https://h.example", TokenEndpoint: "https://h.example/t", IssRequired: true},
			Registration: auth.Registration{Issuer: "https://h.example", ClientID: "id", Secret: "secret-of-client", AuthMethod: "none", RedirectURI: "http://127.0.0.1:1/callback", Dynamic: true, Document: true, SecretExpiry: time.Date(2026, 2, 2, 3, 4, 5, 0, time.UTC)},
			Resource:     "https://h.example/mcp", Scopes: []string{"a"}, RedirectURI: "http://127.0.0.1:1/callback",
			State: "s", Verifier: "v", Start: "n", Cookie: "c", Bound: true, Opened: true, Fresh: true, Renewed: true, By: "Host",
			Expiry: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
	}
	raw, err := want.Seal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := auth.Unseal(raw)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if s := got.Summary(); !s.OpenUntil.Equal(want.Attempt.Expiry) || s.SignedIn {
		t.Errorf("summary = %+v", s)
	}
}

// An open sign-in is in the store before anybody is led anywhere, and gone when
// it has ended, however.
func TestSignIn_ends_attemptIsForgotten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(w *world, f *tokenEndpoint)
		want  error
	}{
		"signed in": {func(*world, *tokenEndpoint) {}, nil},
		"denied":    {func(w *world, _ *tokenEndpoint) { w.person.Deny = true }, auth.ErrDenied},
		"code refused": {func(_ *world, f *tokenEndpoint) {
			f.set(status(400, "application/json", `{"error":"invalid_grant"}`))
		}, auth.ErrServer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f tokenEndpoint
			w := newWorld(t, sandbox.Options{Wrap: f.wrap})
			c.spoil(w, &f)
			_, err := w.signInWith(w.promptAfter(func() {
				if w.store.current().Attempt == nil {
					t.Error("nothing was sealed before the browser opened")
				}
			}))
			if !errors.Is(err, c.want) {
				t.Errorf("err = %v", err)
			}
			w.lastPage()
			if w.store.current().Attempt != nil {
				t.Error("the attempt is still there")
			}
		})
	}
}

func TestSignIn_timeLimit_attemptIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.SignInLimit = 500 * time.Millisecond })
	_ = w.meet401(w.client, "")
	if _, err := w.client.SignIn(t.Context(), auth.Prompt{Anew: true}); !errors.Is(err, auth.ErrTimeout) {
		t.Errorf("err = %v", err)
	}
	if w.store.current().Attempt != nil {
		t.Error("the attempt is still there")
	}
}

// A refresh, and the end of the grant, leave another process's sign-in alone; a
// logout does not.
func TestAttempt_openWhileLoginChanges_keptUntilLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	first := w.mustSignIn()
	at, _ := w.askAnew(w.newClient())
	<-at
	has := func(what string, want bool) {
		t.Helper()
		if cur := w.store.current(); (cur != nil && cur.Attempt != nil) != want {
			t.Errorf("%s: attempt there: %v", what, !want)
		}
	}
	w.clock.advance(3 * time.Hour)
	w.token()
	has("after a refresh", true)
	w.sb.RevokeFromDashboard("A")
	_ = w.client.Rejected(t.Context(), w.token(), nil)
	if cur := w.store.current(); cur.SignedIn() || cur.Account != first.Account {
		t.Errorf("after the end of the grant: %+v", cur.Summary())
	}
	has("after the end of the grant", true)
	if _, err := w.client.Logout(t.Context()); err != nil {
		t.Error(err)
	}
	has("after a logout", false)
}

// What is sealed and of no use is no reason to wait for anybody.
func TestSignIn_uselessAttempt_newOne(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(a *auth.Attempt, c *auth.Config){
		"expired":        func(a *auth.Attempt, _ *auth.Config) { a.Expiry = a.Expiry.Add(-time.Hour) },
		"other clock":    func(a *auth.Attempt, _ *auth.Config) { a.Expiry = a.Expiry.Add(48 * time.Hour) },
		"other resource": func(a *auth.Attempt, _ *auth.Config) { a.Resource = "https://evil.example/mcp" },
		"other scope":    func(_ *auth.Attempt, c *auth.Config) { c.Scopes = []string{"read_refunds"} },
		"unsafe server":  func(a *auth.Attempt, _ *auth.Config) { a.Server.TokenEndpoint = "http://evil.example/token" },
		"other redirect": func(a *auth.Attempt, _ *auth.Config) {
			a.RedirectURI = strings.Replace(a.RedirectURI, "callback", "c", 1)
		},
		"no port":       func(a *auth.Attempt, _ *auth.Config) { a.RedirectURI = "" },
		"static client": func(a *auth.Attempt, _ *auth.Config) { a.Registration.Dynamic = false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			o := w.open("", false)
			o.gone()
			cred := *w.store.current()
			a := *cred.Attempt
			var cfg auth.Config
			change(&a, &cfg)
			cred.Attempt = &a
			w.store.set(&cred)
			c := w.newClient(func(own *auth.Config) { own.Scopes = cfg.Scopes })
			_ = w.meet401(c, "")
			p := w.prompt()
			p.Anew = false
			if _, err := c.SignIn(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			w.lastPage() // so a browser was opened
		})
	}
}

// OAUTH X17, Y2: a planted attempt leads nobody from PayU to a stranger's page.
func TestSignIn_plantedAttemptForPayU_notUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{TLS: true, PayUNames: true})
	o := w.open("", false)
	o.gone()
	for name, change := range map[string]func(s *auth.Server){
		"authorization endpoint": func(s *auth.Server) { s.AuthorizationEndpoint = "https://evil.example/authorize" },
		"token endpoint":         func(s *auth.Server) { s.TokenEndpoint = "https://evil.example/token" },
		"issuer":                 func(s *auth.Server) { s.Issuer = "https://evil.example" },
	} {
		cred := *w.store.current()
		a := *cred.Attempt
		change(&a.Server)
		cred.Attempt = &a
		w.store.set(&cred)
		next := w.open("", false)
		if next.url == o.url {
			t.Errorf("%s: the planted attempt goes on", name)
		}
		next.gone()
		o = next
	}
}

// Nor is its address told by who finds the sign-in claimed by another process,
// which has not got to it yet.
func TestSignIn_plantedAttemptWhileClaimed_addressNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{TLS: true, PayUNames: true})
	w.open("", false).gone()
	cred := *w.store.current()
	a := *cred.Attempt
	a.Server.AuthorizationEndpoint = "https://evil.example/authorize"
	cred.Attempt = &a
	w.store.set(&cred)
	release, _, err := w.store.Claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = w.newClient().SignIn(ctx, auth.Prompt{})
	if other, ok := errors.AsType[*auth.ElsewhereError](err); err == nil || ok && other.URL != "" {
		t.Errorf("err = %v", err)
	}
}

// Signed in, and nobody has refused the token: no browser, whoever asks.
func TestSignIn_loginThatNobodyRefused_returnsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	cred := w.mustSignIn()
	other := w.newClient()
	if got, err := other.SignIn(t.Context(), noBrowser(t)); err != nil || got.AccessToken != cred.AccessToken {
		t.Errorf("err = %v", err)
	}
	if err := other.Await(t.Context()); err != nil {
		t.Errorf("Await: %v", err)
	}
}

// A refused login, and an expired one that nobody can renew, are none.
func TestAwait_refusedLogin_waitsForAnother(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(w *world, c *auth.Client, cred *auth.Credential){
		"step-up": func(w *world, c *auth.Client, cred *auth.Credential) {
			_ = c.Rejected(w.t.Context(), cred.AccessToken, []string{`Bearer error="insufficient_scope", scope="more"`})
		},
		"expired, no refresh token": func(w *world, _ *auth.Client, cred *auth.Credential) {
			next := *cred
			next.RefreshToken = ""
			w.store.set(&next)
			w.clock.advance(3 * time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			cred := w.mustSignIn()
			c := w.newClient()
			spoil(w, c, cred)
			done := w.await(c)
			select {
			case err := <-done:
				t.Fatalf("it did not wait: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			if _, err := w.signIn(); err != nil {
				t.Fatal(err)
			}
			w.lastPage()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAwait_cancelled_ends(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.client.Await(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestSignedIn_account_comparedWithTheLast(t *testing.T) {
	t.Parallel()
	var told []bool
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.SignedIn = func(same bool) { told = append(told, same) } })
	cred := w.mustSignIn() // nobody before
	w.mustSignIn()         // A again
	w.sb.RevokeFromDashboard("A")
	_ = w.client.Rejected(t.Context(), w.token(), nil)
	w.mustSignIn() // A again, after the grant was ended
	w.person.User = "B"
	w.mustSignIn()
	unknown := *w.store.current()
	unknown.Account = ""
	w.store.set(&unknown)
	w.mustSignIn()
	if want := []bool{false, true, true, false, false}; cmp.Diff(want, told) != "" || cred.Account == "" {
		t.Errorf("told %v, want %v", told, want)
	}
}

// Others act for the new login as soon as it is stored: what is to be dropped of
// the old one does not wait for its revocation.
func TestSignedIn_toldBeforeTheOldLoginIsRevoked(t *testing.T) {
	t.Parallel()
	var w *world
	var revoked []int
	w = newWorld(t, sandbox.Options{}, func(c *auth.Config) {
		c.SignedIn = func(bool) { revoked = append(revoked, w.sb.Log().Count(sandbox.Query{Path: "/oauth/revoke"})) }
	})
	w.mustSignIn()
	w.person.User = "B"
	w.mustSignIn()
	if cmp.Diff([]int{0, 0}, revoked) != "" || w.sb.Log().Count(sandbox.Query{Path: "/oauth/revoke"}) == 0 {
		t.Errorf("revocations before it was told: %v", revoked)
	}
}

// A refresh is the same sign-in, a new one is another.
func TestGrant_namesTheSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	ctx := t.Context()
	first := w.mustSignIn().AccessToken
	before := w.client.Grant(ctx, first)
	if err := w.client.Rejected(ctx, first, nil); err != nil {
		t.Fatal(err)
	}
	refreshed := w.token()
	if got := w.client.Grant(ctx, refreshed); before == "" || refreshed == first || got != before || w.client.Grant(ctx, first) != "" {
		t.Errorf("%q after the refresh, %q before", got, before)
	}
	w.clock.advance(time.Minute)
	if got := w.client.Grant(ctx, w.mustSignIn().AccessToken); got == "" || got == before {
		t.Errorf("%q after a sign-in, %q before", got, before)
	}
}

func TestStandingOf_table(t *testing.T) {
	t.Parallel()
	const other = "https://h.example/mcp"
	ended := auth.Summary{LastRefresh: auth.Refresh{Result: "the server ended the login"}}
	for name, c := range map[string]struct {
		resource string
		s        *auth.Summary
		want     auth.Standing
	}{
		"nothing stored":         {other, nil, auth.StandingUnknown},
		"nothing stored at PayU": {auth.PayUEndpoint, nil, auth.StandingSignedOut},
		"signed in":              {other, &auth.Summary{SignedIn: true}, auth.StandingSignedIn},
		"a registration":         {other, &auth.Summary{}, auth.StandingSignedOut},
		"ended":                  {other, &ended, auth.StandingEnded},
		"ended at PayU":          {auth.PayUEndpoint, &ended, auth.StandingEnded},
	} {
		if got := auth.StandingOf(c.resource, c.s); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A real record after the server ended it.
func TestStandingOf_revokedLogin_ended(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	cred := w.mustSignIn()
	w.sb.RevokeFromDashboard("A")
	_ = w.meet401(w.client, cred.AccessToken)
	s := w.store.current().Summary()
	if got := auth.StandingOf(w.target, &s); got != auth.StandingEnded {
		t.Errorf("standing %v", got)
	}
	o := w.open("", false) // an open sign-in does not change that
	s = w.store.current().Summary()
	if got := auth.StandingOf(w.target, &s); got != auth.StandingEnded || s.OpenUntil.IsZero() {
		t.Errorf("standing %v, %+v", got, s)
	}
	b := w.newTab(o.url)
	if b.code != http.StatusFound || !strings.Contains(b.at, "/oauth/authorize") {
		t.Errorf("tab at %s", b.at)
	}
}

// A file that an older version wrote is read as what it was.
func TestUnseal_olderFile_readAsBefore(t *testing.T) {
	t.Parallel()
	client := `"id":"c","auth_method":"none","redirect_uri":"http://127.0.0.1:1/callback","dynamic":true`
	raw := `{"resource":"https://h.example/mcp","server":{"issuer":"https://h.example","authorization_endpoint":"a","token_endpoint":"t"},
		"client_issuer":"https://h.example","client_id":"c","auth_method":"none","redirect_uri":"http://127.0.0.1:1/callback","dynamic":true,
		"access_token":"access","refresh_token":"refresh","scopes":["a","b"],
		"attempt":{"server":{"issuer":"https://h.example"},"client":{"issuer":"https://h.example",` + client + `},"resource":"https://h.example/mcp","state":"s"}}`
	r := auth.Registration{Issuer: "https://h.example", ClientID: "c", AuthMethod: "none", RedirectURI: "http://127.0.0.1:1/callback", Dynamic: true}
	want := &auth.Credential{
		Resource: "https://h.example/mcp", Server: auth.Server{Issuer: "https://h.example", AuthorizationEndpoint: "a", TokenEndpoint: "t"}, Registration: r,
		AccessToken: "access", RefreshToken: "refresh", Scopes: []string{"a", "b"},
		Attempt: &auth.Attempt{Server: auth.Server{Issuer: "https://h.example"}, Registration: r, Resource: "https://h.example/mcp", State: "s"},
	}
	got, err := auth.Unseal([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
