package bridge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

var errNoAnswer = errors.New("the server gave no answer")

// errSlowSession: the host may have given a call up that waited for the session,
// and have asked again, as after a sign-in (maxPause).
var errSlowSession = &remote.Error{Kind: remote.KindTimeout, Err: errors.New("the session took too long, and nothing was sent")}

// serve takes one request of the host to its answer, in the way that the table
// says.
func (b *bridge) serve(p parcel, a action) {
	f := p.flight
	defer f.paid()
	defer b.flights.end(f)
	defer func() { _ = b.closeDue(f, nil) }()      // of a call that was given up here
	defer b.record(f)                              // first of all: the answer is on its way
	if f.msg.Modern() && a != ask && a != signIn { // not of calls: their messages may be large
		b.book.keepMeta(f.msg)
	}
	switch m := f.msg; {
	case b.waits && b.servePatiently(p):
	case m.Method == methodInitialize:
		b.openSession(f, a)
	case m.Method == methodDiscover && m.Modern():
		b.discover(f, a)
	case m.Method == methodPing:
		b.ping(f, a)
	case a == fresh:
		b.list(f)
	case a == own && b.giveKnown(f):
	case a == here:
		b.useOwnTool(f)
	case m.Method == methodCall:
		b.call(f, a == signIn)
	case a == keep:
		b.link.keepLevel(m)
		b.give(f, jsonmsg.Object())
	case a == refuse:
		b.fail(f, signInFirst())
	default:
		b.plain(f, a)
	}
}

// plain relays a request that nothing is known about, when there is a way.
func (b *bridge) plain(f *flight, a action) {
	if a == wait && !b.waitForLogin(f.ctx) {
		b.fail(f, errClosing)
		return
	}
	err := b.relay(f)
	if errors.Is(err, remote.ErrSignIn) {
		err = signInFirst()
	}
	b.fail(f, err)
}

// signInFirst is what a request hears that does not itself begin a sign-in: only
// a call does (HOSTS P5).
func signInFirst() error {
	return &remote.Error{Kind: remote.KindSignIn, Err: hint.With(fmt.Errorf("%w: nothing was sent", remote.ErrSignIn), hintCallLogin)}
}

// waitForLogin returns when a request would no longer be refused for want of a
// login; false: nobody needs it any more.
func (b *bridge) waitForLogin(ctx context.Context) bool {
	for {
		now, moved := b.state.next()
		if !now.needsLogin() {
			return true
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

// relay lets the server answer a request of the host. nil: it did, or the host
// wants no answer any more.
func (b *bridge) relay(f *flight) error {
	if !f.msg.Modern() {
		begun := time.Now()
		if err := b.ready(f.ctx); err != nil {
			return err
		}
		// After a sign-in do counts it, and has words of its own.
		if f.msg.Method == methodCall && f.since.IsZero() && waited(begun) > maxPause && !b.book.readOnly(f.sending().Name) {
			return errSlowSession
		}
	}
	err := b.do(f)
	f.expect(err)
	b.learn(err)
	return err
}

// fail ends a flight that got no answer. Of a subscription that had begun the
// host hears in the words that the specification has for it, since it cannot see
// the stream break (RELAY L10); it may subscribe again.
func (b *bridge) fail(f *flight, err error) {
	if err == nil {
		err = errNoAnswer // heard only if nothing was delivered
	}
	err = b.closeDue(f, err)
	first := f.settle()
	b.flights.free(f)
	switch {
	case !first:
	case f.msg.Method == methodListen && f.begun():
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "a subscription ended", slog.Any("error", err))
		f.fails(err, 0)
		b.out.send(b.always, fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":{"requestId":%s}}`, methodCancelled, f.msg.ID))
	default:
		f.fails(err, b.answer(f.msg, jsonmsg.CodeInternal, err))
	}
	f.paid()
}

// give answers a flight with a result of our own, unless it has its answer; note
// is what flight.settle runs.
func (b *bridge) give(f *flight, result json.RawMessage, note ...func()) {
	b.closeAs(f, journal.NotSent)
	first := f.settle(note...)
	b.flights.free(f)
	if first {
		line := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":%s}`, f.msg.ID, jsonmsg.Compact(result))
		f.ends(cmp.Or(f.word, endedHere), 0, len(line))
		b.out.send(b.always, line)
	}
	f.paid()
}

// do sends the request and passes on what comes back.
func (b *bridge) do(f *flight) error {
	return b.remote.Do(f.ctx, f.sending(), remote.Hooks{
		Start: func(requestID string) bool {
			if f.late = b.tooLate(f); f.late || !b.enter(f, requestID) {
				return false
			}
			f.late = b.tooLate(f) // the disk takes its time
			return !f.late && f.start(requestID)
		},
		Sent: f.sent,
		Head: f.head,
		Deliver: func(m jsonmsg.Message) {
			if m.Kind == jsonmsg.Response && !f.since.IsZero() {
				b.waitSettled(f.ctx)
			}
			b.pass(f, m)
			if m.Kind == jsonmsg.Response {
				f.paid()
			}
		},
	})
}

// pass hands the host what came back for a flight. After the answer, or a
// cancellation, there is no second answer; in the modern era there is nothing
// more at all, and no request of the server ever (RELAY T4).
func (b *bridge) pass(f *flight, m jsonmsg.Message) {
	b.heed(m)
	m = b.sift(f, m)
	wanted := true
	switch {
	case m.Kind == jsonmsg.Response:
		b.closeWith(f, m)
		if wanted = f.settle(); wanted {
			b.flights.free(f)
			f.endsWith(m)
		}
	case f.msg.Modern():
		wanted = f.open() && m.Kind == jsonmsg.Notification
	}
	if wanted {
		b.tell(f.ctx, m)
	}
	if f.msg.Method == methodListen && m.Method == methodAcknowledged {
		b.announceIn(f)
	}
}

// tell writes a message of the server to the host, but for what it may not ask.
func (b *bridge) tell(ctx context.Context, m jsonmsg.Message) {
	b.heed(m)
	if m.Kind == jsonmsg.Request {
		if lacks := b.undeclared(m); lacks != "" {
			b.decline(m, lacks)
			return
		}
		b.asked.note(m) // before the host can answer
	}
	b.out.send(ctx, m.Raw)
}
