package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// Store keeps the credential of one profile and resource. Load is called before
// each request and must be cheap. It exists so that this package knows no files
// and its tests need none.
type Store interface {
	// Load returns the stored credential, or nil when there is none. An error
	// means that there may be one which cannot be read now: that is not "signed
	// out", and nobody is asked to sign in because of it.
	Load(ctx context.Context) (*Credential, error)
	// Update holds the credential's lock over fn: no other process changes it
	// meanwhile. fn gets what is stored (nil: nothing, or nothing readable) and
	// returns what shall be: the same pointer changes nothing, nil deletes.
	// When fn succeeds and the result is kept, but only in memory, the error is
	// ErrNotSaved.
	Update(ctx context.Context, fn func(ctx context.Context, cur *Credential) (*Credential, error)) error
	// Claim takes the right to have a sign-in open, one for all processes that
	// share the credential, without waiting: ok tells whether it was free. It
	// ends with release, or with the process.
	Claim(ctx context.Context) (release func(), ok bool, err error)
}

// Credential is what a sign-in leaves: the grant, and the client registration
// that it was given to. Without an access token it is what is remembered of
// somebody who is signed out: a registration, a sign-in that is open, or both.
type Credential struct {
	// Resource is the exact `resource` value that is sent (RFC 8707); empty: none is.
	Resource string
	// Server is the authorization server as it was discovered.
	Server Server
	// Registration is the client that the tokens were issued to.
	Registration Registration

	AccessToken  redact.Secret
	RefreshToken redact.Secret // empty: the server gave none
	Asked        []string      // scopes, by the sign-in
	Scopes       []string      // granted
	ObtainedAt   time.Time     // local receipt of AccessToken
	Expiry       time.Time     // by the local clock; zero: the server did not say
	SignedInAt   time.Time     // when a person last signed in
	// Account names who is signed in, if the server told. It is personal data:
	// it goes into the sealed part only.
	Account string
	// LastRefresh tells how the newest refresh ended.
	LastRefresh Refresh
	// Attempt is the sign-in that is open, if there is one. Only who holds the
	// Store's Claim serves it.
	Attempt *Attempt
}

// Server is an authorization server: what later requests need of its metadata.
type Server struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	RegistrationEndpoint  string `json:"registration_endpoint,omitempty"`
	RevocationEndpoint    string `json:"revocation_endpoint,omitempty"`
	// DeviceEndpoint is the device authorization endpoint (RFC 8628), for a sign-in
	// that wants a code.
	DeviceEndpoint   string   `json:"device_authorization_endpoint,omitempty"`
	TokenAuthMethods []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	// IssRequired: the server promises `iss` in its answers (RFC 9207).
	IssRequired bool `json:"iss_required,omitempty"`
	// PKCEUnlisted: the metadata names no PKCE method, tolerated only where
	// OAUTH Y4 says so.
	PKCEUnlisted bool `json:"pkce_unlisted,omitempty"`
	// OfflineAccess: the scope of that name is offered (OAUTH A40).
	OfflineAccess bool `json:"offline_access,omitempty"`
	// ClientDocuments: the address of a client id metadata document is a client id.
	ClientDocuments bool `json:"client_id_metadata_document_supported,omitempty"`
	// MetadataURL is where the user said that the metadata is; empty: discovered.
	MetadataURL string `json:"metadata_url,omitempty"`
}

// Registration is a client as the authorization server knows it.
type Registration struct {
	Issuer      string // the server that it belongs to: it is never used at another one
	ClientID    string
	Secret      redact.Secret
	AuthMethod  string // token_endpoint_auth_method: none, client_secret_post, client_secret_basic
	RedirectURI string // as registered
	Dynamic     bool   // by RFC 7591, so that we may register again
	// Device: the grant of RFC 8628 was asked for. Whether it was given shows when a
	// code is asked for; what was refused once is not asked for at each sign-in.
	Device   bool
	Document bool // ClientID is the address of a client id metadata document
	// SecretExpiry is when Secret ends; zero: never.
	SecretExpiry time.Time
}

// Refresh is the outcome of a refresh, for `status`.
type Refresh struct {
	At time.Time `json:"at,omitzero"`
	// Result is "", "ok" or a short reason in our own words.
	Result string `json:"result,omitempty"`
}

// SignedIn tells whether there is a grant, dead or alive.
func (c *Credential) SignedIn() bool { return c != nil && c.AccessToken != "" }

// Summary is the clear part of a stored credential: enough for `status` without
// the keychain, nothing secret and nothing personal (OAUTH D4).
type Summary struct {
	SignedIn     bool      `json:"signed_in"`
	Issuer       string    `json:"issuer,omitempty"`
	ClientID     string    `json:"client_id,omitempty"`
	Scopes       []string  `json:"scopes,omitempty"`
	Expiry       time.Time `json:"expiry,omitzero"`
	Refreshable  bool      `json:"refreshable"`
	SignedInAt   time.Time `json:"signed_in_at,omitzero"`
	LastRefresh  Refresh   `json:"last_refresh,omitzero"`
	PKCEUnlisted bool      `json:"pkce_unlisted,omitempty"`
	// ClientSecret: one that a person gave for their client lies in the sealed part.
	ClientSecret bool `json:"client_secret,omitempty"`
	// OpenUntil is set while a sign-in is open, and past if its process was killed.
	OpenUntil time.Time `json:"sign_in_open_until,omitzero"`
}

