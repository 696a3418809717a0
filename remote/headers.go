package remote

import (
	"crypto/rand"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// The headers of Streamable HTTP (RELAY H1, H3, H4).
const (
	headerSession   = "Mcp-Session-Id"
	headerVersion   = "Mcp-Protocol-Version" // names are case-insensitive: RFC 9110 section 5.1
	headerRequestID = "X-Request-Id"
	headerLastEvent = "Last-Event-Id"
	headerMethod    = "Mcp-Method"
	headerName      = "Mcp-Name"

	mediaJSON   = "application/json"
	mediaEvents = "text/event-stream"
)

// setHeaders fills in all but the bearer. No header may make net/http send a
// POST again: Idempotency-Key would (OAUTH Z9).
func (x *exchange) setHeaders(h http.Header) {
	h.Set("User-Agent", x.client.agent)
	h.Set(headerRequestID, x.requestID)
	switch x.verb {
	case http.MethodPost:
		h.Set("Content-Type", mediaJSON)
		h.Set("Accept", mediaJSON+", "+mediaEvents)
	case http.MethodGet:
		h.Set("Accept", mediaEvents)
		if x.lastID != "" {
			h.Set(headerLastEvent, x.lastID)
		}
	}
	switch {
	case x.msg.Modern():
		x.describe(h)
	case x.msg.Method != methodInitialize:
		x.gen = x.client.session.stamp(h)
	}
}

// describe repeats in the header what a modern request says of itself (RELAY
// H3, H12, H13). There is no session in the modern era.
func (x *exchange) describe(h http.Header) {
	h.Set(headerVersion, headerValue(x.msg.Meta))
	h.Set(headerMethod, headerValue(x.msg.Method))
	if name, ok := nameValue(x.msg); ok {
		h.Set(headerName, name)
	}
	if x.msg.Method == methodCall {
		t, _ := x.client.tools.of(x.msg.Name)
		mirror(h, t.bindings, x.msg)
	}
}

// newRequestID returns a random UUID, version 4 (RFC 9562 section 5.4).
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// mediaType returns the content type without parameters, lower case.
func mediaType(h http.Header) string {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil && t == "" {
		return ""
	}
	return t
}

// maxRetryAfter keeps a hostile or broken Retry-After within sense.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads Retry-After: seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	var d time.Duration
	if s, err := strconv.Atoi(v); err == nil {
		d = time.Duration(min(s, int(maxRetryAfter/time.Second))) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now).Round(time.Second)
	}
	return max(0, min(d, maxRetryAfter))
}
