package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// tokenEndpoint is a fault before the token endpoint that tests switch on.
type tokenEndpoint struct {
	mu    sync.Mutex
	fault func(http.ResponseWriter, *http.Request, http.Handler)
}

func (f *tokenEndpoint) set(fault func(http.ResponseWriter, *http.Request, http.Handler)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *tokenEndpoint) wrap(role sandbox.Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		fault := f.fault
		f.mu.Unlock()
		if role == sandbox.RoleAccounts && r.URL.Path == "/oauth/token" && fault != nil {
			fault(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func status(code int, contentType, body string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func TestToken_closeToExpiry_refreshesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	w.clock.advance(7199*time.Second - 70*time.Second)
	if w.token() != old.AccessToken {
		t.Error("refreshed too early")
	}
	w.clock.advance(11 * time.Second)
	var same sync.WaitGroup
	for range 16 {
		same.Go(func() {
			if token, err := w.client.Token(t.Context()); err != nil || token == old.AccessToken {
				t.Errorf("Token = %v", err)
			}
		})
	}
	same.Wait()
	if n := w.refreshes(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	e := w.sb.Log().Find(sandbox.Query{Grant: "refresh_token"})[0]
	if e.Form.Get("resource") != w.sb.Endpoint() {
		t.Errorf("refresh without resource: %v", e.Form)
	}
	if w.store.current().RefreshToken == old.RefreshToken {
		t.Error("the rotated refresh token was not stored")
	}
	if s := w.store.current().Summary(); s.LastRefresh.Result != "ok" || !s.SignedInAt.Equal(old.SignedInAt) {
		t.Errorf("summary = %+v", s)
	}
}

func TestToken_otherProcessRefreshed_noRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.mustSignIn()
	other := w.newClient()
	w.clock.advance(2 * time.Hour)
	first, err := other.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if w.token() != first {
		t.Error("the other's token is not used")
	}
	if n := w.refreshes(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

// OAUTH B9: a 401 beats any clock.
func TestRejected_tokenDeadBeforeExpiry_refreshes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	if err := w.client.Rejected(t.Context(), old.AccessToken, nil); err != nil {
		t.Fatal(err)
	}
	if w.token() == old.AccessToken || w.refreshes() != 1 {
		t.Errorf("%d refreshes", w.refreshes())
	}
}

func TestRejected_olderToken_newerIsUsedWithoutRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.mustSignIn()
	if err := w.client.Rejected(t.Context(), "an-older-token", nil); err != nil || w.refreshes() != 0 {
		t.Errorf("Rejected = %v, %d refreshes", err, w.refreshes())
	}
}

func TestRejected_revokedInDashboard_signInNeededAndRegistrationKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	w.sb.RevokeFromDashboard("A")
	err := w.meet401(w.client, old.AccessToken)
	if !errors.Is(err, auth.ErrSignInNeeded) || !strings.Contains(err.Error(), "ended the login") {
		t.Errorf("Rejected = %v", err)
	}
	if cur := w.store.current(); cur.SignedIn() || cur.RefreshToken != "" || cur.Registration.ClientID != old.Registration.ClientID {
		t.Errorf("stored = %+v", cur.Summary())
	}
	w.mustSignIn()
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 1)
}

func TestToken_refreshFailsBeforeExpiry_oldTokenIsUsed(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	old := w.mustSignIn()
	f.set(status(503, "text/plain", "later"))
	w.clock.advance(7199*time.Second - 30*time.Second)
	if w.token() != old.AccessToken {
		t.Error("another token")
	}
	// The same token refused by the resource: now it is an error, not a sign-in.
	if err := w.client.Rejected(t.Context(), old.AccessToken, nil); err != nil {
		t.Errorf("Rejected = %v", err)
	}
	if _, err := w.client.Token(t.Context()); !errors.Is(err, auth.ErrServer) {
		t.Errorf("Token = %v", err)
	}
}

// OAUTH L6: an answer that got lost is asked for once more.
func TestToken_refreshAnswerLost_secondTryOfStaticTokenWorks(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	w.sb.SetRotation(sandbox.RotateStatic)
	old := w.mustSignIn()
	lost := false
	f.set(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if lost {
			next.ServeHTTP(rw, r)
			return
		}
		lost = true
		next.ServeHTTP(discardResponse{http.Header{}}, r) // it runs, and nobody hears of it
		panic(http.ErrAbortHandler)
	})
	w.clock.advance(3 * time.Hour)
	if token := w.token(); token == "" || token == old.AccessToken {
		t.Error("no new token")
	}
}

