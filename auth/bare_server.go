package auth

// MCP 2025-03-26, "Fallbacks for Servers without Metadata Discovery".

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// bareServer is an authorization server without any metadata: its endpoints have
// their default places at the origin of the resource (OAUTH A16). That revision
// demands PKCE, and has no place for a server to say so. Where it cannot be that,
// noMetadata is the error: PayU's endpoints are known to be elsewhere, and a server
// that had metadata has lost them by a fault.
func (c *Client) bareServer(ctx context.Context, noMetadata error) (Server, error) {
	u, err := url.Parse(c.cfg.Resource)
	if err != nil {
		return Server{}, fmt.Errorf("parsing the endpoint: %w", err)
	}
	o := origin(u)
	s := Server{
		Issuer:                o,
		AuthorizationEndpoint: o + "/authorize",
		TokenEndpoint:         o + "/token",
		RegistrationEndpoint:  o + "/register",
		PKCEUnlisted:          true,
	}
	if isPayU(c.cfg.Resource) || c.hadMetadata(ctx, s) {
		return Server{}, noMetadata
	}
	c.log.InfoContext(ctx, "the server has no metadata: its authorization endpoints are taken to be where MCP 2025-03-26 puts them")
	return s, c.checkEndpoints(s)
}

// checkBare keeps a person from a page that is not there: nothing says that a
// server without metadata has an authorization endpoint at all.
func (c *Client) checkBare(ctx context.Context, d *discovery, r Registration) error {
	if d.noMetadata == nil {
		return nil
	}
	status, _ := c.askToAuthorize(ctx, d, r)
	if status != http.StatusNotFound && status != http.StatusGone {
		return nil
	}
	return hint.With(fmt.Errorf("%w; and there is no authorization endpoint at %s", d.noMetadata, d.server.AuthorizationEndpoint), hint.Of(d.noMetadata))
}

// hadMetadata tells whether somebody signed in at this server by other endpoints.
func (c *Client) hadMetadata(ctx context.Context, bare Server) bool {
	cred, err := c.cfg.Store.Load(ctx)
	return err == nil && cred != nil && cred.Server.Issuer == bare.Issuer && cred.Server.AuthorizationEndpoint != bare.AuthorizationEndpoint
}
