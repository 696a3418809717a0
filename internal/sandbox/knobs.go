package sandbox

import "time"

// Knobs is what can be changed while the sandbox runs. The zero value of each is
// the default: PayU as documented.
type Knobs struct {
	Metadata MetadataKnobs
	Resource ResourceKnobs
	Client   ClientKnobs
	Login    LoginKnobs
	Device   DeviceKnobs
	Token    TokenKnobs
	MCP      MCPKnobs
}

// Change lets f change the knobs; requests that start afterwards see the result.
// Slices, maps and functions in Knobs must be replaced, not written into.
func (s *Sandbox) Change(f func(*Knobs)) {
	s.knobMu.Lock()
	defer s.knobMu.Unlock()
	f(&s.current)
}

// Knobs returns the values in force.
func (s *Sandbox) Knobs() Knobs {
	s.knobMu.Lock()
	defer s.knobMu.Unlock()
	return s.current
}

// SetMetadata replaces the metadata knobs.
func (s *Sandbox) SetMetadata(m MetadataKnobs) { s.Change(func(k *Knobs) { k.Metadata = m }) }

// SetResourceMetadata replaces the knobs of the protected resource metadata.
func (s *Sandbox) SetResourceMetadata(r ResourceKnobs) { s.Change(func(k *Knobs) { k.Resource = r }) }

// SetOutcome chooses how sign-ins end from now on.
func (s *Sandbox) SetOutcome(o Outcome) { s.Change(func(k *Knobs) { k.Login.Outcome = o }) }

// SetHeadless makes the authorization endpoint answer 302 at once for user; ""
// brings the pages back.
func (s *Sandbox) SetHeadless(user string) { s.Change(func(k *Knobs) { k.Login.Headless = user }) }

// SetAccessTokenLife sets the life of access tokens that are issued from now on,
// in whole seconds; 0 is the default of 7199 s.
func (s *Sandbox) SetAccessTokenLife(d time.Duration) {
	s.Change(func(k *Knobs) { k.Token.AccessLife = d })
}

// SetRotation chooses what becomes of refresh tokens from now on.
func (s *Sandbox) SetRotation(r Rotation) { s.Change(func(k *Knobs) { k.Token.Rotation = r }) }

// SetMCP replaces the knobs of the MCP endpoint.
func (s *Sandbox) SetMCP(m MCPKnobs) { s.Change(func(k *Knobs) { k.MCP = m }) }