type discardResponse struct{ h http.Header }

func (d discardResponse) Header() http.Header       { return d.h }
func (discardResponse) Write(p []byte) (int, error) { return len(p), nil }
func (discardResponse) WriteHeader(int)             {}

// OAUTH L5: a request that is cancelled does not end the refresh.
func TestToken_callerCancelled_refreshIsStored(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	old := w.mustSignIn()
	reached, release := make(chan struct{}), make(chan struct{})
	f.set(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		close(reached)
		<-release
		next.ServeHTTP(rw, r)
	})
	w.clock.advance(3 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := w.client.Token(ctx)
		done <- err
	}()
	<-reached
	cancel()
	if err := <-done; err == nil {
		t.Error("the cancelled caller got no error")
	}
	close(release)
	w.client.Close(t.Context())
	if cur := w.store.current(); cur.RefreshToken == old.RefreshToken || !cur.SignedIn() {
		t.Error("the rotated token was not stored")
	}
}

func TestToken_storeLocked_errorAndNoSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.store.loadErr = errors.New("the keychain is locked")
	if _, err := w.client.Token(t.Context()); err == nil {
		t.Error("no error")
	}
	if err := w.client.Rejected(t.Context(), "", nil); err != nil {
		t.Errorf("a locked store leads to a sign-in: %v", err)
	}
}

// A server may rotate refresh tokens, give the same one again, name none at a
// refresh, or give none at all (OAUTH A41).
//
//oauth:row A41 auth/token_request.go `if res.RefreshToken != "" {` => `if true {`
//oauth:row A41 auth/token_request.go `cred.RefreshToken = redact.Secret(res.RefreshToken)` => `cred.RefreshToken += ""`
func TestToken_rotationForms_newestIsKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rotation sandbox.Rotation
		changes  bool // the stored refresh token, each time
	}{
		"strict":     {sandbox.RotateStrict, true},
		"Doorkeeper": {sandbox.RotateDoorkeeper, true},
		"static":     {sandbox.RotateStatic, false},
		"not named":  {sandbox.RotateOmits, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.sb.SetRotation(c.rotation)
			last := w.mustSignIn()
			for range 5 {
				w.clock.advance(3 * time.Hour)
				w.wantWorkingToken()
				cur := w.store.current()
				if cur.AccessToken == last.AccessToken || (cur.RefreshToken != last.RefreshToken) != c.changes || cur.RefreshToken == "" {
					t.Fatalf("stored %+v, refresh token changed: %t", cur.Summary(), cur.RefreshToken != last.RefreshToken)
				}
				last = cur
			}
			if n := w.sb.Log().RefreshCollisions(); (n != 0) == c.changes {
				t.Errorf("%d refresh tokens were spent twice", n)
			}
			if w.refreshes() != 5 {
				t.Errorf("%d refreshes", w.refreshes())
			}
		})
	}
}

// Without a refresh token a login lasts as long as its access token, and then a
// person is asked; nothing is sent to the token endpoint (OAUTH A41).
func TestToken_noRefreshTokenGiven_signInNeededAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.sb.SetRotation(sandbox.RotateNever)
	cred := w.mustSignIn()
	if cred.RefreshToken != "" || cred.Summary().Refreshable {
		t.Fatalf("credential = %+v", cred.Summary())
	}
	w.wantWorkingToken()
	w.clock.advance(3 * time.Hour)
	token := w.token()
	if err := w.meet401(w.client, token); !errors.Is(err, auth.ErrSignInNeeded) || w.refreshes() != 0 {
		t.Errorf("Rejected = %v, %d refreshes", err, w.refreshes())
	}
	w.mustSignIn()
	w.wantWorkingToken()
}

func TestLogout_revokesAndDeletes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	done, err := w.client.Logout(t.Context())
	if err != nil || len(done) != 2 || done[0].Err != nil || done[1].Err != nil {
		t.Fatalf("Logout = %+v, %v", done, err)
	}
	if w.store.current() != nil || w.token() != "" {
		t.Error("something is left")
	}
	w.store.set(old)
	w.clock.advance(3 * time.Hour)
	if token := w.token(); token != "" {
		t.Error("the refresh token still lives at the server")
	}
	if done, err := w.client.Logout(t.Context()); err != nil || len(done) != 0 {
		t.Errorf("Logout of nobody = %+v, %v", done, err)
	}
}
