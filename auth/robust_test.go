package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// crowd is several processes that share the store.
func (w *world) crowd(n int) []*auth.Client {
	w.t.Helper()
	all := []*auth.Client{w.client}
	for len(all) < n {
		all = append(all, w.newClient())
	}
	return all
}

// together lets all do the same at once.
func together(all []*auth.Client, do func(c *auth.Client)) {
	var wg sync.WaitGroup
	for _, c := range all {
		for range 3 {
			wg.Go(func() { do(c) })
		}
	}
	wg.Wait()
}

// OAUTH B2: one refresh for all, at the expiry.
func TestToken_severalProcessesAtExpiry_oneRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	all := w.crowd(8)
	for range 3 {
		w.clock.advance(3 * time.Hour)
		together(all, func(c *auth.Client) {
			if token, err := c.Token(t.Context()); err != nil || token == "" || token == old.AccessToken {
				t.Errorf("Token = %v", err)
			}
		})
	}
	if n, spent := w.refreshes(), w.sb.Log().RefreshCollisions(); n != 3 || spent != 0 {
		t.Errorf("%d refreshes, %d refresh tokens spent twice", n, spent)
	}
}

// OAUTH B2: and one after an early revocation of the access token.
func TestRejected_severalProcessesAfterEarlyRevocation_oneRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	w.sb.ExpireAccessTokens()
	together(w.crowd(8), func(c *auth.Client) {
		if err := c.Rejected(t.Context(), old.AccessToken, nil); err != nil {
			t.Errorf("Rejected = %v", err)
		}
		if token, err := c.Token(t.Context()); err != nil || token == old.AccessToken {
			t.Errorf("Token = %v", err)
		}
	})
	if n, spent := w.refreshes(), w.sb.Log().RefreshCollisions(); n != 1 || spent != 0 {
		t.Errorf("%d refreshes, %d refresh tokens spent twice", n, spent)
	}
}

// OAUTH L6 with reuse detection: the second try ends the grant at a strict
// server. That is one sign-in, and no loop.
func TestToken_refreshAnswerLostAtStrictServer_oneSignIn(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	old := w.mustSignIn()
	var once sync.Once
	f.set(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		lost := false
		once.Do(func() { lost = true })
		if !lost {
			next.ServeHTTP(rw, r)
			return
		}
		next.ServeHTTP(discardResponse{http.Header{}}, r) // it runs, and nobody hears of it
		panic(http.ErrAbortHandler)
	})
	w.clock.advance(3 * time.Hour)
	w.endedOnce(old, w.crowd(4))
	if n := w.refreshes(); n != 2 {
		t.Errorf("%d refreshes", n)
	}
}

// endedOnce checks that all find the login ended, that this leads to one sign-in
// and that nobody asks the server again and again.
func (w *world) endedOnce(old *auth.Credential, all []*auth.Client) {
	w.t.Helper()
	together(all, func(c *auth.Client) {
		token, err := c.Token(w.t.Context())
		if err != nil || token != "" {
			w.t.Errorf("Token gives %v, %v", token != "", err)
		}
		if err := c.Rejected(w.t.Context(), old.AccessToken, nil); !errors.Is(err, auth.ErrSignInNeeded) || !strings.Contains(err.Error(), "ended the login") {
			w.t.Errorf("Rejected = %v", err)
		}
	})
	w.mustSignIn()
	together(all, func(c *auth.Client) {
		if token, err := c.Token(w.t.Context()); err != nil || token == "" {
			w.t.Errorf("after the sign-in: %v", err)
		}
	})
	w.wantCount("sign-ins", sandbox.Query{Grant: "authorization_code"}, 2)
}

// OAUTH B3: a process is killed after the server's commit and before our write.
func TestToken_killedBetweenCommitAndWrite_oneSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	w.clock.advance(3 * time.Hour)
	w.store.failSaving(errors.New("killed"))
	if _, err := w.newClient().Token(t.Context()); err == nil {
		t.Fatal("the write did not fail")
	}
	w.store.failSaving(nil)
	before := w.refreshes()
	w.endedOnce(old, w.crowd(4))
	if n := w.refreshes() - before; n != 1 {
		t.Errorf("%d refreshes with the spent token", n)
	}
}

// OAUTH B9: the clock is wrong by a day, either way, from the sign-in on or only
// afterwards. The first 401 heals it, and it stays healed.
func TestToken_clockWrongByADay_healsByThe401(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct{ atSignIn, later time.Duration }{
		"ahead":            {day, day},
		"behind":           {-day, -day},
		"set right again":  {day, 0},
		"moved on":         {0, day},
		"moved back":       {0, -day},
		"right from below": {-day, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var off time.Duration
			w := newWorld(t, sandbox.Options{})
			w.client = w.newClient(func(cfg *auth.Config) { cfg.Now = func() time.Time { return w.clock.now().Add(off) } })
			off = c.atSignIn
			w.mustSignIn()
			off = c.later
			for range 3 {
				w.clock.advance(3 * time.Hour) // the token is dead at the server, whatever we think
				w.wantWorkingToken()
			}
			if n := w.refreshes(); n < 3 || n > 4 {
				t.Errorf("%d refreshes for three expiries", n)
			}
		})
	}
}

// wantWorkingToken uses a token as the relay does: after a 401 once more.
func (w *world) wantWorkingToken() {
	w.t.Helper()
	for try := range 2 {
		token := w.token()
		if code, challenges := w.call(token); code != http.StatusUnauthorized {
			return
		} else if err := w.client.Rejected(w.t.Context(), token, challenges); err != nil || try > 0 {
			w.t.Fatalf("try %d: %v", try, err)
		}
	}
}

// call asks the endpoint with token.
func (w *world) call(token redact.Secret) (code int, challenges []string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.target, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	res, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, res.Header.Values("WWW-Authenticate")
}

// OAUTH L1: a logout or a sign-in in another process counts from the next use on.
func TestToken_changedInOtherProcess_seenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.mustSignIn()
	other := w.newClient()
	if _, err := other.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if token := w.token(); token != "" {
		t.Error("a token after the logout elsewhere")
	}
	_ = w.meet401(other, "")
	cred, err := other.SignIn(t.Context(), w.prompt())
	if err != nil {
		t.Fatal(err)
	}
	w.lastPage()
	if w.token() != cred.AccessToken {
		t.Error("the new login elsewhere is not used")
	}
}

// OAUTH L6, compare and delete: what is refused is an older login; the one that
// another process made meanwhile stays.
func TestRejected_olderLoginEnded_newLoginIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	w.sb.RevokeFromDashboard("A")
	next := w.mustSignIn()
	before := w.refreshes()
	together(w.crowd(4), func(c *auth.Client) {
		if err := c.Rejected(t.Context(), old.AccessToken, nil); err != nil {
			t.Errorf("Rejected = %v", err)
		}
	})
	w.wantOnly(next)
	if w.refreshes() != before {
		t.Error("the spent refresh token was sent")
	}
}
