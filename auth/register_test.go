package auth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// A registration is used again as long as its secret surely outlives a sign-in.
//
//oauth:row A12 auth/signin.go "!r.SecretExpiry.IsZero() &&" => "false &&"
//oauth:row A12 auth/signin.go "case known != nil && known.RedirectURI == ln.RedirectURI()" => "case false"
func TestSignIn_secretOfRegistrationEnds_registeredAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		life, later time.Duration
		want        int // registrations after two sign-ins
	}{
		"without end":     {0, 1000 * time.Hour, 1},
		"good for longer": {2 * time.Hour, time.Hour, 1},
		"ended":           {2 * time.Hour, 3 * time.Hour, 2},
		"about to end":    {2 * time.Hour, 2*time.Hour - 5*time.Minute, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{}, func(cfg *auth.Config) { cfg.SignInLimit = 10 * time.Minute })
			w.sb.Change(func(k *sandbox.Knobs) { k.Client.IssueSecret, k.Client.SecretLife = true, c.life })
			first := w.mustSignIn()
			if first.Registration.SecretExpiry.IsZero() != (c.life == 0) {
				t.Errorf("expiry %v", first.Registration.SecretExpiry)
			}
			w.clock.advance(c.later)
			second := w.mustSignIn()
			w.wantCount("registrations", sandbox.Query{Path: "/register", Status: http.StatusCreated}, c.want)
			if (second.Registration.ClientID == first.Registration.ClientID) != (c.want == 1) {
				t.Error("another client than expected")
			}
		})
	}
}

// What a registration asks for.
//
//oauth:row A13 auth/register.go "ApplicationType:         \"native\"," => ""
func TestSignIn_registration_asNativeClientThatRefreshes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	cred := w.mustSignIn()
	got := w.sb.Clients()[0]
	want := sandbox.Client{
		ID: cred.Registration.ClientID, AuthMethod: "none", RedirectURIs: []string{cred.Registration.RedirectURI},
		Name: "payu-mcp", ApplicationType: "native", GrantTypes: []string{"authorization_code", "refresh_token"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
