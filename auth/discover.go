package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// discovery is what a sign-in needs to know before it can begin.
type discovery struct {
	server   Server
	resource string   // exact string for the `resource` parameter (OAUTH A19); empty: none is sent
	scopes   []string // to ask for; empty: none are sent (OAUTH A20)
	// grantAlive: the sign-in widens a grant that works.
	grantAlive bool
	// noMetadata is why the endpoints are the default ones (OAUTH A16); nil: they are not.
	noMetadata error
}

// discover finds the authorization server of the resource, starting from the
// challenge of its 401 (OAUTH A1 to A7, A16).
func (c *Client) discover(ctx context.Context, ch challenge) (*discovery, error) {
	prm, absent, err := c.resourceMeta(ctx, ch)
	if err != nil {
		return nil, err
	}
	server, err := c.findServer(ctx, prm)
	var noMetadata error
	if absent && errors.Is(err, errNoServerMeta) {
		noMetadata = err
		server, err = c.bareServer(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	return &discovery{noMetadata: noMetadata, server: server, resource: c.indicator(prm), scopes: c.scopesFor(ch, prm, server)}, nil
}

// findServer reads the authorization server metadata: from the place that the user
// named, else for the servers that the resource names, else at its origin.
func (c *Client) findServer(ctx context.Context, prm *oauthex.ProtectedResourceMetadata) (Server, error) {
	var named []string
	if prm != nil {
		named = prm.AuthorizationServers
	}
	if c.cfg.ServerMetadataURL != "" {
		return c.serverMetaAt(ctx, c.cfg.ServerMetadataURL, named)
	}
	if len(named) > 0 {
		return c.firstServer(ctx, named)
	}
	u, err := url.Parse(c.cfg.Resource)
	if err != nil {
		return Server{}, fmt.Errorf("parsing the endpoint: %w", err)
	}
	return c.serverMeta(ctx, origin(u))
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
