package auth

// RFC 6750 section 3.1 and MCP's step-up authorization: a token that is good,
// and may too little (OAUTH A22 to A24).

import (
	"fmt"
	"slices"
	"time"
)

// stepUpPause is how long the same scope is not asked for again: a server that
// is never content must not open a browser for each call (OAUTH A24).
const stepUpPause = 5 * time.Minute

// stepUp is a sign-in for more scope.
type stepUp struct {
	scope string
	at    time.Time
}

// wantsScope answers a 403 that asks for more scope. A refresh would bring none,
// so a person must sign in; not again where that has just been done.
func (c *Client) wantsScope(ch challenge) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stepped.scope == ch.scope && c.now().Sub(c.stepped.at) < stepUpPause {
		return nil
	}
	return fmt.Errorf("%w: the server asks for more permissions than were given", ErrSignInNeeded)
}

// widen adds what was given before to the scopes of a step-up (OAUTH A23). What
// the user chose stays as it is.
func (c *Client) widen(d *discovery, ch challenge, cur *Credential) {
	if !ch.stepUp || !cur.SignedIn() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stepped, d.grantAlive = stepUp{ch.scope, c.now()}, true
	if len(c.cfg.Scopes) == 0 {
		d.scopes = union(cur.Scopes, d.scopes)
	}
}

func union(given, asked []string) []string {
	all := slices.Clone(given)
	for _, scope := range asked {
		if !slices.Contains(all, scope) {
			all = append(all, scope)
		}
	}
	return all
}
