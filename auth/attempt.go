package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"net/url"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// Attempt is an open sign-in: everything that the answer is compared with, fixed
// before the browser opens (OAUTH A26), and what another process needs to go on
// with it when its owner has died (OAUTH L10). It is sealed beside the grant. Once
// it is there only Opened changes, and Start for a person who asks anew.
type Attempt struct {
	Server       Server
	Registration Registration
	Resource     string
	Scopes       []string
	RedirectURI  string
	State        redact.Secret
	Verifier     redact.Secret
	// Start is the nonce of the start page, Cookie what its first visitor gets.
	Start, Cookie redact.Secret
	// Device is set for a sign-in by code, which comes back to no redirect URI.
	Device *Device
	// Bound: we open the browser, and only that one can finish. Else the
	// authorization URL was handed out, which state and PKCE alone bind.
	Bound bool
	// Opened: a browser has the cookie, so no other one gets it.
	Opened bool
	// Fresh: the client was registered for this sign-in; Renewed: in place of one
	// that the server had forgotten.
	Fresh, Renewed bool
	// By names the program that asked, for others who find the sign-in open.
	By string
	// Expiry is when nobody waits for it any more, by the local clock.
	Expiry time.Time
}

const (
	// loginCommand is how a person starts a sign-in without a host.
	loginCommand = "payu-mcp login"
	// longestLife is more than a person would give a sign-in with --time-limit.
	longestLife = 24 * time.Hour
)

func newAttempt(d *discovery, r Registration, redirectURI string) *Attempt {
	return &Attempt{
		Server: d.server, Registration: r, Resource: d.resource, Scopes: d.scopes, RedirectURI: redirectURI,
		State:    newState(),
		Verifier: redact.Secret(oauth2.GenerateVerifier()),
		Start:    redact.Secret(rand.Text()),
		Cookie:   redact.Secret(rand.Text()),
	}
}

// url returns the address of the authorization request. It passed checkURL when
// the metadata was read and is checked once more here, right before it goes to
// a browser (OAUTH X1).
func (a *Attempt) url(loopbackHTTP bool) (string, error) {
	cfg := oauth2.Config{
		ClientID: a.Registration.ClientID, RedirectURL: a.RedirectURI, Scopes: a.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: a.Server.AuthorizationEndpoint},
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier.Reveal())}
	if a.Resource != "" {
		options = append(options, oauth2.SetAuthURLParam("resource", a.Resource))
	}
	u, err := checkURL(cfg.AuthCodeURL(a.State.Reveal(), options...), loopbackHTTP)
	if err != nil {
		return "", hint.With(serverFault("the authorization endpoint: %w", err), "do not sign in there; this is on the server's side")
	}
	return u.String(), nil
}

// address is what a person opens: for a bound attempt only our own start page,
// so that state and challenge stay out of argv (OAUTH X9).
func (a *Attempt) address(loopbackHTTP bool) (string, error) {
	if a.Device != nil {
		return a.Device.Address(), nil
	}
	if a.Bound {
		return loopback.StartURL(a.RedirectURI, a.Start.Reveal()), nil
	}
	return a.url(loopbackHTTP)
}

func (a *Attempt) port() int { return registeredPort(&Registration{RedirectURI: a.RedirectURI}) }

// accepts tells whether a callback belongs to this attempt, in constant time.
func (a *Attempt) accepts(q url.Values) bool {
	return len(q["state"]) == 1 && subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.State.Reveal())) == 1
}

// same tells whether b is this attempt, perhaps a newer form of it.
func (a *Attempt) same(b *Attempt) bool { return a != nil && b != nil && a.State == b.State }

// live tells whether somebody may still finish a. One that would live longer
// than any does was written by another clock.
func (c *Client) live(a *Attempt) bool {
	now := c.now()
	return a != nil && now.Before(a.Expiry) && a.Expiry.Sub(now) <= longestLife
}

