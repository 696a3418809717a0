package auth_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

const tokenPath = "/oauth/token"

// fate is what becomes of a stored login.
type fate int

const (
	kept  fate = iota // as it was, but for the note about the refresh
	ended             // the grant is gone, the registration stays
	gone              // the registration too
)

// tokenFault is one way in which the token endpoint fails, as long as it lasts.
type tokenFault struct {
	fault  fault.Fault
	refuse bool // instead: a transport on which no answer comes in time
	asked  int  // requests of one refresh, and of one exchange unless it is fate gone
	fate   fate // of the login whose refresh it is
	status string
}

// The table of docs/login.md, "What a failing server does to the login".
func tokenFaults() map[string]tokenFault {
	page := func(code int) fault.Fault { return fault.Status(code) }
	text := "the token endpoint answered "
	unusable, unreachable := "the token endpoint gave no usable answer", "the token endpoint could not be reached"
	return map[string]tokenFault{
		"500":                        {page(500), false, 1, kept, text + "status 500"},
		"502, HTML":                  {page(502), false, 1, kept, text + "status 502"},
		"503":                        {fault.Unavailable(time.Second), false, 1, kept, text + "status 503"},
		"timeout":                    {nil, true, 2, kept, unreachable},
		"reset before the answer":    {fault.Reset(), false, 2, kept, unreachable},
		"429 with Retry-After":       {fault.Limited("30"), false, 1, kept, text + "status 429"},
		"slow_down":                  {fault.OAuthError(429, "slow_down"), false, 1, kept, text + "slow_down"},
		"200, HTML":                  {fault.Portal(), false, 1, kept, text + "status 200"},
		"broken JSON":                {fault.JSON(200, `{"access_token":"half`), false, 1, kept, text + "status 200"},
		"not a bearer token":         {fault.JSON(200, `{"access_token":"a-token-of-another-kind","token_type":"mac"}`), false, 1, kept, unusable},
		"no token":                   {fault.JSON(200, `{"token_type":"Bearer"}`), false, 1, kept, unusable},
		"too large":                  {fault.JSON(200, `{"access_token":"`+strings.Repeat("x", 1<<20)+`"}`), false, 1, kept, unusable},
		"redirect":                   {fault.Redirect("https://elsewhere.example"), false, 1, kept, text + "status 307"},
		"invalid_request 401 (PayU)": {fault.OAuthError(401, "invalid_request"), false, 1, kept, text + "invalid_request"},
		"unauthorized_client":        {fault.OAuthError(400, "unauthorized_client"), false, 1, kept, text + "unauthorized_client"},
		"invalid_scope":              {fault.OAuthError(400, "invalid_scope"), false, 1, kept, text + "invalid_scope"},
		"invalid_grant":              {fault.OAuthError(400, "invalid_grant"), false, 1, ended, ""},
		"invalid_grant 401":          {fault.OAuthError(401, "invalid_grant"), false, 1, ended, ""},
		"invalid_client 401 (PayU)":  {fault.OAuthError(401, "invalid_client"), false, 1, gone, ""},
	}
}

// silent is a way to the token endpoint on which nothing comes back in time.
type silent struct {
	next  http.RoundTripper
	asked int
}

func (s *silent) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == tokenPath {
		s.asked++
		return nil, os.ErrDeadlineExceeded
	}
	return s.next.RoundTrip(r)
}

// suffer gives the world's client a token endpoint with this fault, and returns how
// often it was asked, and the end of it.
func (w *world) suffer(in *fault.Injector, f tokenFault) (asked func() int, over func()) {
	if f.refuse {
		way := &silent{next: w.http.Transport}
		whole := w.client
		w.client = w.newClient(func(cfg *auth.Config) { cfg.HTTP = &http.Client{Transport: way} })
		return func() int { return way.asked }, func() { w.client = whole }
	}
	in.Add(sandbox.RoleAccounts, tokenPath, -1, f.fault)
	before := w.sb.Log().Len()
	return func() int { return w.count(sandbox.Query{Path: tokenPath, After: before}) }, in.Clear
}

