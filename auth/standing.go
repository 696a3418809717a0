package auth

// Standing is where a login stands as far as the clear part of the stored record
// tells: no keychain and no network is asked.
type Standing int

// The standings.
const (
	// StandingUnknown: nobody is signed in, and the resource may want nobody to.
	StandingUnknown Standing = iota
	// StandingSignedIn: there is a login; whether it still works only the server
	// can tell.
	StandingSignedIn
	// StandingSignedOut: nobody is signed in, and the resource is known to want
	// it: it is PayU's own, or somebody was asked to sign in before.
	StandingSignedOut
	// StandingEnded: the server ended the login.
	StandingEnded
)

// StandingOf tells where the login for resource stands. s is the clear part of
// the stored record; nil: nothing is stored.
func StandingOf(resource string, s *Summary) Standing {
	switch {
	case s != nil && s.SignedIn:
		return StandingSignedIn
	case s != nil && s.LastRefresh.Result == endedByServer:
		return StandingEnded
	case s != nil, isPayU(resource):
		return StandingSignedOut
	default:
		return StandingUnknown
	}
}

// usable tells whether cred is a login that nobody has refused, as far as this
// process knows.
func (c *Client) usable(cred *Credential) bool {
	if !cred.SignedIn() || cred.RefreshToken == "" && c.expired(cred) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return cred.AccessToken != c.refused
}
