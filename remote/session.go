package remote

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

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

	maxSessionID     = 1 << 10         // RELAY B6
	maxVersion       = 64              // a version is a date; this only guards the header
	maxSubscriptions = 10_000          // what is kept for a replay; a host has some
	deleteLimit      = 2 * time.Second // RELAY H6
)

var errSessionID = errors.New("the session id is longer than 1 KiB or holds other than visible ASCII")

// session is what initialize settled with the server in the legacy era, and what
// the host has said since that a new session needs to hear again. Its id is as
// good as a password (RELAY H4), so it prints redacted.
type session struct {
	mu      sync.Mutex
	id      redact.Secret
	version string
	gen     int           // counts the sessions; 0: none so far
	began   chan struct{} // closed when the next one begins
	orphan  redact.Secret // the token whose refusal left only a person to help
	signed  bool          // orphan is set
	grant   string        // the sign-in that the session was made for; "": not known

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
// without sessions gives no id. first is the host's own message, version that of
// the result (RELAY H3): one that fits in no header is not sent back.
func (s *session) begin(id, version, grant string) {
	if len(version) > maxVersion || !visible(version) {
		version = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.version, s.grant = redact.Secret(id), version, grant
	s.gen++
	s.signed = false
	if s.began != nil {
		close(s.began)
		s.began = nil
	}
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
// session that is.
func (s *session) stamp(h http.Header) (gen int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id != "" {
		h.Set(headerSession, s.id.Reveal())
	}
	if s.version != "" {
		h.Set(headerVersion, s.version)
	}
	return s.gen
}

// given reports whether the server has given a session id.
func (s *session) given() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id != ""
}

func (s *session) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.version = "", ""
}

// current returns the number of the session, and a channel that closes when the
// next one begins.
func (s *session) current() (gen int, next <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began == nil {
		s.began = make(chan struct{})
	}
	return s.gen, s.began
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

// unsettled returns the replay that is under way, or whether the session was
// made for another sign-in than the one that token comes from, and its number.
// Another process may have signed in before this one met a 401.
func (s *session) unsettled(token redact.Secret, grant string) (r *renewal, orphan bool, gen int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	orphan = s.signed && token != "" && token != s.orphan || s.grant != "" && grant != "" && grant != s.grant
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

// printable reports whether text may stand in a header as it is.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7e {
			return false
		}
	}
	return strings.TrimSpace(text) == text
}

// endSession sends the DELETE. A server may refuse it: 405 is fine.
func (c *Client) endSession(ctx context.Context) error {
	x := &exchange{client: c, verb: http.MethodDelete}
	resp, f := x.open(ctx)
	c.session.forget()
	if f != nil {
		return x.fault(decide(x.facts(f)).kind, f)
	}
	discard(resp)
	return nil
}
