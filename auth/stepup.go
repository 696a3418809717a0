package auth

// RFC 6750 section 3.1 and MCP's step-up authorization: a token that is good,
// and may too little (OAUTH A22 to A24).

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A server that is never content must not open a browser for each call (OAUTH
// A24, X28): within stepUpPause the same scopes are asked for once, and no more
// than maxStepUps sign-ins are for more scope.
const (
	stepUpPause = 5 * time.Minute
	maxStepUps  = 3
)

// stepUp is a sign-in for more scope.
type stepUp struct {
	scopes string // sorted
	at     time.Time
}

// wantsScope answers a 403 that asks for more scope. A refresh would bring none,
// so a person must sign in; not again where that has just been done.
func (c *Client) wantsScope(ch challenge) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stepped = slices.DeleteFunc(c.stepped, func(s stepUp) bool {
		age := c.now().Sub(s.at)
		return age < 0 || age >= stepUpPause // negative: the clock was set back
	})
	again := slices.ContainsFunc(c.stepped, func(s stepUp) bool { return s.scopes == sortedScopes(ch) })
	if again || len(c.stepped) >= maxStepUps {
		return nil
	}
	return fmt.Errorf("%w: the server asks for more permissions than were given", ErrSignInNeeded)
}

// widen adds what was asked for and given before to the scopes of a step-up
// (OAUTH A23). What the user chose stays as it is.
func (c *Client) widen(d *discovery, ch challenge, cur *Credential) {
	if !ch.stepUp || !cur.SignedIn() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stepped = append(c.stepped, stepUp{sortedScopes(ch), c.now()})
	d.grantAlive = true
	if len(c.cfg.Scopes) == 0 {
		d.scopes = union(cur.Asked, cur.Scopes, d.scopes)
	}
}

// sortedScopes makes challenges comparable: the order of scopes means nothing.
func sortedScopes(ch challenge) string {
	return strings.Join(slices.Sorted(slices.Values(splitScopes(ch.scope))), " ")
}
