package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// moving is a world whose resource names its authorization server in its
// challenges.
func moving(t *testing.T, change ...func(*auth.Config)) *world {
	t.Helper()
	w := newWorld(t, sandbox.Options{}, change...)
	w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true})
	w.sb.SetMCP(sandbox.MCPKnobs{Challenge: sandbox.ChallengeResourceMetadata})
	return w
}

// move lets the resource name another authorization server, and refuse the tokens
// that it took before.
func (w *world) move() {
	w.sb.SetMetadata(sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts, AtAccounts: true})
	w.sb.ExpireAccessTokens()
}

// The resource moves: the old server's refresh token is not used any more, its
// tokens are revoked there and dropped, and the next sign-in registers at the new
// server.
//
//oauth:row A15 auth/refresh.go "if moved {" => "if false && moved {"
//oauth:row A15 auth/signin.go "!r.Dynamic || r.Issuer != d.server.Issuer" => "!r.Dynamic"
//oauth:row A8 auth/signin.go "!r.Dynamic || r.Issuer != d.server.Issuer" => "!r.Dynamic"
func TestRejected_resourceMoved_tokensDroppedAndRegisteredAnew(t *testing.T) {
	t.Parallel()
	w := moving(t)
	old := w.mustSignIn()
	w.move()
	err := w.meet401(w.client, old.AccessToken)
	if !errors.Is(err, auth.ErrSignInNeeded) || !strings.Contains(err.Error(), "moved to another authorization server") {
		t.Errorf("Rejected = %v", err)
	}
	if cur := w.store.current(); cur.SignedIn() || cur.RefreshToken != "" || w.refreshes() != 0 {
		t.Errorf("%d refreshes, stored: %+v", w.refreshes(), cur.Summary())
	}
	w.wantCount("revocations", sandbox.Query{Path: "/oauth/revoke", Status: 200}, 2)
	next := w.mustSignIn()
	if next.Server.Issuer != w.sb.AccountsOrigin() || next.Registration.ClientID == old.Registration.ClientID || next.Registration.Issuer != next.Server.Issuer {
		t.Errorf("signed in at %s as %s", next.Server.Issuer, next.Registration.ClientID)
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 2)
}

// Several servers: each has its own registration, the first that can be used is
// taken, and one that is still named keeps its login.
//
//oauth:row A8 auth/discover.go "for _, issuer := range issuers[:min(most, len(issuers))] {" => "for _, issuer := range issuers[:1] {"
//oauth:row A8 auth/server_meta.go "for _, want := range named {" => "for _, want := range named[:1] {"
func TestRejected_serverStillNamed_refreshed(t *testing.T) {
	t.Parallel()
	w := moving(t)
	dead := "https://127.0.0.1:1/no-metadata-here"
	w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{w.sb.ForeignURL(), w.sb.ResourceOrigin()}})
	old := w.mustSignIn()
	w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{dead, w.sb.ResourceOrigin()}})
	w.sb.ExpireAccessTokens()
	if err := w.meet401(w.client, old.AccessToken); err != nil || w.refreshes() != 1 {
		t.Errorf("Rejected = %v, %d refreshes", err, w.refreshes())
	}
}

// What the resource does not surely say ends no login.
func TestRejected_resourceMetadataUnclear_loginKept(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sandbox.Knobs){
		"gone":          func(k *sandbox.Knobs) { k.Resource.Present = false },
		"500":           func(k *sandbox.Knobs) { k.Resource.Answer = sandbox.AnswerError },
		"page":          func(k *sandbox.Knobs) { k.Resource.Answer = sandbox.AnswerHTML },
		"names none":    func(k *sandbox.Knobs) { k.Resource.AuthorizationServers = []string{} },
		"another's":     func(k *sandbox.Knobs) { k.Resource.Resource = sandbox.ResourceElsewhere },
		"not mentioned": func(k *sandbox.Knobs) { k.MCP.Challenge = sandbox.ChallengeBare },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := moving(t)
			old := w.mustSignIn()
			w.move()
			w.sb.Change(change)
			if err := w.meet401(w.client, old.AccessToken); err != nil || w.refreshes() != 1 || !w.store.current().SignedIn() {
				t.Errorf("Rejected = %v, %d refreshes", err, w.refreshes())
			}
		})
	}
}

// A client that the user named belongs to its server: an error, not a try.
//
//oauth:row A15 auth/signin.go "cur.Registration.Issuer == d.server.Issuer" => "true"
func TestSignIn_namedClientAndResourceMoved_error(t *testing.T) {
	t.Parallel()
	w := moving(t, func(c *auth.Config) { c.ClientID = "ours" })
	w.sb.AddClient(sandbox.Client{ID: "ours", RedirectURIs: []string{"http://127.0.0.1/callback"}})
	w.sb.Change(func(k *sandbox.Knobs) { k.Client.Redirect = sandbox.RedirectAnyPort })
	old := w.mustSignIn()
	w.move()
	_ = w.meet401(w.client, old.AccessToken)
	before := w.sb.Log().Len()
	if _, err := w.signIn(); !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "this client id was used at") {
		t.Errorf("err = %v", err)
	}
	w.wantCount("authorizations", sandbox.Query{Path: "/oauth/authorize", After: before}, 0)
}

// PayU may name either of its two origins: neither ends the other's login.
func TestRejected_payuNamesItsOtherOrigin_refreshed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{TLS: true, PayUNames: true})
	old := w.mustSignIn()
	w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{"https://accounts.payu.in"}})
	w.sb.SetMCP(sandbox.MCPKnobs{Challenge: sandbox.ChallengeResourceMetadata})
	w.clock.advance(time.Minute)
	w.sb.ExpireAccessTokens()
	if err := w.meet401(w.client, old.AccessToken); err != nil || w.refreshes() != 1 {
		t.Errorf("Rejected = %v, %d refreshes", err, w.refreshes())
	}
}
