package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// registration is the client metadata of RFC 7591 section 2.
type registration struct {
	RedirectURIs    []string `json:"redirect_uris"`
	Name            string   `json:"client_name,omitempty"`
	AuthMethod      string   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes      []string `json:"grant_types,omitempty"`
	ResponseTypes   []string `json:"response_types,omitempty"`
	ApplicationType string   `json:"application_type,omitempty"`
	Scope           string   `json:"scope,omitempty"`

	ID            string `json:"client_id,omitempty"`
	IssuedAt      int64  `json:"client_id_issued_at,omitempty"`
	Secret        string `json:"client_secret,omitempty"`
	SecretExpires *int64 `json:"client_secret_expires_at,omitempty"`
}

// register is RS POST /register (RFC 7591 section 3).
func (s *Sandbox) register(w http.ResponseWriter, r *http.Request) {
	k := s.Knobs().Client
	if k.RegistrationOff {
		http.NotFound(w, r)
		return
	}
	var reg registration
	if err := json.NewDecoder(r.Body).Decode(&reg); err != nil {
		oauthError(w, http.StatusBadRequest, "invalid_client_metadata", "The client metadata is not JSON.")
		return
	}
	if len(reg.RedirectURIs) == 0 || k.RefuseRedirects && slices.ContainsFunc(reg.RedirectURIs, k.Redirect.refuses) {
		oauthError(w, http.StatusBadRequest, "invalid_redirect_uri", "The redirect URI is not allowed.")
		return
	}
	s.accept(&reg, k)
	if k.OmitAuthMethod {
		reg.AuthMethod = ""
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, reg)
}

// accept completes reg as registered and remembers the client.
func (s *Sandbox) accept(reg *registration, k ClientKnobs) {
	reg.AuthMethod = cmp.Or(reg.AuthMethod, authBasic) // RFC 7591 section 2: the default
	if k.IssueSecret && reg.AuthMethod == authNone {
		reg.AuthMethod = authPost
	}
	if reg.AuthMethod != authNone {
		reg.Secret, reg.SecretExpires = s.newSecret(tokenDigits), new(int64) // 0: never
	}
	var ends time.Time
	if reg.Secret != "" && k.SecretLife > 0 {
		ends = s.now().Add(k.SecretLife).Truncate(time.Second)
		*reg.SecretExpires = ends.Unix()
	}
	reg.ID, reg.IssuedAt = s.clientID(), s.now().Unix()
	s.AddClient(Client{
		ID: reg.ID, Secret: redact.Secret(reg.Secret), AuthMethod: reg.AuthMethod, RedirectURIs: reg.RedirectURIs,
		Name: reg.Name, ApplicationType: reg.ApplicationType, GrantTypes: reg.GrantTypes,
		SecretExpiry: ends,
	})
}

// clientID counts on over purges, so that a dead client stays dead.
func (s *Sandbox) clientID() string {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	s.clients.issued++
	return fmt.Sprintf("sandbox-client-%d", s.clients.issued)
}
