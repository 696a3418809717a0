package sandbox

import (
	"sync"
	"time"
)

const codeLife = 60 * time.Second

// grant is what one sign-in gave: all tokens that stem from it live and die with
// it.
type grant struct {
	number                        int
	user, client, resource, scope string
	revoked                       bool
}

// code is an authorization code.
type code struct {
	authorization authorization
	expires       time.Time
	given         *grant // set by the first use
	burnt         bool
}

type accessToken struct {
	grant   *grant
	expires time.Time
	// kills is the refresh token that dies when this token is first used.
	kills *refreshToken
}

type refreshToken struct {
	grant *grant
	spent time.Time // zero: not yet
	dead  bool
}

// grants holds codes and tokens. Its zero value is ready.
type grants struct {
	mu      sync.Mutex
	codes   map[string]*code
	access  map[string]*accessToken
	refresh map[string]*refreshToken
	all     []*grant
}

func (g *grants) addCode(value string, c *code) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.codes == nil {
		g.codes = map[string]*code{}
	}
	g.codes[value] = c
}

// redeem spends a code that fits; fits is told the authorization it stands for.
// A second use revokes what the first gave (RFC 6749 section 4.1.2).
func (g *grants) redeem(value string, now time.Time, fits func(*authorization) bool) (*grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.codes[value]
	switch {
	case c == nil || c.burnt || now.After(c.expires):
		return nil, false
	case c.given != nil:
		c.given.revoked = true
		return nil, false
	case !fits(&c.authorization):
		return nil, false
	}
	c.given = g.open(&c.authorization)
	return c.given, true
}

// burn makes a code useless without giving anything for it.
func (g *grants) burn(value string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.codes[value]; c != nil {
		c.burnt = true
	}
}

// open adds a grant; mu is held.
func (g *grants) open(a *authorization) *grant {
	n := &grant{number: len(g.all) + 1, user: a.user, client: a.client.ID, resource: a.resource, scope: a.scope}
	g.all = append(g.all, n)
	return n
}

// give adds an access token, and a refresh token unless refresh is "".
func (g *grants) give(of *grant, access string, expires time.Time, refresh string, kills *refreshToken) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.access == nil {
		g.access, g.refresh = map[string]*accessToken{}, map[string]*refreshToken{}
	}
	g.access[access] = &accessToken{grant: of, expires: expires, kills: kills}
	if refresh != "" {
		g.refresh[refresh] = &refreshToken{grant: of}
	}
}

// spend uses a refresh token of client under rule. It returns nil when that is an
// invalid_grant.
func (g *grants) spend(value, client string, k TokenKnobs, now time.Time) *refreshToken {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.refresh[value]
	if t == nil || t.dead || t.grant.revoked || t.grant.client != client {
		return nil
	}
	if !k.Rotation.spends() {
		return t
	}
	if t.spent.IsZero() {
		t.spent = now
		return t
	}
	if k.Rotation == RotateGrace && now.Sub(t.spent) <= k.Grace {
		return t
	}
	t.grant.revoked = true // reuse detected (RFC 9700 section 4.14.2)
	return nil
}

// introspect returns the grant behind an access token, or why there is none.
func (g *grants) introspect(value string, now time.Time) (*grant, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.access[value]
	if t == nil || t.grant.revoked {
		return nil, "Token invalid"
	}
	if !now.Before(t.expires) {
		return nil, "Token expired"
	}
	if t.kills != nil {
		t.kills.dead = true
	}
	return t.grant, ""
}

// revoke ends the grant of an access or refresh token, if there is one.
func (g *grants) revoke(value string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.access[value]; t != nil {
		t.grant.revoked = true
	}
	if t := g.refresh[value]; t != nil {
		t.grant.revoked = true
	}
}

// RevokeFromDashboard ends all grants of a user, as "Connected Applications" in
// PayU's dashboard does (PAYU P21): the next call is a 401.
func (s *Sandbox) RevokeFromDashboard(user string) {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	for _, g := range s.grants.all {
		if g.user == user {
			g.revoked = true
		}
	}
}

// ExpireAccessTokens makes all access tokens issued so far expire now; refresh
// tokens stay good.
func (s *Sandbox) ExpireAccessTokens() {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	for _, t := range s.grants.access {
		t.expires = s.now()
	}
}

// IssueToken returns an access token of user, for tests that are not about
// signing in. It lives as long as tokens do now and has no refresh token.
func (s *Sandbox) IssueToken(user string) string {
	s.grants.mu.Lock()
	g := s.grants.open(&authorization{user: user, scope: defaultScope})
	s.grants.mu.Unlock()
	k := s.Knobs().Token
	token := s.newSecret(k.digits())
	s.grants.give(g, token, s.now().Add(k.life()), "", nil)
	return token
}
