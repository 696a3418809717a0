package auth

// RFC 7591: OAuth 2.0 Dynamic Client Registration.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// The token endpoint auth methods of RFC 7591 section 2.
const (
	authNone  = "none"
	authPost  = "client_secret_post"
	authBasic = "client_secret_basic"
)

// preRegistered returns the client that the user named (OAUTH A9, A11).
func (c *Client) preRegistered(s Server, redirectURI string) Registration {
	r := Registration{
		Issuer: s.Issuer, ClientID: c.cfg.ClientID, Secret: c.cfg.ClientSecret,
		AuthMethod: authNone, RedirectURI: redirectURI,
	}
	if r.Secret != "" {
		r.AuthMethod = c.secretMethod(s)
	}
	return r
}

// secretMethod chooses how a client secret is sent: basic is RFC 8414's default
// for a server that says nothing; PayU documents the form (PAYU P9).
func (c *Client) secretMethod(s Server) string {
	switch {
	case slices.Contains(s.TokenAuthMethods, authBasic):
		return authBasic
	case slices.Contains(s.TokenAuthMethods, authPost) || isPayU(c.cfg.Resource):
		return authPost
	default:
		return authBasic
	}
}

// register makes this program known to the authorization server (OAUTH A12 to
// A14). It is a native client (RFC 8252) and asks to be a public one.
func (c *Client) register(ctx context.Context, s Server, redirectURI string) (Registration, error) {
	if s.RegistrationEndpoint == "" {
		return Registration{}, c.noRegistration(s)
	}
	body, err := json.Marshal(oauthex.ClientRegistrationMetadata{
		ClientName:              "payu-mcp",
		SoftwareID:              "github.com/payu-mcp/payu-mcp",
		SoftwareVersion:         buildinfo.Version(),
		ApplicationType:         "native",
		RedirectURIs:            []string{redirectURI},
		GrantTypes:              grantTypes(s),
		ResponseTypes:           []string{"code"},
		TokenEndpointAuthMethod: wantedMethod(s),
	})
	if err != nil {
		return Registration{}, fmt.Errorf("encoding the registration: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.RegistrationEndpoint, bytes.NewReader(body))
	if err != nil {
		return Registration{}, fmt.Errorf("making the registration request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	a, err := c.send(ctx, req)
	if err != nil {
		return Registration{}, fmt.Errorf("registering with %s: %w", clean(s.Issuer), err)
	}
	return c.readRegistration(a, s, redirectURI)
}

func (c *Client) noRegistration(s Server) error {
	return hint.With(
		serverFault("%s offers no client registration, and no client id is set", clean(s.Issuer)),
		documentHint(s)+byHand(c.cfg.Resource))
}

// grantTypes is what we may ever ask the token endpoint for.
func grantTypes(s Server) []string {
	types := []string{"authorization_code", "refresh_token"}
	if s.DeviceEndpoint != "" {
		types = append(types, deviceGrant)
	}
	return types
}

// wantedMethod asks for "none" where the server allows it or says nothing.
func wantedMethod(s Server) string {
	for _, m := range []string{authNone, authPost, authBasic} {
		if slices.Contains(s.TokenAuthMethods, m) {
			return m
		}
	}
	return authNone
}

func (c *Client) readRegistration(a *answer, s Server, redirectURI string) (Registration, error) {
	if a.status != http.StatusCreated && a.status != http.StatusOK {
		return Registration{}, c.registrationRefused(a, s, redirectURI)
	}
	var res oauthex.ClientRegistrationResponse
	if err := a.decode(&res); err != nil {
		return Registration{}, serverFault("reading the registration of %s: %w", clean(s.Issuer), err)
	}
	if res.ClientID == "" {
		return Registration{}, serverFault("the registration of %s has no client_id", clean(s.Issuer))
	}
	return Registration{
		Issuer: s.Issuer, ClientID: res.ClientID, Secret: redact.Secret(res.ClientSecret),
		AuthMethod: registeredMethod(res, s), RedirectURI: redirectURI, Dynamic: true,
		Device:       s.DeviceEndpoint != "",
		SecretExpiry: res.ClientSecretExpiresAt,
	}, nil
}

// registeredMethod reads the method of a registration; without one, a client
// that got no secret is a public one (OAUTH A34).
func registeredMethod(res oauthex.ClientRegistrationResponse, s Server) string {
	switch {
	case res.ClientSecret == "":
		return authNone
	case res.TokenEndpointAuthMethod != "":
		return res.TokenEndpointAuthMethod
	case slices.Contains(s.TokenAuthMethods, authPost) && !slices.Contains(s.TokenAuthMethods, authBasic):
		return authPost
	default:
		return authBasic // RFC 7591 section 2
	}
}

// registrationRefused names the redirect URI, the usual reason (OAUTH A14).
func (c *Client) registrationRefused(a *answer, s Server, redirectURI string) error {
	var e oauthex.ClientRegistrationError
	if a.decode(&e) != nil || e.ErrorCode == "" {
		err := serverFault("%s answered status %d to the client registration", clean(s.Issuer), a.status)
		if a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests {
			return hint.With(err, tryAgain(c.cfg.Resource))
		}
		return hint.With(err, byHand(c.cfg.Resource))
	}
	said := clean(e.ErrorCode) + " " + clean(e.ErrorDescription)
	err := redact.Foreign(serverFault("%s refused the client registration with redirect URI %s: %s", clean(s.Issuer), redirectURI, said), said)
	if e.ErrorCode == "invalid_redirect_uri" {
		err = fmt.Errorf("%w: %w", errRedirectRefused, err)
	}
	return hint.With(err, otherRedirect(c.cfg.Resource))
}
