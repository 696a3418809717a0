package auth

// OAuth Client ID Metadata Document (draft-ietf-oauth-client-id-metadata-document):
// a client id that is the address of a document about the client. Somebody hosts
// it; authorization servers read it, we never do.

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// checkClientDocument tells whether raw can be such a client id (section 3 of the
// draft): https, with a path, without dot segments, fragment and userinfo.
func checkClientDocument(raw string) error {
	u, err := checkURL(raw, false)
	if err == nil {
		isDots := func(segment string) bool { return segment == "." || segment == ".." }
		switch {
		case u.Path == "" || u.Path == "/":
			err = errors.New("the URL has no path")
		case strings.Contains(raw, "#"):
			err = errors.New("the URL has a fragment")
		case slices.ContainsFunc(strings.Split(u.Path, "/"), isDots):
			err = errors.New("the URL's path has dot segments")
		}
	}
	if err != nil {
		return hint.With(fmt.Errorf("--client-metadata-url: %w", err),
			"give the https address, with a path, under which the document is hosted: --client-metadata-url https://HOST/PATH; docs/login.md has an example")
	}
	return nil
}

// usesDocument tells whether the document can be our client id at this server: it
// comes after a client that the user named, before a registration (OAUTH A9).
func (c *Client) usesDocument(s Server) bool {
	return c.cfg.ClientMetadataURL != "" && s.ClientDocuments
}

// documentHint says that a document would do as well.
func documentHint(s Server) string {
	if !s.ClientDocuments {
		return ""
	}
	return "give the address of a client id metadata document with --client-metadata-url; else "
}

// byDocument returns that client. It has no secret, and needs no registration
// wherever the resource moves (OAUTH A10, A15).
func (c *Client) byDocument(s Server, redirectURI string) Registration {
	return Registration{
		Issuer: s.Issuer, ClientID: c.cfg.ClientMetadataURL, AuthMethod: authNone, RedirectURI: redirectURI, Document: true,
	}
}

// isOwn tells whether a stored client is one of this configuration: a client that
// the user changed is another one.
func (c *Client) isOwn(r Registration) bool {
	switch {
	case c.cfg.ClientID != "":
		return r.ClientID == c.cfg.ClientID
	case r.Document && c.cfg.ClientMetadataURL != "":
		return r.ClientID == c.cfg.ClientMetadataURL
	default:
		return true
	}
}

// wouldUse tells whether a sign-in at s would use the client r.
func (c *Client) wouldUse(s Server, r Registration) bool {
	switch {
	case c.cfg.ClientID != "":
		return r.ClientID == c.cfg.ClientID && c.knowsSecret(r.Secret)
	case c.usesDocument(s):
		return r.Document && r.ClientID == c.cfg.ClientMetadataURL
	default:
		return r.Dynamic
	}
}