// Summary returns the clear part of c.
func (c *Credential) Summary() Summary {
	var until time.Time
	if c.Attempt != nil {
		until = c.Attempt.Expiry
	}
	return Summary{
		OpenUntil:    until,
		SignedIn:     c.SignedIn(),
		Issuer:       clean(c.Server.Issuer),
		ClientID:     clean(c.Registration.ClientID),
		Scopes:       shownScopes(c.Scopes),
		Expiry:       c.Expiry,
		Refreshable:  c.RefreshToken != "",
		SignedInAt:   c.SignedInAt,
		LastRefresh:  c.LastRefresh,
		PKCEUnlisted: c.Server.PKCEUnlisted,
		ClientSecret: c.Registration.Secret != "" && !c.Registration.Dynamic,
	}
}

// sealed is the wire form of a Credential inside the sealed file: the one place
// where a Secret is written out.
type sealed struct {
	Resource     string    `json:"resource"`
	Server       Server    `json:"server"`
	ClientIssuer string    `json:"client_issuer"`
	ClientID     string    `json:"client_id"`
	ClientSecret string    `json:"client_secret,omitempty"`
	AuthMethod   string    `json:"auth_method"`
	RedirectURI  string    `json:"redirect_uri,omitempty"`
	Dynamic      bool      `json:"dynamic,omitempty"`
	Device       bool      `json:"device,omitempty"`
	Document     bool      `json:"document,omitempty"`
	SecretExpiry time.Time `json:"client_secret_expiry,omitzero"`
	AccessToken  string    `json:"access_token,omitempty"`
	RefreshToken string    `json:"refresh_token,omitempty"`
	Asked        []string  `json:"asked,omitempty"`
	Scopes       []string  `json:"scopes,omitempty"`
	ObtainedAt   time.Time `json:"obtained_at,omitzero"`
	Expiry       time.Time `json:"expiry,omitzero"`
	SignedInAt   time.Time `json:"signed_in_at,omitzero"`
	Account      string    `json:"account,omitempty"`
	LastRefresh  Refresh   `json:"last_refresh,omitzero"`

	Attempt *sealedAttempt `json:"attempt,omitempty"`
}

// Seal returns the bytes to be sealed. They hold every secret in the clear.
func (c *Credential) Seal() ([]byte, error) {
	r := c.Registration
	b, err := json.Marshal(sealed{ // the text that the store encrypts
		Resource: c.Resource, Server: c.Server,
		ClientIssuer: r.Issuer, ClientID: r.ClientID, ClientSecret: r.Secret.Reveal(),
		AuthMethod: r.AuthMethod, RedirectURI: r.RedirectURI,
		Dynamic: r.Dynamic, Device: r.Device, Document: r.Document, SecretExpiry: r.SecretExpiry,
		AccessToken: c.AccessToken.Reveal(), RefreshToken: c.RefreshToken.Reveal(), Asked: c.Asked, Scopes: c.Scopes,
		ObtainedAt: c.ObtainedAt, Expiry: c.Expiry, SignedInAt: c.SignedInAt,
		Account: c.Account, LastRefresh: c.LastRefresh, Attempt: c.Attempt.seal(),
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the credential: %w", err)
	}
	return b, nil
}

// Unseal reads what Seal wrote.
func Unseal(b []byte) (*Credential, error) {
	var s sealed
	if err := json.Unmarshal(b, &s); err != nil {
		// The decoder's text may quote the sealed bytes.
		return nil, fmt.Errorf("decoding the credential: %T", err)
	}
	return &Credential{
		Resource: s.Resource, Server: s.Server,
		Registration: Registration{
			Issuer: s.ClientIssuer, ClientID: s.ClientID, Secret: redact.Secret(s.ClientSecret),
			AuthMethod: s.AuthMethod, RedirectURI: s.RedirectURI,
			Dynamic: s.Dynamic, Device: s.Device, Document: s.Document, SecretExpiry: s.SecretExpiry,
		},
		AccessToken: redact.Secret(s.AccessToken), RefreshToken: redact.Secret(s.RefreshToken), Asked: s.Asked, Scopes: s.Scopes,
		ObtainedAt: s.ObtainedAt, Expiry: s.Expiry, SignedInAt: s.SignedInAt,
		Account: s.Account, LastRefresh: s.LastRefresh, Attempt: s.Attempt.unseal(),
	}, nil
}

// withoutGrant returns c as it is after the grant ended: the registration stays,
// so that the next sign-in does not register again (OAUTH A12), and who it was,
// so that the next one can be told from another account.
func (c *Credential) withoutGrant(why Refresh) *Credential {
	return &Credential{
		Resource: c.Resource, Server: c.Server, Registration: c.Registration, SignedInAt: c.SignedInAt,
		Account: c.Account, LastRefresh: why, Attempt: c.Attempt,
	}
}
