package auth

// RFC 8707: Resource Indicators for OAuth 2.0.

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// noResource as Config.ResourceIndicator sends no `resource`.
const noResource = "none"

// resourceHint is for a server that refuses the resource.
const resourceHint = "give the name that the server knows the endpoint by with --resource, or --resource=none"

// indicator is what is sent as `resource`: the user's, else that of the metadata,
// else the endpoint, each to the letter (OAUTH A19); "" sends none.
func (c *Client) indicator(prm *oauthex.ProtectedResourceMetadata) string {
	switch own := c.cfg.ResourceIndicator; {
	case own == noResource:
		return ""
	case own != "":
		return own
	case prm != nil:
		return prm.Resource
	default:
		return c.cfg.Resource
	}
}

// indicates tells whether this client, configured as it is, may send resource.
func (c *Client) indicates(resource string) bool {
	if c.cfg.ResourceIndicator != "" {
		return resource == c.indicator(nil)
	}
	return c.checkResource(resource) == nil
}

// withResource adds resource to a request, unless none is sent.
func withResource(form url.Values, resource string) url.Values {
	if resource != "" {
		form.Set("resource", resource)
	}
	return form
}

// refusesResource tells whether err is a server's word about the resource.
func refusesResource(err error) bool {
	te, ok := errors.AsType[*tokenError](err)
	return ok && te.code == "invalid_target"
}

// refreshBare sends a refresh once more without the `resource` that the server
// has refused (OAUTH Q4): such an error spends no token. What worked is kept.
func (c *Client) refreshBare(ctx context.Context, cur *Credential) (*Credential, *tokenAnswer, error) {
	bare := *cur
	bare.Resource = ""
	res, err := c.refreshRequest(ctx, &bare)
	if err != nil {
		if refusesResource(err) {
			err = hint.With(err, "sign in again with payu-mcp login; "+resourceHint)
		}
		return cur, nil, err
	}
	c.log.WarnContext(ctx, "the server takes no resource parameter at a refresh; it is left out from now on")
	return &bare, res, nil
}

// checkIndicator tells whether raw can be a resource indicator: an absolute URI
// without fragment (RFC 8707 section 2).
func checkIndicator(raw string) error {
	if raw == "" || raw == noResource {
		return nil
	}
	const advice = "give --resource none, or the URI that the server wants"
	u, err := url.Parse(raw)
	switch {
	case err != nil || !u.IsAbs() || strings.ContainsFunc(raw, notInURL):
		return hint.With(errors.New("--resource: this is no absolute URI"), advice)
	case strings.Contains(raw, "#"):
		return hint.With(errors.New("--resource: a resource indicator has no fragment"), advice)
	}
	return nil
}
