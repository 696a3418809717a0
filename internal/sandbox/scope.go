package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// holds tells whether the caller's token has every scope of wanted.
func (c *caller) holds(wanted string) bool {
	has := strings.Fields(c.scope)
	return !slices.ContainsFunc(strings.Fields(wanted), func(s string) bool { return !slices.Contains(has, s) })
}

// forbidden asks for more scope.
func (s *Sandbox) forbidden(w http.ResponseWriter, k MCPKnobs) {
	metadata := s.resourceName() + resourceMetadataPath + endpointPath
	w.Header().Set("WWW-Authenticate", k.bearer("error", "insufficient_scope", "resource_metadata", metadata))
	writeJSON(w, http.StatusForbidden, map[string]string{"error": "insufficient_scope", "error_description": "The token does not have the scope."})
}

// bearer is a challenge with the given parameters, names and values in turn, and
// the scope if there is one.
func (k *MCPKnobs) bearer(params ...string) string {
	if k.Scope != "" {
		params = append(params, "scope", k.Scope)
	}
	var all []string
	for pair := range slices.Chunk(params, 2) {
		all = append(all, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	return strings.TrimSpace("Bearer " + strings.Join(all, ", "))
}
