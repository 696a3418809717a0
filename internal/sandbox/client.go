package sandbox

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// The token endpoint authentication methods (RFC 7591 section 2).
const (
	authNone  = "none"
	authPost  = "client_secret_post"
	authBasic = "client_secret_basic"
)

// Client is a registered OAuth client.
type Client struct {
	ID     string
	Secret redact.Secret
	// AuthMethod is token_endpoint_auth_method; empty means "none" without a
	// Secret and "client_secret_post" with one.
	AuthMethod   string
	RedirectURIs []string
	// As stated at registration.
	Name, ApplicationType string
	GrantTypes            []string
	// SecretExpiry is when Secret ends; zero: never.
	SecretExpiry time.Time
}

// RedirectRule is how an authorization request's redirect URI is matched
// (PAYU S12, U4).
type RedirectRule int

// The rules.
const (
	RedirectExact            RedirectRule = iota // as registered, port included
	RedirectAnyPort                              // any port on a loopback IP literal (RFC 8252 section 7.3)
	RedirectRefusesLocalhost                     // exact, and never the name localhost
	RedirectRefusesIP                            // exact, and never a loopback IP literal
	RedirectRefusesLoopback                      // exact, and neither of the two
)

// ClientKnobs shape registration (RFC 7591) and client authentication (PAYU S15,
// S33).
type ClientKnobs struct {
	// RegistrationOff makes /register answer 404.
	RegistrationOff bool
	// IssueSecret gives each client a secret; who asked for "none" gets
	// client_secret_post.
	IssueSecret bool
	// OmitAuthMethod leaves token_endpoint_auth_method out of the answer.
	OmitAuthMethod bool
	// RefuseRedirects refuses to register redirect URIs that RedirectRule would
	// refuse later, with invalid_redirect_uri.
	RefuseRedirects bool
	Redirect        RedirectRule
	// Unknown is how the authorization endpoint meets a client that it does not know.
	Unknown TurnAway
	// DemandSecret refuses public clients at the token endpoint (PAYU U3): E8.
	DemandSecret bool
	// BurnCodeOnAuthFailure uses a code up when the client authentication is wrong.
	BurnCodeOnAuthFailure bool
	// SecretLife is the life of the secrets that are issued from now on; 0: without
	// end.
	SecretLife time.Duration
}

// registry holds the clients.
type registry struct {
	mu     sync.Mutex
	all    []Client
	issued int
}

// AddClient registers a client beforehand, as a merchant does by hand.
func (s *Sandbox) AddClient(c Client) {
	if c.Secret != "" {
		s.log.secret(c.Secret.Reveal())
	}
	if c.AuthMethod == "" {
		c.AuthMethod = authNone
		if c.Secret != "" {
			c.AuthMethod = authPost
		}
	}
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	s.clients.all = append(s.clients.all, c)
}

// Clients returns the registered clients in order.
func (s *Sandbox) Clients() []Client {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	return slices.Clone(s.clients.all)
}

// PurgeClients forgets all clients: their later calls are invalid_client.
func (s *Sandbox) PurgeClients() {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	s.clients.all = nil
}

func (s *Sandbox) client(id string) (Client, bool) {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	i := slices.IndexFunc(s.clients.all, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return Client{}, false
	}
	return s.clients.all[i], true
}

// authenticate finds the client of a token request (RFC 6749 section 2.3). The
// method must be the registered one.
func (s *Sandbox) authenticate(r *http.Request) (Client, bool) {
	id, secret, method := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), authNone
	if secret != "" {
		method = authPost
	}
	if user, pass, ok := r.BasicAuth(); ok {
		method = authBasic
		id, secret = formDecoded(user), formDecoded(pass)
	}
	c, known := s.client(id)
	ended := !c.SecretExpiry.IsZero() && !s.now().Before(c.SecretExpiry)
	return c, known && c.AuthMethod == method && c.Secret.Reveal() == secret && !ended
}

// formDecoded undoes the encoding of RFC 6749 section 2.3.1.
func formDecoded(v string) string {
	if d, err := url.QueryUnescape(v); err == nil {
		return d
	}
	return v
}

// accepts tells whether the client may be answered at uri.
func (rule RedirectRule) accepts(registered []string, uri string) bool {
	return !rule.refuses(uri) && slices.ContainsFunc(registered, func(known string) bool {
		return known == uri || rule == RedirectAnyPort && samePortless(known, uri)
	})
}

// refuses tells whether the rule bans uri, registered or not.
func (rule RedirectRule) refuses(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return true
	}
	switch rule {
	case RedirectRefusesLocalhost:
		return isLocalhost(u.Hostname())
	case RedirectRefusesIP:
		return isLoopbackIP(u.Hostname())
	case RedirectRefusesLoopback:
		return isLocalhost(u.Hostname()) || isLoopbackIP(u.Hostname())
	case RedirectExact, RedirectAnyPort:
	}
	return false
}

func isLocalhost(host string) bool { return strings.EqualFold(host, "localhost") }

func isLoopbackIP(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// samePortless compares two URIs on the same loopback IP literal but for the port.
func samePortless(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	if errX != nil || errY != nil || x.Hostname() != y.Hostname() || !isLoopbackIP(x.Hostname()) {
		return false
	}
	x.Host, y.Host = "", ""
	return x.String() == y.String()
}