// fits tells whether this client, configured as it is, would have made a: the
// same endpoint, client and port, and the scopes that are wanted now.
func (c *Client) fits(a *Attempt, ch challenge) bool {
	switch {
	case !c.isSafe(a), !c.indicates(a.Resource), c.cfg.CallbackPort != 0 && c.cfg.CallbackPort != a.port():
		return false
	case !c.wouldUse(a.Server, a.Registration), c.cfg.ServerMetadataURL != a.Server.MetadataURL:
		return false
	case len(c.cfg.Scopes) > 0:
		return slices.Equal(c.cfg.Scopes, a.Scopes)
	}
	return !slices.ContainsFunc(splitScopes(ch.scope), func(s string) bool { return !slices.Contains(a.Scopes, s) })
}

// isSafe judges the addresses of a as if they had just been read: the file may come
// from a stranger, with a folder that a host's configuration names (OAUTH Y2, X17).
func (c *Client) isSafe(a *Attempt) bool {
	switch {
	case !isRedirectURI(a.RedirectURI),
		checkPinnedIssuer(c.cfg.Resource, a.Server.Issuer) != nil, c.checkEndpoints(a.Server) != nil,
		a.Device != nil && c.checkDevice(a.Device) != nil:
		return false
	}
	return true
}

// sealedAttempt is the wire form of an Attempt inside the sealed file.
type sealedAttempt struct {
	Server      Server       `json:"server"`
	Client      sealedClient `json:"client"`
	Resource    string       `json:"resource"`
	Scopes      []string     `json:"scopes,omitempty"`
	RedirectURI string       `json:"redirect_uri"`
	State       string       `json:"state"`
	Verifier    string       `json:"verifier"`
	Start       string       `json:"start"`
	Cookie      string       `json:"cookie"`
	Bound       bool         `json:"bound,omitempty"`
	Opened      bool         `json:"opened,omitempty"`
	Fresh       bool         `json:"fresh,omitempty"`
	Renewed     bool         `json:"renewed,omitempty"`
	By          string       `json:"by,omitempty"`

	Device *sealedDevice `json:"device,omitempty"`

	Expiry time.Time `json:"expiry"`
}

type sealedClient struct {
	Issuer      string `json:"issuer"`
	ID          string `json:"id"`
	Secret      string `json:"secret,omitempty"`
	AuthMethod  string `json:"auth_method"`
	RedirectURI string `json:"redirect_uri"`
	Dynamic     bool   `json:"dynamic,omitempty"`
	Device      bool   `json:"device,omitempty"`
	Document    bool   `json:"document,omitempty"`

	SecretExpiry time.Time `json:"secret_expiry,omitzero"`
}

func (a *Attempt) seal() *sealedAttempt {
	if a == nil {
		return nil
	}
	r := a.Registration
	return &sealedAttempt{
		Server: a.Server, Resource: a.Resource, Scopes: a.Scopes, RedirectURI: a.RedirectURI,
		Client: sealedClient{r.Issuer, r.ClientID, r.Secret.Reveal(), r.AuthMethod, r.RedirectURI, r.Dynamic, r.Device, r.Document, r.SecretExpiry},
		State:  a.State.Reveal(), Verifier: a.Verifier.Reveal(), Start: a.Start.Reveal(), Cookie: a.Cookie.Reveal(),
		Bound: a.Bound, Opened: a.Opened, Fresh: a.Fresh, Renewed: a.Renewed, By: a.By, Expiry: a.Expiry, Device: a.Device.seal(),
	}
}

func (s *sealedAttempt) unseal() *Attempt {
	if s == nil {
		return nil
	}
	r := s.Client
	return &Attempt{
		Server: s.Server, Resource: s.Resource, Scopes: s.Scopes, RedirectURI: s.RedirectURI,
		Registration: Registration{r.Issuer, r.ID, redact.Secret(r.Secret), r.AuthMethod, r.RedirectURI, r.Dynamic, r.Device, r.Document, r.SecretExpiry},
		State:        redact.Secret(s.State), Verifier: redact.Secret(s.Verifier),
		Start: redact.Secret(s.Start), Cookie: redact.Secret(s.Cookie),
		Bound: s.Bound, Opened: s.Opened, Fresh: s.Fresh, Renewed: s.Renewed, By: s.By, Expiry: s.Expiry, Device: s.Device.unseal(),
	}
}
