package auth

// RFC 9728 section 5.2: a challenge that names the resource metadata may say that
// it has changed. MCP: the credentials of one authorization server are none of
// another's.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

const (
	movedLimit = 5 * time.Second // a refresh waits for it
	movedAway  = "the endpoint has moved to another authorization server"
)

// hasMoved tells whether the resource, which refused the stored token stale, now
// names other authorization servers than the one that issued it. Only what it
// surely says counts. PayU's two names are one server (OAUTH Y1).
func (c *Client) hasMoved(ctx context.Context, stale redact.Secret, ch challenge) bool {
	if ch.resourceMetadata == "" || isPayU(c.cfg.Resource) {
		return false
	}
	cred, err := c.load(ctx)
	if err != nil || !cred.SignedIn() || cred.AccessToken != stale {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, movedLimit)
	defer cancel()
	prm, _, err := c.resourceMeta(ctx, ch)
	return err == nil && prm != nil && len(prm.AuthorizationServers) > 0 &&
		c.checkNamed(cred.Server.Issuer, prm.AuthorizationServers) != nil
}

// dropMoved ends a login at an authorization server that is no longer the resource's
// (OAUTH A15, A36). The registration stays, to be known as one of the old server.
func (c *Client) dropMoved(ctx context.Context, stale redact.Secret) error {
	err := c.cfg.Store.Update(ctx, func(ctx context.Context, cur *Credential) (*Credential, error) {
		if !cur.SignedIn() || cur.AccessToken != stale {
			return cur, nil
		}
		c.log.WarnContext(ctx, movedAway+": the login is dropped", "issuer", clean(cur.Server.Issuer))
		c.revoke(ctx, cur)
		return cur.withoutGrant(Refresh{At: c.now(), Result: movedAway}), nil
	})
	if err != nil && !errors.Is(err, ErrNotSaved) {
		return fmt.Errorf("dropping the login: %w", err)
	}
	return nil
}
