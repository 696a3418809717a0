package remote

import (
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

const (
	methodInitialize  = "initialize"
	methodInitialized = "notifications/initialized"
	methodLevel       = "logging/setLevel"
	methodSubscribe   = "resources/subscribe"
	methodUnsubscribe = "resources/unsubscribe"
	methodDiscover    = "server/discover"
	methodListen      = "subscriptions/listen"
	methodTools       = "tools/list"
	methodCall        = "tools/call"

	maxSessionID     = 1 << 10 // RELAY B6
	maxVersion       = 64      // a version is a date; this only guards the header
	maxSubscriptions = 10_000  // what is kept for a replay; a host has some
)

var errSessionID = errors.New("the session id is longer than 1 KiB or holds other than visible ASCII")

// session is what initialize settled with the server in the legacy era, and what
// the host has said since that a new session needs to hear again. Its id is as
// good as a password (RELAY H4), so it prints redacted.
type session struct {
	mu     sync.Mutex
	bond   *bond         // nil: none so far, or it was left
	gen    int           // counts the sessions; 0: none so far
	began  chan struct{} // closed when the next one begins
	orphan redact.Secret // the token whose refusal left only a person to help
	signed bool          // orphan is set

	host  script
	renew *renewal // under way
}

// script is what the host said, as it said it.
type script struct {
	initialize    jsonmsg.Message
	initialized   jsonmsg.Message
	level         jsonmsg.Message
	subscriptions map[string]jsonmsg.Message // by URI
}

// begin enters the session of a successful answer to initialize; a server
// without sessions gives no id. version is that of the result (RELAY H3): one
// that fits in no header is not sent back. token was used, and comes from grant.
func (s *session) begin(id, version string, token redact.Secret, grant string) *bond {
	if len(version) > maxVersion || !visible(version) {
		version = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bond.end()
	s.gen++
	s.bond = &bond{
		id: redact.Secret(id), version: version, gen: s.gen, token: token, grant: grant,
		over: make(chan struct{}), look: make(chan struct{}, 1),
	}
	s.signed = false
	if s.began != nil {
		close(s.began)
		s.began = nil
	}
	return s.bond
}

// sessionID takes the id that a server gives with its answer to initialize.
func sessionID(h http.Header) (string, error) {
	id := h.Get(headerSession)
	if len(id) > maxSessionID || !visible(id) {
		return "", errSessionID
	}
	return id, nil
}

// heard keeps what a new session will have to hear again; it is called when the
// server has accepted m.
func (s *session) heard(m jsonmsg.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Method {
	case methodInitialize:
		s.host = script{initialize: m}
	case methodInitialized:
		s.host.initialized = m
	case methodLevel:
		s.host.level = m
	case methodSubscribe:
		if s.host.subscriptions == nil {
			s.host.subscriptions = make(map[string]jsonmsg.Message)
		}
		if len(s.host.subscriptions) < maxSubscriptions {
			s.host.subscriptions[m.Name] = m
		}
	case methodUnsubscribe:
		delete(s.host.subscriptions, m.Name)
	}
}

// stamp puts session and version on a request after initialize, and tells which
// session that is. used: the request is in flight in it until exit. The session
// belongs to the sign-in that uses it first, as soon as that can be named.
func (s *session) stamp(h http.Header, token redact.Secret, grant string, used bool) (gen int, b *bond) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bond == nil {
		return s.gen, nil
	}
	s.bond.stamp(h)
	if !used {
		return s.gen, nil
	}
	if s.bond.grant == "" && (s.bond.token == "" || s.bond.token == token) {
		s.bond.grant = grant
	}
	if token != "" {
		s.bond.token = token
	}
	s.bond.calls++
	return s.gen, s.bond
}

// current returns a channel that closes when the session that there is ends, nil
// if it was left, and one that closes when the next one begins.
func (s *session) current() (over, next <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began == nil {
		s.began = make(chan struct{})
	}
	switch {
	case s.bond != nil:
		return s.bond.over, s.began
	case s.gen == 0:
		return s.began, s.began
	}
	return nil, s.began
}

// signedOut notes that only a person can replace token: whoever signs in next
// may be somebody else, to whom this session does not belong.
func (s *session) signedOut(token redact.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gen > 0 {
		s.orphan, s.signed = token, true
	}
}

// unsettled returns the replay that is under way, or whether there is no session
// for token any more, and the number of the last one: it was left, or was made
// for another sign-in than the one that token comes from. Another process may
// have signed in before this one met a 401.
func (s *session) unsettled(token redact.Secret, grant string) (r *renewal, orphan bool, gen int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bond == nil {
		return s.renew, s.gen > 0, s.gen
	}
	orphan = s.signed && token != "" && token != s.orphan || s.bond.grant != "" && grant != "" && grant != s.bond.grant
	return s.renew, orphan, s.gen
}

// visible reports whether text is within 0x21..0x7E, so that it can do no harm
// in a header (OAUTH X23).
func visible(text string) bool {
	for i := range len(text) {
		if text[i] < 0x21 || text[i] > 0x7e {
			return false
		}
	}
	return true
}

// fitsHeader reports whether text may stand in a header as it is.
func fitsHeader(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7e {
			return false
		}
	}
	return strings.TrimSpace(text) == text
}
