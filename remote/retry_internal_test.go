package remote

import (
	"testing"
	"time"
)

// TestDecide_everyRow walks the retry matrix (RELAY section 6) row by row: what
// comes first of a tools/call and of a list, and what they are told in the end.
func TestDecide_everyRow(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, c := range []struct {
		row            string
		event          event
		wait           time.Duration
		call, list     step
		calls, list2   int // how often each goes out again
		told, toldList Kind
	}{
		{"R1 no connection", eventNotSent, 0, sendAgain, sendAgain, 3, 3, KindUnreachable, KindUnreachable},
		{"R1 a certificate", eventNoConnection, 0, giveUp, giveUp, 0, 0, KindUnreachable, KindUnreachable},
		{"R2 stale keep-alive", eventNotSent, 0, sendAgain, sendAgain, 3, 3, KindUnreachable, KindUnreachable},
		{"R3 refused stream", eventTurnedAway, 0, sendAgain, sendAgain, 3, 3, KindUnreachable, KindUnreachable},
		{"R4 written, then cut", eventCut, 0, giveUp, sendAgain, 0, 1, KindUnknownOutcome, KindInterrupted},
		{"R4 written, then silence", eventSilent, 0, giveUp, giveUp, 0, 0, KindUnknownOutcome, KindTimeout},
		{"R5 401", eventUnauthorized, 0, newToken, newToken, 1, 1, KindSignIn, KindSignIn},
		{"R6 403 for scope", eventScope, 0, newToken, newToken, 1, 1, KindPermission, KindPermission},
		{"R7 403", eventForbidden, 0, giveUp, giveUp, 0, 0, KindForbidden, KindForbidden},
		{"R8 session lost", eventSession, 0, newSession, newSession, 1, 1, KindSessionLost, KindSessionLost},
		{"R9 429", eventWait, 2 * s, giveUp, sendAgain, 0, 3, KindRateLimited, KindRateLimited},
		{"R9 429 without a time", eventWait, 0, giveUp, sendAgain, 0, 3, KindRateLimited, KindRateLimited},
		{"R9 429 for long", eventWait, 31 * s, giveUp, giveUp, 0, 0, KindRateLimited, KindRateLimited},
		{"R9 503 with a time", eventOverloaded, 2 * s, giveUp, sendAgain, 0, 3, KindServerError, KindServerError},
		{"R10 500", eventFault, 0, giveUp, sendAgain, 0, 1, KindUnknownOutcome, KindServerError},
		{"R10 a page", eventPage, 0, giveUp, sendAgain, 0, 1, KindUnknownOutcome, KindNetworkSignIn},
		{"511", eventPortal, 0, giveUp, giveUp, 0, 0, KindNetworkSignIn, KindNetworkSignIn},
		{"R11, R12 stream cut", eventCut, 0, giveUp, sendAgain, 0, 1, KindUnknownOutcome, KindInterrupted},
		{"R13 header mismatch", eventMismatch, 0, newTools, newTools, 1, 1, KindRefused, KindRefused},
		{"R14 3xx", eventRedirect, 0, giveUp, giveUp, 0, 0, KindRedirect, KindRedirect},
		{"R15 unreadable", eventUnreadable, 0, giveUp, sendAgain, 0, 1, KindUnreadable, KindBadAnswer},
		{"R15 too large", eventTooLarge, 0, giveUp, giveUp, 0, 0, KindTooLarge, KindTooLarge},
		{"ended by us", eventStopped, 0, giveUp, giveUp, 0, 0, KindUnknownOutcome, KindCancelled},
		{"another 4xx", eventRefused, 0, giveUp, giveUp, 0, 0, KindRefused, KindRefused},
		{"the host gave up", eventCancelled, 0, giveUp, giveUp, 0, 0, KindCancelled, KindCancelled},
		{"no token for now", eventNoToken, 0, giveUp, giveUp, 0, 0, KindToken, KindToken},
		{"no session", eventNoSession, 0, giveUp, giveUp, 0, 0, KindSessionLost, KindSessionLost},
	} {
		for _, side := range []struct {
			repeat bool
			first  step
			times  int
			told   Kind
		}{{false, c.call, c.calls, c.told}, {true, c.list, c.list2, c.toldList}} {
			f := facts{event: c.event, repeat: side.repeat, wait: c.wait}
			if v := decide(f); v.step != side.first {
				t.Errorf("%s, repeatable %t: %v", c.row, side.repeat, v)
			}
			n := 0
			for ; decide(f).step != giveUp && n < 10; n++ {
				f.resent++
			}
			if v := decide(f); n != side.times || v.kind != side.told {
				t.Errorf("%s, repeatable %t: %d times, told %s", c.row, side.repeat, n, v.kind)
			}
		}
	}
}

