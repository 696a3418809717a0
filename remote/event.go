package remote

import (
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// event is what happened to one try of a message.
type event int

const (
	eventNotSent      event = iota + 1 // no byte of it was written
	eventNoConnection                  // no byte of it was written, and trying again does not help
	eventTurnedAway                    // HTTP/2: the server says that it has not looked at it
	eventCut                           // written; no answer, or half of one
	eventSilent                        // written; no byte for Limits.Idle
	eventStopped                       // written; ended from our side
	eventUnauthorized                  // 401
	eventScope                         // 403 with the challenge insufficient_scope
	eventForbidden                     // another 403
	eventSession                       // 404 with a session id, 400 about one
	eventWait                          // 429, 408
	eventOverloaded                    // 503 with Retry-After
	eventFault                         // another 5xx
	eventPage                          // 2xx with HTML or the like: not the server's words
	eventPortal                        // 511: something before the server wants a sign-in (RFC 6585)
	eventMismatch                      // -32020: our headers are not what the server expects
	eventRedirect                      // 3xx
	eventUnreadable                    // 2xx with broken JSON, or no answer in it
	eventTooLarge                      // 2xx with more than we take
	eventRefused                       // another 4xx
	eventCancelled                     // ended from our side before a byte was written
	eventNoToken                       // the Authorizer has none for now
	eventNoSession                     // the host's initialize could not be replayed
)

// failure is a try that brought no answer.
type failure struct {
	event      event
	status     int           // HTTP status; 0 = none came
	wait       time.Duration // Retry-After
	challenges []string      // WWW-Authenticate, of a 401 or 403
	token      redact.Secret // what the 401 or 403 refused
	gen        int           // the session that it was sent in
	err        error         // the cause, in our words
}

// statusEvent sorts the answers that are no 2xx.
func statusEvent(status int, h http.Header, wait time.Duration) event {
	switch {
	case status == http.StatusUnauthorized:
		return eventUnauthorized
	case status == http.StatusForbidden && wantsScope(h):
		return eventScope
	case status == http.StatusForbidden:
		return eventForbidden
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return eventWait
	case status == http.StatusServiceUnavailable && wait > 0:
		return eventOverloaded
	case status == http.StatusNetworkAuthenticationRequired:
		return eventPortal
	case status >= 500:
		return eventFault
	case status >= 400:
		return eventRefused
	}
	return eventRedirect
}

// wantsScope reports whether a 403 asks for a step-up (RFC 6750 section 3.1).
// What the challenge says beyond that is the Authorizer's to read.
func wantsScope(h http.Header) bool {
	for _, v := range h.Values("WWW-Authenticate") {
		if strings.Contains(v, "insufficient_scope") {
			return true
		}
	}
	return false
}

// turnedAway reports whether HTTP/2 says that a request was not processed:
// REFUSED_STREAM, or a GOAWAY below its stream (RFC 9113 section 8.7). net/http
// would send it again by itself if it could read the body twice, and gives no
// type to know its refusal by; TestRetry_turnedAway fails if the words change.
func turnedAway(err error) bool {
	text := err.Error()
	return strings.Contains(text, "cannot retry err [") &&
		(strings.Contains(text, "REFUSED_STREAM") || strings.Contains(text, "graceful shutdown GOAWAY"))
}

func untrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
