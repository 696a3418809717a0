package auth

import "github.com/payu-mcp/payu-mcp/internal/redact"

// RFC 6749 section 2.3.1: the secret of a client that was registered by hand. A
// person may give it in the environment of one `login`, where a host's bridge
// does not find it again, and it must not lie about in the clear; so it is sealed
// with the registration, as that of a dynamic one is (OAUTH A11, A37).

// withSealedSecret gives a named client the secret that it used at server s
// before, if none was given now.
func (c *Client) withSealedSecret(r Registration, s Server, cur *Credential) Registration {
	if c.cfg.ClientID == "" || c.cfg.ClientSecret != "" || c.cfg.NoSecret || cur == nil {
		return r
	}
	was := cur.Registration
	if was.Dynamic || was.Secret == "" || was.ClientID != c.cfg.ClientID || was.Issuer != s.Issuer {
		return r
	}
	r.Secret, r.AuthMethod = was.Secret, c.secretMethod(s)
	return r
}

// knowsSecret tells whether the named client of an open sign-in has the secret
// that this one would use; a sealed one was not chosen anew.
func (c *Client) knowsSecret(sealed redact.Secret) bool {
	return sealed == c.cfg.ClientSecret || c.cfg.ClientSecret == "" && !c.cfg.NoSecret
}
