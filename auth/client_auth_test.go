package auth_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// The three ways in which a client proves who it is, on the wire of each request
// that needs it: exchange, refresh and revocation (OAUTH A11, A34).
//
//oauth:row A11 auth/register.go `ClientID: c.cfg.ClientID, Secret: c.cfg.ClientSecret,` => `ClientID: c.cfg.ClientID,`
//oauth:row A34 auth/token_request.go `if r.AuthMethod == authPost {` => `if false {`
//oauth:row A34 auth/token_request.go `if r.AuthMethod == authBasic {` => `if false {`
//oauth:row A34 auth/token_request.go `if r.AuthMethod != authBasic {` => `if false {`
func TestSignIn_clientAuthentication_methodsOnTheWire(t *testing.T) {
	t.Parallel()
	const secret = "a secret: with + and % and é"
	for method, c := range map[string]struct{ header, idInForm, secretInForm bool }{
		"none":                {false, true, false},
		"client_secret_post":  {false, true, true},
		"client_secret_basic": {true, false, false},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{}, func(cfg *auth.Config) {
				cfg.ClientID = "our:own id"
				if method != "none" {
					cfg.ClientSecret = secret
				}
			})
			client := sandbox.Client{ID: "our:own id", AuthMethod: method, RedirectURIs: []string{"http://127.0.0.1/callback"}}
			if method != "none" {
				client.Secret = redact.Secret(secret)
			}
			w.sb.AddClient(client)
			w.sb.Change(func(k *sandbox.Knobs) {
				k.Client.Redirect = sandbox.RedirectAnyPort
				k.Metadata.Members = map[string]any{"token_endpoint_auth_methods_supported": []string{method}}
			})
			w.mustSignIn()
			w.clock.advance(3 * time.Hour)
			w.token()
			if _, err := w.client.Logout(t.Context()); err != nil {
				t.Fatal(err)
			}
			sent := append(w.sb.Log().Find(sandbox.Query{Path: "/oauth/token", Status: 200}), w.sb.Log().Find(sandbox.Query{Path: "/oauth/revoke", Status: 200})...)
			if len(sent) != 4 {
				t.Fatalf("%d requests, want exchange, refresh and two revocations", len(sent))
			}
			for _, e := range sent {
				if strings.HasPrefix(e.Authorization, "basic ") != c.header || e.Form.Has("client_id") != c.idInForm || e.Form.Has("client_secret") != c.secretInForm {
					t.Errorf("%s %s: header %q, form %v", e.Path, e.Grant(), e.Authorization, e.Form)
				}
			}
			w.wantCount("registrations", sandbox.Query{Path: "/register"}, 0)
		})
	}
}

// A client that registers itself is what the server's answer makes of it, and sends
// its code once.
func TestSignIn_clientAuthentication_asRegistered(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sandbox.ClientKnobs){
		"registered with a secret":     func(k *sandbox.ClientKnobs) { k.IssueSecret = true },
		"answer without a method":      func(k *sandbox.ClientKnobs) { k.OmitAuthMethod = true },
		"public client, strict server": func(k *sandbox.ClientKnobs) { k.BurnCodeOnAuthFailure = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.sb.Change(func(k *sandbox.Knobs) { change(&k.Client) })
			w.mustSignIn()
			w.wantCount("exchanges", sandbox.Query{Grant: "authorization_code"}, 1)
		})
	}
}

// The message names the redirect URI that was refused and the options that help
// (PAYU U4, OAUTH A14).
//
//oauth:row A14 auth/register.go `registration with redirect URI %s: %s", clean(s.Issuer), redirectURI,` => `registration: %s", clean(s.Issuer),`
func TestSignIn_redirectRefused_saysWhichAndOption(t *testing.T) {
	t.Parallel()
	w, in := faulty(t)
	in.Add(sandbox.RoleResource, "/register", -1, fault.OAuthError(http.StatusBadRequest, "invalid_redirect_uri"))
	_, err := w.signIn()
	if err == nil || !regexp.MustCompile(`redirect URI http://127\.0\.0\.1:\d+/callback`).MatchString(err.Error()) {
		t.Errorf("err = %v", err)
	}
	for _, want := range []string{"--callback-port", "--client-id"} {
		if !strings.Contains(hint.Of(err), want) {
			t.Errorf("the hint does not name %s: %q", want, hint.Of(err))
		}
	}
	if len(w.pages) != 0 {
		t.Error("a browser was opened")
	}
}