// sealed is what the store writes, byte for byte, without the note about the refresh.
func sealed(t *testing.T, c *auth.Credential) []byte {
	t.Helper()
	if c == nil {
		return nil
	}
	plain := *c
	plain.LastRefresh = auth.Refresh{}
	b, err := plain.Seal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// without is what shall be left of a login.
func without(c *auth.Credential, f fate) *auth.Credential {
	left := *c
	if f == kept {
		return &left
	}
	left = auth.Credential{Resource: c.Resource, Server: c.Server, Registration: c.Registration, SignedInAt: c.SignedInAt, Account: c.Account}
	if f == gone {
		left.Registration = auth.Registration{}
	}
	return &left
}

// What becomes of the stored login when a refresh fails, byte for byte: only a grant
// that is proven dead is dropped (OAUTH L6 to L8, B10).
func TestToken_tokenEndpointFaults_onlyProvenDeathEndsGrant(t *testing.T) {
	t.Parallel()
	for name, f := range tokenFaults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := faulty(t)
			old := w.mustSignIn()
			w.clock.advance(3 * time.Hour)
			asked, over := w.suffer(in, f)
			token, err := w.client.Token(t.Context())
			if want := sealed(t, without(old, f.fate)); !bytes.Equal(sealed(t, w.store.current()), want) {
				t.Errorf("stored\n%+v\nwant\n%+v", w.store.current(), without(old, f.fate))
			}
			if asked() != f.asked {
				t.Errorf("%d requests, want %d", asked(), f.asked)
			}
			if f.fate != kept {
				if err != nil || token != "" {
					t.Errorf("token there: %t, err = %v", token != "", err)
				}
				return
			}
			if !errors.Is(err, auth.ErrServer) || hint.Of(err) == "" || w.store.current().LastRefresh.Result != f.status {
				t.Errorf("err = %v, hint %q, status says %q", err, hint.Of(err), w.store.current().LastRefresh.Result)
			}
			w.wantRecovery(old, asked, f.asked, over)
		})
	}
}

// wantRecovery checks that nobody is sent to sign in, that the endpoint in trouble
// is left alone for a while, and that it is asked again afterwards.
func (w *world) wantRecovery(old *auth.Credential, asked func() int, before int, over func()) {
	w.t.Helper()
	if _, err := w.client.Token(w.t.Context()); err == nil || asked() != before {
		w.t.Errorf("at once again: %v, %d requests", err, asked())
	}
	if err := w.client.Rejected(w.t.Context(), old.AccessToken, nil); err != nil {
		w.t.Errorf("it leads to a sign-in: %v", err)
	}
	over()
	w.clock.advance(2 * time.Minute)
	if token, err := w.client.Token(w.t.Context()); err != nil || token == "" || token == old.AccessToken {
		w.t.Errorf("after the fault: %v", err)
	}
}

// The same faults while a code is exchanged: the login of before stays, byte for
// byte, and the code is sent once.
func TestSignIn_tokenEndpointFaults_oldLoginStays(t *testing.T) {
	t.Parallel()
	faults := tokenFaults()
	faults["answer lost"] = tokenFault{fault: fault.LostAnswer()}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := faulty(t)
			old := sealed(t, w.mustSignIn())
			asked, _ := w.suffer(in, f)
			_, err := w.signIn()
			if !errors.Is(err, auth.ErrServer) || hint.Of(err) == "" {
				t.Errorf("err = %v, hint %q", err, hint.Of(err))
			}
			if page := w.lastPage(); !strings.Contains(page.Body, "Sign-in failed") || !strings.Contains(page.Body, "is unchanged") {
				t.Errorf("page = %s", page.Body)
			}
			if now := sealed(t, w.store.current()); !bytes.Equal(now, old) {
				t.Errorf("stored\n%s\nwant\n%s", now, old)
			}
			want := 1
			if f.fate == gone {
				want = 2 // once more with a new client
			}
			if asked() != want {
				t.Errorf("%d requests, want %d", asked(), want)
			}
			w.wantCount("revocations", sandbox.Query{Path: "/oauth/revoke"}, 0)
		})
	}
}

// Retry-After is kept to, up to a minute.
func TestToken_retryAfter_leftAloneForSoLong(t *testing.T) {
	t.Parallel()
	for after, wait := range map[string]time.Duration{"30": 30 * time.Second, "86400": time.Minute, "soon": time.Second} {
		t.Run(after, func(t *testing.T) {
			t.Parallel()
			w, in := faulty(t)
			w.mustSignIn()
			w.clock.advance(3 * time.Hour)
			asked, _ := w.suffer(in, tokenFault{fault: fault.Limited(after)})
			for _, step := range []struct {
				pass time.Duration
				want int
			}{{0, 1}, {wait - time.Millisecond, 1}, {2 * time.Millisecond, 2}} {
				w.clock.advance(step.pass)
				_, _ = w.client.Token(t.Context())
				if asked() != step.want {
					t.Errorf("%d requests, want %d after %v", asked(), step.want, step.pass)
				}
			}
		})
	}
}

