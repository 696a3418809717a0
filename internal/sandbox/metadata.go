package sandbox

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
)

// Issuer says whose name the metadata document bears (PAYU U1).
type Issuer int

// The issuers.
const (
	IssuerResource Issuer = iota // RS, the origin the document is fetched from
	IssuerAccounts               // AS
	IssuerForeign                // the foreign listener
)

// PKCEList is what the document says of code challenge methods (PAYU U13).
type PKCEList int

// The lists.
const (
	PKCES256   PKCEList = iota // ["S256"]
	PKCEAbsent                 // no such member
	PKCEPlain                  // ["plain"]
	PKCEEmpty                  // []
)

// DocumentAnswer is how a metadata route answers.
type DocumentAnswer int

// The answers.
const (
	AnswerDocument DocumentAnswer = iota
	AnswerNotFound                // 404
	AnswerError                   // 500
	AnswerHTML                    // 200 with a page, as captive portals do
)

// MetadataKnobs shape the authorization server metadata (RFC 8414; PAYU S7, S8).
type MetadataKnobs struct {
	Issuer Issuer
	// IssuerPath is appended to the issuer, as in "/tenant" or "/".
	IssuerPath string
	PKCE       PKCEList
	// NoRegistration leaves registration_endpoint out; /register keeps working.
	NoRegistration bool
	// IssParameter sets authorization_response_iss_parameter_supported (RFC 9207).
	IssParameter bool
	Scopes       []string // scopes_supported; nil leaves it out
	Answer       DocumentAnswer
	// NoRoot takes the documented location away: 404.
	NoRoot bool
	// PathInserted also serves /.well-known/oauth-authorization-server/<anything>.
	PathInserted bool
	// OpenID also serves /.well-known/openid-configuration, with any path after it,
	// and IssuerPath (or /mcp) followed by it.
	OpenID bool
	// AtAccounts serves the same documents at AS too.
	AtAccounts bool
	// BareEndpoints serves /authorize and /token at RS besides, where MCP 2025-03-26
	// looks for them without metadata; it wants OnePort for the pages.
	BareEndpoints bool
	// Members replaces members of the document; a nil value removes one.
	Members map[string]any
}

const (
	oauthMetadataPath = "/.well-known/oauth-authorization-server"
	openIDPath        = "/.well-known/openid-configuration"
)

// routeMetadata serves RFC 8414 section 3 and OpenID Connect Discovery locations.
// Which of them exist is decided per request, since knobs change.
func (s *Sandbox) routeMetadata(m *http.ServeMux) {
	m.HandleFunc("GET "+oauthMetadataPath, s.metadataIf(func(k MetadataKnobs) bool { return !k.NoRoot }))
	m.HandleFunc("GET "+oauthMetadataPath+"/{path...}", s.metadataIf(func(k MetadataKnobs) bool { return k.PathInserted }))
	openID := s.metadataIf(func(k MetadataKnobs) bool { return k.OpenID })
	m.HandleFunc("GET "+openIDPath, openID)
	m.HandleFunc("GET "+openIDPath+"/{path...}", openID)
	m.HandleFunc("GET /{path}"+openIDPath, openID)
}

// routeAccountsMetadata is routeMetadata at AS, where PayU documents nothing.
func (s *Sandbox) routeAccountsMetadata(m *http.ServeMux) {
	inner := http.NewServeMux()
	s.routeMetadata(inner)
	m.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		if !s.Knobs().Metadata.AtAccounts {
			http.NotFound(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

func (s *Sandbox) metadataIf(there func(MetadataKnobs) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		k := s.Knobs().Metadata
		if !there(k) {
			http.NotFound(w, r)
			return
		}
		doc := s.metadata(k)
		s.Knobs().Device.addTo(doc, s.accountsName(), k.Members)
		k.Answer.write(w, r, doc)
	}
}

func (s *Sandbox) issuer(k MetadataKnobs) string {
	switch k.Issuer {
	case IssuerAccounts:
		return s.accountsName() + k.IssuerPath
	case IssuerForeign:
		return s.abroad + k.IssuerPath
	case IssuerResource:
	}
	return s.resourceName() + k.IssuerPath
}

func (s *Sandbox) metadata(k MetadataKnobs) map[string]any {
	doc := map[string]any{
		"issuer":                                s.issuer(k),
		"authorization_endpoint":                s.accountsName() + "/oauth/authorize",
		"token_endpoint":                        s.accountsName() + "/oauth/token",
		"revocation_endpoint":                   s.accountsName() + "/oauth/revoke",
		"registration_endpoint":                 s.resourceName() + "/register",
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"token_endpoint_auth_methods_supported": []string{authNone, authPost, authBasic},
	}
	switch k.PKCE {
	case PKCES256:
		doc["code_challenge_methods_supported"] = []string{"S256"}
	case PKCEPlain:
		doc["code_challenge_methods_supported"] = []string{"plain"}
	case PKCEEmpty:
		doc["code_challenge_methods_supported"] = []string{}
	case PKCEAbsent:
	}
	if k.NoRegistration {
		delete(doc, "registration_endpoint")
	}
	if k.IssParameter {
		doc["authorization_response_iss_parameter_supported"] = true
	}
	if k.Scopes != nil {
		doc["scopes_supported"] = k.Scopes
	}
	maps.Copy(doc, k.Members)
	maps.DeleteFunc(doc, func(_ string, v any) bool { return v == nil })
	return doc
}

func (a DocumentAnswer) write(w http.ResponseWriter, r *http.Request, doc any) {
	switch a {
	case AnswerNotFound:
		http.NotFound(w, r)
	case AnswerError:
		http.Error(w, "internal error", http.StatusInternalServerError)
	case AnswerHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Welcome</title><p>Please accept the terms of this network.</p>")
	case AnswerDocument:
		writeJSON(w, http.StatusOK, doc)
	}
}

// writeJSON answers with v. A client that went away is not our fault.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
