package remote

import (
	"slices"
	"time"
)

// ran is the matrix's question about an event: may the message have run?
type ran int

const (
	ranNo      ran = iota + 1 // certainly not
	ranUnknown                // nobody here can tell
	ranYes                    // it did, whatever became of the answer
)

// step is what has to be done before a message goes out again.
type step int

const (
	giveUp     step = iota
	sendAgain       // nothing but a pause
	newToken        // the Authorizer is told of the refused one
	newSession      // the host's initialize is replayed
	newTools        // tools/list is asked for again
)

// row is one line of the retry matrix (RELAY section 6).
type row struct {
	ran   ran
	step  step
	reads int  // how often a list or a read may go out again
	calls int  // the same for everything else, tools/call above all
	other Kind // what a failed message is told
	call  Kind // the same for tools/call and its like; "" = as other
}

// retriesUnsent is how often a message that was never written may be tried
// again, and retryWithin for how long (R1).
const (
	retriesUnsent = 3
	retryWithin   = 10 * time.Second
)

// matrix says what may be sent twice. PayU knows no idempotency key, so a call
// goes out again only where it surely has not run.
var matrix = map[event]row{
	// event          ran         before it    reads          calls          a failure is told as
	eventNotSent:      {ranNo, sendAgain, retriesUnsent, retriesUnsent, KindUnreachable, ""}, // R1, R2
	eventNoConnection: {ranNo, giveUp, 0, 0, KindUnreachable, ""},                            // R1, but no retry helps
	eventTurnedAway:   {ranNo, sendAgain, retriesUnsent, retriesUnsent, KindUnreachable, ""}, // R3
	eventCut:          {ranUnknown, sendAgain, 1, 0, KindInterrupted, KindUnknownOutcome},    // R4, R11, R12
	eventSilent:       {ranUnknown, giveUp, 0, 0, KindTimeout, KindUnknownOutcome},           // R4, after minutes: the host has given up
	eventStopped:      {ranUnknown, giveUp, 0, 0, KindCancelled, KindUnknownOutcome},         // ended from our side
	eventUnauthorized: {ranNo, newToken, 1, 1, KindSignIn, ""},                               // R5
	eventScope:        {ranNo, newToken, 1, 1, KindPermission, ""},                           // R6
	eventForbidden:    {ranNo, giveUp, 0, 0, KindForbidden, ""},                              // R7
	eventSession:      {ranNo, newSession, 1, 1, KindSessionLost, ""},                        // R8
	eventWait:         {ranNo, sendAgain, 3, 0, KindRateLimited, ""},                         // R9
	eventOverloaded:   {ranNo, sendAgain, 3, 0, KindServerError, ""},                         // R9
	eventFault:        {ranUnknown, sendAgain, 1, 0, KindServerError, KindUnknownOutcome},    // R10
	eventPage:         {ranUnknown, sendAgain, 1, 0, KindNetworkSignIn, KindUnknownOutcome},  // R10
	eventPortal:       {ranNo, giveUp, 0, 0, KindNetworkSignIn, ""},                          // R14: it is not the server that answers
	eventMismatch:     {ranNo, newTools, 1, 1, KindRefused, ""},                              // R13
	eventRedirect:     {ranNo, giveUp, 0, 0, KindRedirect, ""},                               // R14
	eventUnreadable:   {ranYes, sendAgain, 1, 0, KindBadAnswer, KindUnreadable},              // R15
	eventTooLarge:     {ranYes, giveUp, 0, 0, KindTooLarge, ""},                              // R15: it would be as large again
	eventRefused:      {ranNo, giveUp, 0, 0, KindRefused, ""},                                // final
	eventCancelled:    {ranNo, giveUp, 0, 0, KindCancelled, ""},                              // never written
	eventNoToken:      {ranNo, giveUp, 0, 0, KindToken, ""},                                  // never written
	eventNoSession:    {ranNo, giveUp, 0, 0, KindSessionLost, ""},                            // never written
}

// facts is what the matrix asks about a message and what happened to it.
type facts struct {
	event    event
	repeat   bool          // a list or a read: running twice harms nothing
	readOnly bool          // a tools/call of a tool with readOnlyHint: true
	heard    bool          // part of its answer has been passed on: a second one would repeat it
	resent   int           // how often it went out again for this event
	since    time.Duration // how long ago it went out first
	wait     time.Duration // Retry-After; 0 = none
}

// verdict is what to do: the step and the pause before the message goes out
// again, or, with giveUp, what it is told.
type verdict struct {
	step  step
	pause time.Duration // without jitter
	kind  Kind
}

// decide reads the matrix. It is a pure function.
func decide(f facts) verdict {
	r := matrix[f.event]
	limit := r.calls
	if f.repeat || f.readOnly && (f.event == eventWait || f.event == eventOverloaded) {
		limit = r.reads
	}
	kind := r.other
	if !f.repeat && r.call != "" {
		kind = r.call
	}
	switch {
	case r.step == giveUp, f.heard, f.resent >= limit,
		r.ran == ranNo && r.step == sendAgain && f.wait == 0 && f.since >= retryWithin,
		f.wait > 0 && f.since+f.wait > maxWait:
		return verdict{kind: kind}
	case r.step != sendAgain:
		return verdict{step: r.step, kind: kind}
	}
	return verdict{step: sendAgain, pause: max(f.wait, firstRetry<<f.resent), kind: kind}
}

const (
	firstRetry = 250 * time.Millisecond // doubling: RELAY B9
	maxWait    = 30 * time.Second       // how long Retry-After is waited for in all: RELAY B9
)

// reads are the methods that may run twice. Everything else, what nobody here
// knows included, is treated as a call.
var reads = []string{
	methodInitialize, methodDiscover, "ping", methodTools, "prompts/list", "prompts/get",
	"resources/list", "resources/templates/list", "resources/read", methodSubscribe, methodUnsubscribe,
	"completion/complete", methodLevel, methodListen,
}

func isRead(method string) bool { return slices.Contains(reads, method) }
