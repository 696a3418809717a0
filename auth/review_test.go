package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// A named client and its secret stay at their server.
//
//oauth:row A15 auth/signin.go "cur.Registration.Issuer == d.server.Issuer" => "true"
func TestSignIn_namedClientAtOtherServer_refused(t *testing.T) {
	t.Parallel()
	const secret = "a-client-secret-of-our-own"
	w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.ClientID, c.ClientSecret = "ours", redact.Secret(secret) })
	w.sb.AddClient(sandbox.Client{ID: "ours", Secret: redact.Secret(secret), AuthMethod: "client_secret_basic", RedirectURIs: []string{"http://127.0.0.1/callback"}})
	w.sb.Change(func(k *sandbox.Knobs) { k.Client.Redirect = sandbox.RedirectAnyPort })
	w.mustSignIn()
	before := w.sb.Log().Len()
	w.sb.SetMetadata(sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts, AtAccounts: true})
	w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true})
	if _, err := w.signIn(); !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "this client id was used at") {
		t.Errorf("err = %v", err)
	}
	w.wantCount("token requests", sandbox.Query{Path: "/oauth/token", After: before}, 0)
}

// A server that repeats what we sent does not get it into errors or the clear
// part of the file.
func TestToken_descriptionRepeatsSecret_masked(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	old := w.mustSignIn()
	f.set(func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(rw, `{"error":"invalid_request","error_description":"refresh_token %s is odd\u001b[31m"}`, r.PostFormValue("refresh_token"))
	})
	w.clock.advance(3 * time.Hour)
	_, err := w.client.Token(t.Context())
	if err == nil || strings.Contains(err.Error(), old.RefreshToken.Reveal()) || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("err = %q", err)
	}
	if got := w.store.current().Summary().LastRefresh.Result; got != "the token endpoint answered invalid_request" {
		t.Errorf("result in the clear = %q", got)
	}
}

// A server that gives the same tokens again means the same grant.
func TestSignIn_sameTokensAgain_notRevoked(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	f.set(status(200, "application/json", `{"access_token":"same-access-token","token_type":"Bearer","refresh_token":"same-refresh-token"}`))
	w.mustSignIn()
	w.mustSignIn()
	w.wantCount("revocations", sandbox.Query{Path: "/oauth/revoke"}, 0)
}

// Two logins without refresh tokens are two grants all the same.
func TestSignIn_againWithoutRefreshTokens_revokesReplacedGrant(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	for _, token := range []string{"first-access-token", "second-access-token"} {
		f.set(status(200, "application/json", `{"access_token":"`+token+`","token_type":"Bearer"}`))
		w.mustSignIn()
	}
	w.wantCount("revocations", sandbox.Query{Path: "/oauth/revoke"}, 1)
}

// What a server tells about a person beside the tokens has no form that it must
// have, and a rotated refresh token is not lost for it.
func TestToken_membersOfNoStandardInOtherForm_ignored(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	w.mustSignIn()
	f.set(status(200, "application/json", `{"access_token":"new-access-token","token_type":"Bearer","refresh_token":"new-refresh-token",`+
		`"user_uuid":42,"name":{"first":"A"},"email":null,"id_token":false}`))
	w.clock.advance(3 * time.Hour)
	if w.token() != "new-access-token" || w.store.current().RefreshToken != "new-refresh-token" {
		t.Errorf("stored: %+v", w.store.current().Summary())
	}
}

// Nor for a form of the scopes, or a status, that is not the standard's.
func TestToken_scopesAsAnArrayAndStatus201_taken(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string][]string{`["a","b c"]`: {"a", "b c"}, `"a b"`: {"a", "b"}, `7`: {"before"}, `null`: {"before"}, `""`: {}} {
		var f tokenEndpoint
		w := newWorld(t, sandbox.Options{Wrap: f.wrap})
		f.set(status(200, "application/json", `{"access_token":"old-access-token","token_type":"Bearer","refresh_token":"old-refresh-token","expires_in":60,"scope":"before"}`))
		w.mustSignIn()
		f.set(status(201, "application/json", `{"access_token":"new-access-token","token_type":"Bearer","refresh_token":"new-refresh-token","scope":`+scope+`}`))
		w.clock.advance(3 * time.Hour)
		if w.token() != "new-access-token" || w.store.current().RefreshToken != "new-refresh-token" {
			t.Errorf("scope %s: stored: %+v", scope, w.store.current().Summary())
		}
		if got := w.store.current().Scopes; !slices.Equal(got, want) {
			t.Errorf("scope %s: %q, want %q", scope, got, want)
		}
	}
}

// Renamed, but reported as failed: the login is there, so it lives.
func TestSignIn_storedDespiteError_countsAsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.mustSignIn()
	cred, err := w.signInWith(w.promptAfter(func() { w.store.failAndKeep(errors.New("the folder could not be synced")) }))
	if err != nil {
		t.Fatal(err)
	}
	if page := w.lastPage(); !strings.Contains(page.Body, "You are signed in") {
		t.Errorf("page = %s", page.Body)
	}
	for _, e := range w.sb.Log().Find(sandbox.Query{Path: "/oauth/revoke"}) {
		t.Errorf("revoked: %v", e.Form)
	}
	if w.token() != cred.AccessToken {
		t.Error("another token")
	}
}

// Once the code is there, leaving does not strand the grant.
func TestSignIn_callerLeavesDuringExchange_isStored(t *testing.T) {
	t.Parallel()
	var f tokenEndpoint
	w := newWorld(t, sandbox.Options{Wrap: f.wrap})
	reached, release := make(chan struct{}), make(chan struct{})
	f.set(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		close(reached)
		<-release
		next.ServeHTTP(rw, r)
	})
	_ = w.meet401(w.client, "")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := w.client.SignIn(ctx, w.prompt())
		done <- err
	}()
	<-reached
	cancel()
	if err := <-done; err == nil {
		t.Error("the caller that left got no error")
	}
	close(release)
	w.client.Close(t.Context())
	w.lastPage()
	if !w.store.current().SignedIn() {
		t.Error("the login was not stored")
	}
}
