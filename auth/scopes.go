package auth

// RFC 6749 section 3.3 and MCP's scope selection: which scopes are asked for.

import (
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// offlineAccess asks for a refresh token (OpenID Connect Core section 11).
const offlineAccess = "offline_access"

// splitScopes reads a list of scopes. Each stays as it came: it is a name of the
// server's, and may be sent again (OAUTH A21).
func splitScopes(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ' ' })
}

// scopesFor chooses what is asked for: the user's list as it is, else the
// challenge's, else the metadata's, else nothing. None is invented (OAUTH A20).
func (c *Client) scopesFor(ch challenge, prm *oauthex.ProtectedResourceMetadata, s Server) []string {
	if len(c.cfg.Scopes) > 0 {
		return c.cfg.Scopes
	}
	asked := splitScopes(ch.scope)
	if len(asked) == 0 && prm != nil {
		asked = slices.Clone(prm.ScopesSupported)
	}
	// Alone it would replace what the server gives to who asks for nothing (OAUTH A40).
	if len(asked) > 0 && s.OfflineAccess {
		asked = union(asked, []string{offlineAccess})
	}
	return asked
}

// shownScopes makes scopes fit for a terminal and a file in the clear.
func shownScopes(scopes []string) []string {
	const most = 100
	var shown []string
	for _, s := range scopes[:min(most, len(scopes))] {
		shown = append(shown, clean(s))
	}
	return shown
}

func union(lists ...[]string) []string {
	var all []string
	for _, scope := range slices.Concat(lists...) {
		if !slices.Contains(all, scope) {
			all = append(all, scope)
		}
	}
	return all
}