// A client that was named is not ours to forget: the grant is kept, and the error
// says what to check.
func TestToken_invalidClientOfNamedClient_loginKept(t *testing.T) {
	t.Parallel()
	var in fault.Injector
	const secret = "a-client-secret-of-our-own"
	w := newWorld(t, sandbox.Options{Wrap: in.Wrap}, func(c *auth.Config) { c.ClientID, c.ClientSecret = "ours", redact.Secret(secret) })
	w.sb.AddClient(sandbox.Client{ID: "ours", Secret: redact.Secret(secret), AuthMethod: "client_secret_basic", RedirectURIs: []string{"http://127.0.0.1/callback"}})
	w.sb.Change(func(k *sandbox.Knobs) { k.Client.Redirect = sandbox.RedirectAnyPort })
	old := w.mustSignIn()
	w.clock.advance(3 * time.Hour)
	w.suffer(&in, tokenFault{fault: fault.OAuthError(http.StatusUnauthorized, "invalid_client")})
	_, err := w.client.Token(t.Context())
	if !errors.Is(err, auth.ErrServer) || !strings.Contains(hint.Of(err), "--client-secret-file") {
		t.Errorf("err = %v, hint %q", err, hint.Of(err))
	}
	if !bytes.Equal(sealed(t, w.store.current()), sealed(t, old)) {
		t.Error("the login has changed")
	}
}

// Compare and delete: while the server says that the grant is dead, another process
// changes what is stored, in a way that heeds the lock or not. What it wrote stays.
func TestToken_grantDeadWhileAnotherProcessChanges_theirsStays(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{"invalid_grant": "invalid_grant", "invalid_client": "invalid_client"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := faulty(t)
			old := w.mustSignIn()
			w.clock.advance(3 * time.Hour)
			other := *old
			other.AccessToken, other.RefreshToken = "access-token-of-another-process", "refresh-token-of-another-process"
			other.ObtainedAt, other.Expiry = w.clock.now(), w.clock.now().Add(time.Hour)
			in.Add(sandbox.RoleAccounts, tokenPath, 1, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
				w.store.set(&other)
				fault.OAuthError(http.StatusBadRequest, code)(rw, r, next)
			})
			if token, err := w.client.Token(t.Context()); err != nil || token != other.AccessToken {
				t.Errorf("token of the other: %t, %v", token == other.AccessToken, err)
			}
			if w.store.current() != &other {
				t.Errorf("stored %+v", w.store.current().Summary())
			}
		})
	}
}

// The same with a process that waits for the lock, as ours do.
func TestToken_grantDeadWhileAnotherSignsIn_newLoginStays(t *testing.T) {
	t.Parallel()
	w, in := faulty(t)
	w.mustSignIn()
	w.clock.advance(3 * time.Hour)
	other := w.newClient()
	_ = w.meet401(other, "")
	signedIn := make(chan error, 1)
	in.Add(sandbox.RoleAccounts, tokenPath, 1, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		go func() {
			_, err := other.SignIn(t.Context(), w.prompt())
			signedIn <- err
		}()
		fault.OAuthError(http.StatusBadRequest, "invalid_grant")(rw, r, next)
	})
	if _, err := w.client.Token(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-signedIn; err != nil {
		t.Fatal(err)
	}
	w.lastPage()
	if cur := w.store.current(); !cur.SignedIn() || w.token() != cur.AccessToken {
		t.Errorf("stored %+v", cur.Summary())
	}
}

// And a logout meanwhile stays a logout.
func TestToken_loggedOutMeanwhile_nothingComesBack(t *testing.T) {
	t.Parallel()
	w, in := faulty(t)
	w.mustSignIn()
	w.clock.advance(3 * time.Hour)
	in.Add(sandbox.RoleAccounts, tokenPath, 1, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		w.store.set(nil)
		fault.OAuthError(http.StatusBadRequest, "invalid_grant")(rw, r, next)
	})
	if token, err := w.client.Token(t.Context()); err != nil || token != "" {
		t.Errorf("token there: %t, %v", token != "", err)
	}
	if cur := w.store.current(); cur != nil {
		t.Errorf("stored %+v", cur.Summary())
	}
}
