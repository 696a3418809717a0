package remote

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
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

// maxHeaders is room for the headers of most requests.
const maxHeaders = 10

// constantHeaders are the headers that are the same for every POST.
func constantHeaders() http.Header {
	return http.Header{
		"User-Agent":   {"payu-mcp/" + buildinfo.Version()},
		"Content-Type": {mediaJSON},
		"Accept":       {mediaJSON + ", " + mediaEvents},
	}
}

// setHeaders fills in all but the bearer. No header may make net/http send a
// POST again: Idempotency-Key would (OAUTH Z9).
func (x *exchange) setHeaders(h http.Header) {
	maps.Copy(h, x.client.constant)
	h[headerRequestID] = []string{x.requestID}
	switch x.verb {
	case http.MethodGet:
		delete(h, "Content-Type")
		h.Set("Accept", mediaEvents)
		if x.lastID != "" {
			h.Set(headerLastEvent, x.lastID)
		}
	case http.MethodDelete:
		delete(h, "Content-Type")
		delete(h, "Accept")
	}
	switch {
	case x.msg.Modern():
		x.describe(h)
	case x.ending != nil:
		x.ending.stamp(h)
	case x.msg.Method != methodInitialize:
		x.gen, x.bond = x.client.session.stamp(h, x.token, x.grant, x.verb == http.MethodPost)
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
	var text [36]byte
	hex.Encode(text[:8], b[:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:], b[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// mediaType returns the content type without parameters, lower case.
func mediaType(h http.Header) string {
	if t := h.Get("Content-Type"); t == mediaJSON || t == mediaEvents {
		return t // as nearly always
	}
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
