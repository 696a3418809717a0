package auth

// RFC 8414 and OpenID Connect Discovery 1.0: authorization server metadata.

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// errNoServerMeta: the server says at every place that it has no metadata.
var errNoServerMeta = errors.New("no authorization server metadata")

// serverMeta fetches and checks the metadata of issuer, trying the places of
// OAUTH A5 in order. A place that does not answer with the right document is no
// reason to stop; when none does, the error says what each one gave.
func (c *Client) serverMeta(ctx context.Context, issuer string) (Server, error) {
	if err := checkPinnedIssuer(c.cfg.Resource, issuer); err != nil {
		return Server{}, err
	}
	places, err := c.serverMetaPlaces(issuer)
	if err != nil {
		return Server{}, err
	}
	var faults []string
	kind := errNoServerMeta
	for _, place := range places {
		a, err := c.get(ctx, place)
		if err != nil {
			return Server{}, fmt.Errorf("reading the authorization server metadata: %w", err)
		}
		meta, err := readServerMeta(a)
		if err == nil {
			err = c.checkIssuer(meta.Issuer, issuer)
		}
		if err != nil {
			faults = append(faults, clean(place)+": "+err.Error())
			if !a.isAbsence() {
				kind = errors.New("no usable authorization server metadata")
			}
			continue
		}
		return c.checkServer(meta)
	}
	return Server{}, hint.With(
		serverFault("%w: %s", kind, strings.Join(faults, "; ")),
		"this is on the server's side; if a page that wants a network sign-in is in the way, sign in there first. "+payuContact(c.cfg.Resource))
}

// serverMetaAt reads the metadata from the place that the user named. Its issuer
// is one of those that the resource names; where it names none, the document must
// be at the issuer's own origin, which is as far as RFC 8414 section 3.3 can be
// held there.
func (c *Client) serverMetaAt(ctx context.Context, place string, named []string) (Server, error) {
	at, err := c.checkPlace("authorization server metadata", place)
	if err != nil {
		return Server{}, err
	}
	a, err := c.get(ctx, place)
	if err != nil {
		return Server{}, fmt.Errorf("reading the authorization server metadata: %w", err)
	}
	meta, err := readServerMeta(a)
	if err == nil && len(named) == 0 {
		err = c.checkOrigin(meta.Issuer, at)
	} else if err == nil {
		err = c.checkNamed(meta.Issuer, named)
	}
	if err != nil {
		return Server{}, hint.With(serverFault("no usable authorization server metadata: %s: %w", clean(place), err), "check --auth-server-metadata-url")
	}
	if err := checkPinnedIssuer(c.cfg.Resource, meta.Issuer); err != nil {
		return Server{}, err
	}
	s, err := c.checkServer(meta)
	s.MetadataURL = place
	return s, err
}

// checkNamed accepts the issuer if the resource names it.
func (c *Client) checkNamed(issuer string, named []string) error {
	var err error
	for _, want := range named {
		if err = c.checkIssuer(issuer, want); err == nil {
			return nil
		}
	}
	return err
}

// checkOrigin accepts an issuer that is at the same origin as its document.
func (c *Client) checkOrigin(issuer string, at *url.URL) error {
	u, err := c.checkServerURL(issuer)
	if err != nil {
		return fmt.Errorf("its issuer is not safe: %w", err)
	}
	return c.checkIssuer(origin(u), origin(at))
}

// serverMetaPlaces lists the well-known addresses of issuer (OAUTH A5): never
// the root when the issuer has a path.
func (c *Client) serverMetaPlaces(issuer string) ([]string, error) {
	u, err := c.checkServerURL(issuer)
	if err == nil && strings.ContainsAny(issuer, "?#") {
		err = errors.New("it has a query or a fragment") // RFC 8414 section 2
	}
	if err != nil {
		return nil, hint.With(serverFault("the issuer is not safe: %w", err), "do not sign in there; this is on the server's side. "+payuContact(c.cfg.Resource))
	}
	const oauth, oidc = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
	o, p := origin(u), strings.TrimSuffix(u.EscapedPath(), "/")
	if p == "" {
		return []string{o + oauth, o + oidc}, nil
	}
	return []string{o + oauth + p, o + oidc + p, o + p + oidc}, nil
}

