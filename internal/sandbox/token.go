package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// Rotation is what a refresh does with the refresh token (PAYU S14, U6).
type Rotation int

// The rotations.
const (
	// RotateStrict gives a new one; the old one, used again, revokes the grant.
	RotateStrict Rotation = iota
	// RotateDoorkeeper gives a new one; the old one dies when the new access token
	// is first used.
	RotateDoorkeeper
	// RotateGrace is RotateStrict, but for Grace after the first use.
	RotateGrace
	// RotateStatic answers with the same one for ever.
	RotateStatic
	// RotateOmits is RotateStatic with an answer that has no refresh_token.
	RotateOmits
	// RotateNever issues no refresh token at all.
	RotateNever
)

func (r Rotation) spends() bool { return r == RotateStrict || r == RotateGrace }

// ScopeAnswer is the scope member of a token response (PAYU S13).
type ScopeAnswer int

// The answers.
const (
	ScopeEchoed   ScopeAnswer = iota // what was granted
	ScopeNarrowed                    // only the first of them is granted
	ScopeAbsent                      // granted, not said
)

// TokenKnobs shape the token endpoint (PAYU S13, S14).
type TokenKnobs struct {
	// AccessLife is the life of access tokens, in whole seconds; 0 is 7199 s.
	AccessLife    time.Duration
	OmitExpiresIn bool
	Scope         ScopeAnswer
	Rotation      Rotation
	Grace         time.Duration
	// RequireResource refuses a refresh without the resource parameter.
	RequireResource bool
	// RefuseResource refuses a refresh with the resource parameter (invalid_target).
	RefuseResource bool
	// Digits is the length of issued tokens in characters; 0 is 64.
	Digits int
}

const (
	defaultLife  = 7199 * time.Second // PAYU P8
	tokenDigits  = 64
	defaultScope = "read_transactions read_refunds read_settlements create_payment_links read_payment_links update_payment_links"
)

func (k TokenKnobs) life() time.Duration { return cmp.Or(k.AccessLife, defaultLife) }
func (k TokenKnobs) digits() int         { return cmp.Or(k.Digits, tokenDigits) }

// PayU's texts (PAYU E8, E9, E10).
const (
	textInvalidClient  = "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method."
	textInvalidRequest = "The request is missing a required parameter, includes an unsupported parameter value, or is otherwise malformed."
	textInvalidGrant   = "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client."
)

// token is AS POST /oauth/token (RFC 6749 section 3.2).
func (s *Sandbox) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		oauthError(w, http.StatusUnauthorized, "invalid_request", textInvalidRequest)
		return
	}
	all := s.Knobs()
	c, ok := s.authenticate(r)
	if !ok || all.Client.DemandSecret && c.Secret == "" {
		if all.Client.BurnCodeOnAuthFailure {
			s.grants.burn(r.PostForm.Get("code"))
		}
		oauthError(w, http.StatusUnauthorized, "invalid_client", textInvalidClient)
		return
	}
	if !s.ownResource(r.PostForm.Get("resource")) {
		oauthError(w, http.StatusBadRequest, "invalid_target", "The requested resource is invalid, missing, unknown, or malformed.")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		s.exchange(w, r, c, all.Token)
	case "refresh_token":
		s.refresh(w, r, c, all.Token)
	case deviceGrant:
		s.redeemDevice(w, r, c, all.Token)
	default:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server.")
	}
}

// exchange gives tokens for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
func (s *Sandbox) exchange(w http.ResponseWriter, r *http.Request, c Client, k TokenKnobs) {
	redirect := r.PostForm.Get("redirect_uri")
	if redirect == "" {
		oauthError(w, http.StatusUnauthorized, "invalid_request", textInvalidRequest)
		return
	}
	g, ok := s.grants.redeem(r.PostForm.Get("code"), s.now(), func(a *authorization) bool {
		resource := r.PostForm.Get("resource")
		return a.client.ID == c.ID && a.redirect == redirect && challengeOf(r.PostForm.Get("code_verifier")) == a.challenge &&
			(resource == "" || a.resource == "" || resource == a.resource)
	})
	if !ok {
		oauthError(w, http.StatusBadRequest, "invalid_grant", textInvalidGrant)
		return
	}
	if k.Scope == ScopeNarrowed {
		g.scope, _, _ = strings.Cut(g.scope, " ") // nobody has a token of it yet
	}
	refresh := ""
	if k.Rotation != RotateNever {
		refresh = s.newSecret(k.digits())
	}
	s.grant(w, g, k, refresh, refresh, nil)
}

// refresh gives tokens for a refresh token (RFC 6749 section 6).
func (s *Sandbox) refresh(w http.ResponseWriter, r *http.Request, c Client, k TokenKnobs) {
	if k.RequireResource && r.PostForm.Get("resource") == "" {
		oauthError(w, http.StatusBadRequest, "invalid_target", "The resource parameter is missing.")
		return
	}
	if k.RefuseResource && r.PostForm.Get("resource") != "" {
		oauthError(w, http.StatusBadRequest, "invalid_target", "The resource parameter is not known here.")
		return
	}
	old := r.PostForm.Get("refresh_token")
	t := s.grants.spend(old, c.ID, k, s.now())
	if t == nil {
		oauthError(w, http.StatusBadRequest, "invalid_grant", textInvalidGrant)
		return
	}
	switch k.Rotation {
	case RotateStatic:
		s.grant(w, t.grant, k, "", old, nil)
	case RotateOmits, RotateNever:
		s.grant(w, t.grant, k, "", "", nil)
	case RotateDoorkeeper:
		fresh := s.newSecret(k.digits())
		s.grant(w, t.grant, k, fresh, fresh, t)
	case RotateStrict, RotateGrace:
		fresh := s.newSecret(k.digits())
		s.grant(w, t.grant, k, fresh, fresh, nil)
	}
}

// grant commits new tokens and answers with PayU's response (PAYU P8). fresh is
// a new refresh token, said what the answer says of it.
func (s *Sandbox) grant(w http.ResponseWriter, g *grant, k TokenKnobs, fresh, said string, kills *refreshToken) {
	access := s.newSecret(k.digits())
	s.grants.give(g, access, s.now().Add(k.life()), fresh, kills)
	answer := map[string]any{
		"access_token": access, "token_type": "Bearer", "created_at": s.now().Unix(),
		"user_uuid": "00000000-0000-4000-8000-00000000000" + strings.ToLower(g.user),
	}
	if !k.OmitExpiresIn {
		answer["expires_in"] = int(k.life() / time.Second)
	}
	if said != "" {
		answer["refresh_token"] = said
	}
	switch k.Scope {
	case ScopeEchoed, ScopeNarrowed:
		answer["scope"] = g.scope
	case ScopeAbsent:
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
}

// challengeOf is the S256 transformation of RFC 7636 section 4.2.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func oauthError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
