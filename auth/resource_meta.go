package auth

// RFC 9728: OAuth 2.0 Protected Resource Metadata.

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// resourceMeta fetches the protected resource metadata: from the place that the
// challenge names, else from the well-known places (OAUTH A2, A3). nil without
// an error means that there is none at all (OAUTH A16).
func (c *Client) resourceMeta(ctx context.Context, ch challenge) (*oauthex.ProtectedResourceMetadata, error) {
	for _, place := range c.resourceMetaPlaces(ch) {
		u, err := c.checkServerURL(place)
		if err == nil {
			err = checkPin(c.cfg.Resource, "metadata", u)
		}
		if err != nil {
			return nil, hint.With(serverFault("the place of the protected resource metadata is not safe: %w", err), "do not sign in there; this is on the server's side. "+payuContact(c.cfg.Resource))
		}
		a, err := c.get(ctx, place)
		if err != nil {
			return nil, fmt.Errorf("reading the protected resource metadata: %w", err)
		}
		var prm oauthex.ProtectedResourceMetadata
		if a.status != 200 || a.decode(&prm) != nil {
			continue
		}
		return &prm, c.checkResource(prm.Resource)
	}
	return nil, nil // no metadata is a lawful state: PayU documents none (PAYU P4)
}

func (c *Client) resourceMetaPlaces(ch challenge) []string {
	var places []string
	if ch.resourceMetadata != "" {
		places = append(places, ch.resourceMetadata)
	}
	u, err := url.Parse(c.cfg.Resource)
	if err != nil {
		return places
	}
	const wellKnown = "/.well-known/oauth-protected-resource"
	if p := strings.TrimSuffix(u.EscapedPath(), "/"); p != "" {
		places = append(places, origin(u)+wellKnown+p)
	}
	return append(places, origin(u)+wellKnown)
}

// checkResource accepts the endpoint itself or a parent of it on the same
// origin (OAUTH A7, RFC 9728 section 3.3). Anything else aborts: the token
// would be good for another server (OAUTH X7).
func (c *Client) checkResource(resource string) error {
	if resource == c.cfg.Resource || isParent(resource, c.cfg.Resource) {
		return nil
	}
	return hint.With(serverFault("the protected resource metadata is for %q, not for %q", clean(resource), c.cfg.Resource),
		"check --url; if it is right, the server's metadata is wrong")
}

func isParent(parent, endpoint string) bool {
	p, err := url.Parse(parent)
	e, err2 := url.Parse(endpoint)
	if errors.Join(err, err2) != nil || p.RawQuery != "" || p.Fragment != "" || p.User != nil || origin(p) != origin(e) {
		return false
	}
	path := strings.TrimSuffix(p.EscapedPath(), "/")
	full := strings.TrimSuffix(e.EscapedPath(), "/")
	return full == path || strings.HasPrefix(full, path+"/")
}
