package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// Authorizer gives access tokens for the bound resource. It is declared here
// because remote must not know how tokens are had; auth.Client implements it.
// It is called from many goroutines at once.
type Authorizer interface {
	// Token returns the access token, or "" when nobody is signed in: the
	// request then goes out bare. It may refresh, within a time limit of its
	// own; an error says that there is a credential that cannot be used now
	// (offline, store locked) and fails the message that asked.
	Token(ctx context.Context) (redact.Secret, error)
	// Rejected tells that the resource answered 401 to this token ("" if none
	// was sent), or 403 for want of scope, with the values of WWW-Authenticate. nil: Token is asked again
	// and the message sent once more. An error says why there can be no token
	// without a person; remote wraps it in ErrSignIn. What may pass by itself
	// (a refresh that met a 503) is nil here and an error of Token.
	Rejected(ctx context.Context, token redact.Secret, challenges []string) error
	// Grant names the sign-in that a token comes from, however often it has been
	// refreshed since; "" when that cannot be told. It asks nobody.
	Grant(ctx context.Context, token redact.Secret) string
}

// ErrSignIn says that the message was refused for want of a token, has not run,
// and that only a person can help: the bridge starts the sign-in and sends the
// message again (RELAY R5).
var ErrSignIn = errors.New("sign-in needed")

// errElsewhere guards the bearer (OAUTH X16).
var errElsewhere = errors.New("the address is not the bound endpoint")

// token asks the Authorizer, if there is one.
func (c *Client) token(ctx context.Context) (redact.Secret, error) {
	if c.auth == nil {
		return "", nil
	}
	return c.auth.Token(ctx)
}

// isCurrent tells whether token is what a request would get now.
func (c *Client) isCurrent(ctx context.Context, token redact.Secret) bool {
	now, err := c.token(ctx)
	return err == nil && now == token
}

// grant names the sign-in that a token comes from; "": not known.
func (c *Client) grant(ctx context.Context, token redact.Secret) string {
	if c.auth == nil || token == "" {
		return ""
	}
	return c.auth.Grant(ctx, token)
}

// rejected tells the Authorizer of a 401, or of a 403 that asks for more scope;
// nil means that sending again is worth it.
func (c *Client) rejected(ctx context.Context, f *failure) error {
	if c.auth == nil {
		return fmt.Errorf("%w: the server asks for a token", ErrSignIn)
	}
	err := c.auth.Rejected(ctx, f.token, f.challenges)
	if err == nil || ctx.Err() != nil {
		return err
	}
	c.session.signedOut(f.token)
	c.session.nudge()
	return fmt.Errorf("%w: %w", ErrSignIn, err)
}

// bear is the one place that puts the token on a request. It compares the
// request with the bound endpoint first, so that the token can reach no other
// origin or path (OAUTH X16, RFC 8707 section 2).
func (c *Client) bear(r *http.Request, token redact.Secret) error {
	if token == "" {
		return nil
	}
	if !sameResource(r.URL, c.endpoint) || r.Host != "" && r.Host != c.endpoint.Host {
		return errElsewhere
	}
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	return nil
}

func sameResource(u, bound *url.URL) bool {
	return strings.EqualFold(u.Scheme, bound.Scheme) && strings.EqualFold(u.Host, bound.Host) &&
		u.EscapedPath() == bound.EscapedPath() && u.User == nil
}