// Only where a call surely has not run may it go out again, whatever else the
// matrix comes to say.
func TestMatrix_callsGoOutAgain_onlyIfTheyHaveNotRun(t *testing.T) {
	t.Parallel()
	for e, r := range matrix {
		if r.calls > 0 && r.ran != ranNo {
			t.Errorf("event %d", e)
		}
		if r.ran == 0 || r.other == "" || (r.reads > 0) != (r.step != giveUp) {
			t.Errorf("event %d: the row is not whole: %+v", e, r)
		}
	}
	if len(matrix) != int(eventNoSession) {
		t.Errorf("%d rows for %d events", len(matrix), eventNoSession)
	}
}

func TestDecide_bounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f    facts
		want verdict
	}{
		"pauses double":             {facts{event: eventNotSent, resent: 2}, verdict{sendAgain, time.Second, KindUnreachable}},
		"10 s are over":             {facts{event: eventNotSent, since: retryWithin}, verdict{giveUp, 0, KindUnreachable}},
		"Retry-After is waited for": {facts{event: eventWait, repeat: true, wait: 20 * time.Second}, verdict{sendAgain, 20 * time.Second, KindRateLimited}},
		"30 s in all":               {facts{event: eventWait, repeat: true, resent: 1, since: 20 * time.Second, wait: 20 * time.Second}, verdict{giveUp, 0, KindRateLimited}},
		"429 of a read-only tool":   {facts{event: eventWait, readOnly: true, wait: time.Second}, verdict{sendAgain, time.Second, KindRateLimited}},
		"503 of a read-only tool":   {facts{event: eventOverloaded, readOnly: true, wait: time.Second}, verdict{sendAgain, time.Second, KindServerError}},
		"cut of a read-only tool":   {facts{event: eventCut, readOnly: true}, verdict{giveUp, 0, KindUnknownOutcome}},
		"half an answer went on":    {facts{event: eventCut, repeat: true, heard: true}, verdict{giveUp, 0, KindInterrupted}},
		"500 of a read-only tool":   {facts{event: eventFault, readOnly: true}, verdict{giveUp, 0, KindUnknownOutcome}},
		"unreadable of a read-only": {facts{event: eventUnreadable, readOnly: true}, verdict{giveUp, 0, KindUnreadable}},
	} {
		if got := decide(c.f); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestIsRead_unknownMethods_areCalls(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]bool{
		"tools/list": true, "initialize": true, "resources/read": true, "prompts/get": true, "server/discover": true,
		"tools/call": false, "tasks/cancel": false, "x/anything": false, "Tools/List": false, "": false,
	} {
		if isRead(method) != want {
			t.Error(method)
		}
	}
}

func TestJumped_sleptComputer_isNoticed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wall, monotonic time.Duration
		want            bool
	}{
		{time.Hour, time.Hour, false},
		{time.Hour, time.Minute, true},
		{time.Minute + 29*time.Second, time.Minute, false},
		{-time.Hour, time.Minute, false}, // the clock was set back
	} {
		if jumped(c.wall, c.monotonic) != c.want {
			t.Errorf("%s against %s", c.wall, c.monotonic)
		}
	}
}
