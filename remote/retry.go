package remote

import "net/http"

// event is what happened to one try of a message.
type event int

const (
	eventNotSent      event = iota + 1 // no byte of it was written
	eventCut                           // written; no answer, or half of one
	eventSilent                        // written; no byte for Limits.Idle
	eventStopped                       // ended from our side
	eventUnauthorized                  // 401
	eventForbidden                     // 403
	eventSession                       // 404 with a session id, 400 about one
	eventWait                          // 429, 408
	eventOverloaded                    // 503 with Retry-After
	eventFault                         // another 5xx
	eventRefused                       // another 4xx
	eventRedirect                      // 3xx
	eventUnreadable                    // 2xx with broken JSON, or no answer in it
	eventTooLarge                      // 2xx with more than we take
	eventPage                          // 2xx with HTML or the like: not the server's words
)

// verdict is what to do about an event.
type verdict struct {
	resend bool // the message has not run: ask for a token and send it once more
	kind   Kind // else fail with this
}

// row is one line of the retry matrix (RELAY section 6).
type row struct {
	resends int  // how often the message may go out again
	other   Kind // what a failed message is told
	call    Kind // the same for tools/call, if it may have run; "" = as other
}

// matrix says what may be sent twice. There is no idempotency key at PayU, so
// tools/call goes out again only where it surely has not run; for now that is
// the 401 alone, for every method.
var matrix = map[event]row{
	eventNotSent:      {0, KindUnreachable, ""},                 // R1, R2, R3
	eventCut:          {0, KindInterrupted, KindUnknownOutcome}, // R4, R11, R12
	eventSilent:       {0, KindTimeout, KindUnknownOutcome},     // R4
	eventStopped:      {0, KindCancelled, KindUnknownOutcome},   // R4
	eventUnauthorized: {1, KindSignIn, ""},                      // R5
	eventForbidden:    {0, KindForbidden, ""},                   // R6, R7
	eventSession:      {0, KindSessionLost, ""},                 // R8
	eventWait:         {0, KindRateLimited, ""},                 // R9
	eventOverloaded:   {0, KindServerError, ""},                 // R9
	eventFault:        {0, KindServerError, KindUnknownOutcome}, // R10
	eventRefused:      {0, KindRefused, ""},                     // final
	eventRedirect:     {0, KindRedirect, ""},                    // R14
	eventUnreadable:   {0, KindBadAnswer, ""},                   // R15
	eventTooLarge:     {0, KindTooLarge, ""},                    // R15
	eventPage:         {0, KindBadAnswer, KindUnknownOutcome},   // R10
}

// decide reads the matrix: method is that of the message, sent how often it
// went out so far.
func decide(method string, e event, sent int) verdict {
	r := matrix[e]
	switch {
	case sent <= r.resends:
		return verdict{resend: true}
	case method == "tools/call" && r.call != "":
		return verdict{kind: r.call}
	}
	return verdict{kind: r.other}
}

// statusEvent sorts the answers that are no 2xx.
func statusEvent(status int, retryAfter bool) event {
	switch {
	case status == http.StatusUnauthorized:
		return eventUnauthorized
	case status == http.StatusForbidden:
		return eventForbidden
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return eventWait
	case status == http.StatusServiceUnavailable && retryAfter:
		return eventOverloaded
	case status >= 500:
		return eventFault
	case status >= 400:
		return eventRefused
	}
	return eventRedirect
}
