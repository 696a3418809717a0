package auth

// RFC 9110 section 11.6.1 and RFC 6750 section 3: the challenge of a 401.

import (
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// challenge is what a 401 said about the way in.
type challenge struct {
	resourceMetadata string // RFC 9728 section 5.1
	scope            string // RFC 6750 section 3, authoritative (OAUTH A21)
	stepUp           bool   // error="insufficient_scope": the token is good, and may too little (OAUTH A22)
}

// parseChallenge reads the values of WWW-Authenticate. Whatever cannot be read
// counts as no challenge, never as a failure (OAUTH A2).
func parseChallenge(values []string) challenge {
	var ch challenge
	for _, v := range values {
		parsed, err := oauthex.ParseWWWAuthenticate([]string{v})
		if err != nil {
			continue
		}
		for _, p := range parsed {
			if !strings.EqualFold(p.Scheme, "bearer") {
				continue
			}
			ch.resourceMetadata = first(ch.resourceMetadata, p.Params["resource_metadata"])
			ch.scope = first(ch.scope, p.Params["scope"])
			ch.stepUp = ch.stepUp || p.Params["error"] == "insufficient_scope"
		}
	}
	return ch
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
