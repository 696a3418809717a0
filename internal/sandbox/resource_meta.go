package sandbox

import "net/http"

// ResourceForm is the identifier that protected resource metadata states.
type ResourceForm int

// The forms.
const (
	ResourceEndpoint  ResourceForm = iota // the MCP endpoint
	ResourceOrigin                        // its origin only
	ResourceSlash                         // the endpoint and a slash
	ResourceElsewhere                     // the endpoint's path on the foreign listener
)

// ResourceKnobs shape the protected resource metadata (RFC 9728; PAYU S9).
type ResourceKnobs struct {
	// Present serves the document; PayU documents none (PAYU P4).
	Present  bool
	Resource ResourceForm
	// AuthorizationServers replaces the default, which is the metadata's issuer.
	AuthorizationServers []string
	Scopes               []string // scopes_supported; nil leaves it out
	Answer               DocumentAnswer
}

const resourceMetadataPath = "/.well-known/oauth-protected-resource"

func (s *Sandbox) routeResourceMetadata(m *http.ServeMux) {
	m.HandleFunc("GET "+resourceMetadataPath, s.resourceMetadata)
	m.HandleFunc("GET "+resourceMetadataPath+endpointPath, s.resourceMetadata)
}

func (s *Sandbox) resourceMetadata(w http.ResponseWriter, r *http.Request) {
	all := s.Knobs()
	k := all.Resource
	if !k.Present {
		http.NotFound(w, r)
		return
	}
	servers := k.AuthorizationServers
	if servers == nil {
		servers = []string{s.issuer(all.Metadata)}
	}
	doc := map[string]any{
		"resource": s.resourceIdentifier(k.Resource), "authorization_servers": servers,
		"bearer_methods_supported": []string{"header"},
	}
	if k.Scopes != nil {
		doc["scopes_supported"] = k.Scopes
	}
	k.Answer.write(w, r, doc)
}

func (s *Sandbox) resourceIdentifier(f ResourceForm) string {
	switch f {
	case ResourceOrigin:
		return s.resourceName()
	case ResourceSlash:
		return s.resourceName() + endpointPath + "/"
	case ResourceElsewhere:
		return s.abroad + endpointPath
	case ResourceEndpoint:
	}
	return s.resourceName() + endpointPath
}

// ownResource tells whether a resource indicator (RFC 8707) means this resource
// server. An absent one does: PayU documents none.
func (s *Sandbox) ownResource(indicator string) bool {
	switch indicator {
	case "", s.resourceName(), s.resourceIdentifier(ResourceEndpoint), s.resourceIdentifier(ResourceSlash), s.resource, s.Endpoint():
		return true
	}
	return false
}
