package auth

import (
	"context"
	"fmt"
	"net/url"
)

// discovery is what a sign-in needs to know before it can begin.
type discovery struct {
	server   Server
	resource string   // exact string for the `resource` parameter (OAUTH A19)
	scopes   []string // to ask for; empty: none are sent (OAUTH A20)
	// grantAlive: the sign-in widens a grant that works.
	grantAlive bool
}

// discover finds the authorization server of the resource, starting from the
// challenge of its 401 (OAUTH A1 to A7, A16).
func (c *Client) discover(ctx context.Context, ch challenge) (*discovery, error) {
	prm, err := c.resourceMeta(ctx, ch)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(c.cfg.Resource)
	if err != nil {
		return nil, fmt.Errorf("parsing the endpoint: %w", err)
	}
	d := &discovery{resource: c.cfg.Resource}
	issuers := []string{origin(u)}
	if prm != nil {
		d.resource = prm.Resource
		if len(prm.AuthorizationServers) > 0 {
			issuers = prm.AuthorizationServers
		}
	}
	if d.server, err = c.firstServer(ctx, issuers); err != nil {
		return nil, err
	}
	d.scopes = c.scopesFor(ch, prm, d.server)
	return d, nil
}

// firstServer takes the first authorization server that can be used (OAUTH A8).
func (c *Client) firstServer(ctx context.Context, issuers []string) (Server, error) {
	const most = 4 // a list that a server gives is no reason to ask the whole network
	var first error
	for _, issuer := range issuers[:min(most, len(issuers))] {
		s, err := c.serverMeta(ctx, issuer)
		if err == nil {
			return s, nil
		}
		if first == nil {
			first = err
		}
	}
	return Server{}, first
}