func readServerMeta(a *answer) (*serverDocument, error) {
	if a.status != 200 {
		return nil, fmt.Errorf("status %d", a.status)
	}
	var meta serverDocument
	if err := a.decode(&meta); err != nil {
		return nil, err
	}
	return &meta, nil
}

// checkIssuer compares strings, no URL type in between (OAUTH A6). The one pair
// that may differ is PayU's (OAUTH Y1).
func (c *Client) checkIssuer(got, want string) error {
	if got == want || (isPayU(c.cfg.Resource) && want == payuOrigin && got == payuAccounts) {
		return nil
	}
	return fmt.Errorf("its issuer is %q, not %q", clean(got), clean(want))
}

// checkServer applies the rules for endpoints and PKCE.
func (c *Client) checkServer(m *serverDocument) (Server, error) {
	s := Server{
		Issuer:                m.Issuer,
		AuthorizationEndpoint: m.AuthorizationEndpoint,
		TokenEndpoint:         m.TokenEndpoint,
		RegistrationEndpoint:  m.RegistrationEndpoint,
		RevocationEndpoint:    m.RevocationEndpoint,
		DeviceEndpoint:        m.deviceEndpoint(),
		TokenAuthMethods:      m.TokenEndpointAuthMethodsSupported,
		IssRequired:           m.AuthorizationResponseIssParameterSupported,
		OfflineAccess:         slices.Contains(m.ScopesSupported, offlineAccess),
		ClientDocuments:       m.ClientIDMetadataDocumentSupported,
	}
	if err := c.checkEndpoints(s); err != nil {
		return Server{}, err
	}
	var err error
	s.PKCEUnlisted, err = c.checkPKCE(m)
	return s, err
}

func (c *Client) checkEndpoints(s Server) error {
	for _, e := range []struct{ name, url string }{
		{"authorization", s.AuthorizationEndpoint},
		{"token", s.TokenEndpoint},
		{"registration", s.RegistrationEndpoint},
		{"revocation", s.RevocationEndpoint},
		{"device authorization", s.DeviceEndpoint},
	} {
		if err := c.checkEndpoint(e.name, e.url); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) checkEndpoint(name, endpoint string) error {
	if endpoint == "" {
		if name == "authorization" || name == "token" {
			return hint.With(serverFault("the authorization server metadata has no %s endpoint", name), "this is on the server's side. "+payuContact(c.cfg.Resource))
		}
		return nil
	}
	u, err := c.checkServerURL(endpoint)
	if err != nil {
		return hint.With(serverFault("the %s endpoint is not safe: %w", name, err), "do not sign in there; this is on the server's side. "+payuContact(c.cfg.Resource))
	}
	return checkPin(c.cfg.Resource, name, u)
}

// checkServerURL allows plain http only when the endpoint itself is on this
// computer (OAUTH A31), and no address that a server has no business to send us
// to (OAUTH A33). What DNS makes of a name is checked when it is dialled.
func (c *Client) checkServerURL(raw string) (*url.URL, error) {
	u, err := checkURL(raw, IsLoopback(c.cfg.Resource))
	if err != nil {
		return nil, err
	}
	return u, Reach(c.cfg.Resource, c.cfg.ServerMetadataURL).CheckHost(u.Hostname())
}

// checkPKCE demands S256 in the list (OAUTH A18). Only PayU may leave the list
// out (OAUTH Y4): its documentation promises PKCE.
func (c *Client) checkPKCE(m *serverDocument) (unlisted bool, err error) {
	methods := m.CodeChallengeMethodsSupported
	switch {
	case slices.Contains(methods, "S256"):
		return false, nil
	case methods == nil && isPayU(c.cfg.Resource):
		return true, nil
	default:
		return false, hint.With(
			serverFault("the authorization server does not offer PKCE with S256, so a sign-in there is not safe"),
			"this is on the server's side, and no option of this program goes around it. "+payuContact(c.cfg.Resource))
	}
}
