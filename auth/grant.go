package auth

import (
	"context"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// grant names the sign-in that c comes from, however often it was refreshed
// since; "" when nobody is signed in.
func (c *Credential) grant() string {
	if !c.SignedIn() {
		return ""
	}
	return c.SignedInAt.UTC().Format(time.RFC3339Nano)
}

// Grant names the sign-in that a token of the resource comes from: refreshed
// tokens have the same name. It is "" for a token that has been replaced.
func (c *Client) Grant(ctx context.Context, token redact.Secret) string {
	cred, err := c.load(ctx)
	if err != nil || !cred.SignedIn() || cred.AccessToken != token {
		return ""
	}
	return cred.grant()
}

// InForce names the sign-in that is stored now, whichever process made it, as
// Grant does; "" when nobody is signed in. It refreshes nothing and asks neither
// the network nor a person. An error: it cannot be told now.
func (c *Client) InForce(ctx context.Context) (string, error) {
	cred, err := c.load(ctx)
	if err != nil {
		return "", err
	}
	return cred.grant(), nil
}
