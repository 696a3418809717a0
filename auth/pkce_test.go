package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// RFC 7636 sections 4.1 to 4.5: a verifier of its own for each sign-in, whose
// SHA-256 goes through the browser and which itself goes to the token endpoint.
//
//oauth:row A17 auth/attempt.go "oauth2.S256ChallengeOption(a.Verifier.Reveal())" => "oauth2.SetAuthURLParam(\"code_challenge\", a.Verifier.Reveal()), oauth2.SetAuthURLParam(\"code_challenge_method\", \"plain\")"
//oauth:row A17 auth/attempt.go "redact.Secret(oauth2.GenerateVerifier())" => "redact.Secret(\"always-the-same-verifier-and-long-enough-for-the-rfc\") + redact.Secret(oauth2.GenerateVerifier()[:0])"
//oauth:row A17 auth/authorize.go "\"code_verifier\": {a.Verifier.Reveal()}," => ""
func TestSignIn_pkce_S256OfAFreshVerifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.mustSignIn()
	w.mustSignIn()
	challenges := map[string]bool{}
	for _, e := range w.sb.Log().Find(sandbox.Query{Path: "/oauth/authorize", Method: "GET"}) {
		challenges[e.Form.Get("code_challenge")] = true
		if method := e.Form.Get("code_challenge_method"); method != "S256" {
			t.Errorf("method %q", method)
		}
	}
	verifiers := map[string]bool{}
	for _, e := range w.sb.Log().Find(sandbox.Query{Grant: "authorization_code", Status: 200}) {
		verifier := w.secret(e.Form.Get("code_verifier"))
		verifiers[verifier] = true
		if sum := sha256.Sum256([]byte(verifier)); !challenges[base64.RawURLEncoding.EncodeToString(sum[:])] {
			t.Error("a verifier whose S256 was no challenge")
		}
		if !regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`).MatchString(verifier) {
			t.Errorf("a verifier of %d characters", len(verifier))
		}
	}
	if len(verifiers) != 2 {
		t.Errorf("%d verifiers in two sign-ins", len(verifiers))
	}
}

// secret is what the sandbox's log calls by its number.
func (w *world) secret(name string) string {
	w.t.Helper()
	var n int
	if _, err := fmt.Sscanf(name, "secret #%d", &n); err != nil || n == 0 {
		w.t.Fatalf("%q is no secret of the log: %v", name, err)
	}
	return w.sb.Log().Secrets()[n-1]
}

// Servers give a refresh token only to a client that registered for it.
//
//oauth:row A39 auth/register.go "[]string{\"authorization_code\", \"refresh_token\"}" => "[]string{\"authorization_code\"}"
func TestSignIn_registration_asksForRefreshTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.mustSignIn()
	clients := w.sb.Clients()
	if len(clients) != 1 || fmt.Sprint(clients[0].GrantTypes) != "[authorization_code refresh_token]" {
		t.Errorf("registered: %+v", clients)
	}
}
