package remote

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

const (
	methodInitialize = "initialize"

	maxSessionID = 1 << 10         // RELAY B6
	maxVersion   = 64              // a version is a date; this only guards the header
	deleteLimit  = 2 * time.Second // RELAY H6
)

var errSessionID = errors.New("the session id is longer than 1 KiB or holds other than visible ASCII")

// session is what initialize settled with the server. Its id is as good as a
// password (RELAY H4), so it prints redacted.
type session struct {
	mu      sync.Mutex
	id      redact.Secret
	version string
}

// begin takes the session id from a successful answer to initialize; a server
// without sessions gives none.
func (s *session) begin(h http.Header) error {
	id := h.Get(headerSession)
	if len(id) > maxSessionID || !visible(id) {
		return errSessionID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.version = redact.Secret(id), ""
	return nil
}

// agree takes the protocol version of the InitializeResult (RELAY H3). One that
// fits in no header is not sent back.
func (s *session) agree(version string) {
	if len(version) > maxVersion || !visible(version) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
}

// stamp puts session and version on a request after initialize.
func (s *session) stamp(h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id != "" {
		h.Set(headerSession, s.id.Reveal())
	}
	if s.version != "" {
		h.Set(headerVersion, s.version)
	}
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

// endSession sends the DELETE. A server may refuse it: 405 is fine.
func (c *Client) endSession(ctx context.Context) error {
	x := &exchange{client: c, verb: http.MethodDelete}
	resp, e := x.send(ctx)
	c.session.forget()
	if e != nil {
		return e
	}
	discard(resp)
	return nil
}
