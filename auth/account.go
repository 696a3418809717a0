package auth

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// account names who signed in, if the server told: by the token response's own
// members, or by the claims of an ID token. The claims are shown and nothing
// else, so the ID token's signature is not looked at: it came over TLS from the
// token endpoint (OpenID Connect Core section 3.1.3.7).
func (res *tokenAnswer) account() string {
	claims := idClaims(string(res.IDToken))
	for _, s := range []string{string(res.Email), string(res.Name), claims.Email, claims.PreferredUsername, claims.Name, string(res.UserUUID), claims.Subject} {
		if s = clean(s); s != "" {
			return s
		}
	}
	return ""
}

type idTokenClaims struct {
	Email             string `json:"email"`
	PreferredUsername string `json:"preferred_username"`
	Name              string `json:"name"`
	Subject           string `json:"sub"`
}

func idClaims(token string) idTokenClaims {
	var claims idTokenClaims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return idTokenClaims{}
	}
	return claims
}
