package auth

// RFC 9728: OAuth 2.0 Protected Resource Metadata.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// resourceMeta fetches the protected resource metadata: from the place that the
// challenge names, else from the well-known places (OAUTH A2, A3). nil without
// an error: there is none, which is lawful, as PayU documents none (PAYU P4).
// absent: every place says so (OAUTH A16).
func (c *Client) resourceMeta(ctx context.Context, ch challenge) (prm *oauthex.ProtectedResourceMetadata, absent bool, err error) {
	absent = true
	for _, place := range c.resourceMetaPlaces(ch) {
		if _, err := c.checkPlace("protected resource metadata", place); err != nil {
			return nil, false, err
		}
		a, err := c.get(ctx, place)
		if err != nil {
			return nil, false, fmt.Errorf("reading the protected resource metadata: %w", err)
		}
		var found oauthex.ProtectedResourceMetadata
		if a.status == http.StatusOK && a.decode(&found) == nil {
			return &found, false, c.checkResource(found.Resource)
		}
		absent = absent && a.isAbsence()
	}
	return nil, absent, nil
}

// checkPlace tells whether a metadata document may be read at place.
func (c *Client) checkPlace(name, place string) (*url.URL, error) {
	u, err := c.checkServerURL(place)
	if err == nil {
		err = checkPin(c.cfg.Resource, "metadata", u)
	}
	if err != nil {
		return nil, hint.With(serverFault("the place of the %s is not safe: %w", name, err), "do not sign in there; this is on the server's side. "+payuContact(c.cfg.Resource))
	}
	return u, nil
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
