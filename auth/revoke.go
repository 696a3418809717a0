package auth

// RFC 7009: OAuth 2.0 Token Revocation.

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// Revocation says what became of one token at a logout.
type Revocation struct {
	// Token is "refresh token" or "access token".
	Token string
	// Err is nil when the server confirmed that the token is dead.
	Err error
	// Expiry is when it ends by itself; zero: not known.
	Expiry time.Time
}

// Why a token was not revoked, beside faults.
var (
	// ErrNoRevocation: the server offers no way to revoke a token.
	ErrNoRevocation = errors.New("the server offers no revocation endpoint")
	// ErrTokenKind: the server cannot revoke tokens of this kind, such as a JWT that
	// nobody asks it about (RFC 7009 section 2.2.1).
	ErrTokenKind = errors.New("the server cannot revoke tokens of this kind")
)

// Logout revokes the tokens and deletes the credential, also when the server
// cannot be told. It returns what was and was not revoked, nothing when nobody
// was signed in. An error means that the credential could not be deleted.
func (c *Client) Logout(ctx context.Context) ([]Revocation, error) {
	var done []Revocation
	err := c.cfg.Store.Update(ctx, func(ctx context.Context, cur *Credential) (*Credential, error) {
		if cur.SignedIn() {
			done = c.revoke(ctx, cur)
		}
		return nil, nil // nil deletes, see Store.Update
	})
	return done, err
}

// revoke kills the refresh token, then the access token (OAUTH L11).
func (c *Client) revoke(ctx context.Context, cred *Credential) []Revocation {
	var done []Revocation
	if cred.RefreshToken != "" {
		done = append(done, Revocation{Token: "refresh token", Err: c.revokeToken(ctx, cred, cred.RefreshToken, "refresh_token")})
	}
	return append(done, Revocation{"access token", c.revokeToken(ctx, cred, cred.AccessToken, "access_token"), cred.Expiry})
}

func (c *Client) revokeToken(ctx context.Context, cred *Credential, token redact.Secret, kind string) error {
	if cred.Server.RevocationEndpoint == "" {
		return ErrNoRevocation
	}
	a, err := c.postForm(ctx, cred.Server.RevocationEndpoint, cred.Registration, url.Values{
		"token": {token.Reveal()}, "token_type_hint": {kind},
	})
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		var e struct {
			Error string `json:"error"`
		}
		if a.decode(&e) == nil && e.Error == "unsupported_token_type" {
			return ErrTokenKind
		}
		return serverFault("the revocation endpoint answered status %d", a.status)
	}
	return nil
}
