package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// maxPause is how long a tool call may have waited for a sign-in and still be
// sent: after that the host may have given up and asked again, and PayU would
// run it twice (DESIGN decision 3).
const maxPause = 20 * time.Second

var errNoAnswer = errors.New("the server gave no answer")

// serve takes one request of the host to its answer.
func (b *bridge) serve(p parcel) {
	f := p.flight
	// The answer ends what others wait for; Do may take a moment longer.
	through := sync.OnceFunc(func() {
		if p.barrier() {
			b.gate.open(b.launch)
		}
		f.paid()
	})
	defer through()
	defer b.flights.end(f)
	err := b.do(f, through)
	if errors.Is(err, remote.ErrSignIn) && b.signIn != nil {
		if err = b.waitForSignIn(f); err == nil {
			err = b.do(f, through)
		}
	}
	if err == nil {
		err = errNoAnswer // heard only if nothing was delivered
	}
	b.fail(f, err)
}

// fail ends a flight that got no answer. Of a subscription that had begun the
// host hears in the words that the specification has for it, since it cannot see
// the stream break (RELAY L10); it may subscribe again.
func (b *bridge) fail(f *flight, err error) {
	first := f.settle()
	b.flights.free(f)
	switch {
	case !first:
	case f.msg.Method == methodListen && f.begun():
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "a subscription ended", slog.Any("error", err))
		b.out.send(b.always, fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":{"requestId":%s}}`, methodCancelled, f.msg.ID))
	default:
		b.answer(f.msg, jsonmsg.CodeInternal, err)
	}
}

// do sends the request and passes on what comes back; answered is called with
// the response.
func (b *bridge) do(f *flight, answered func()) error {
	return b.remote.Do(f.ctx, f.msg, remote.Hooks{
		Start: f.start,
		Sent:  f.sent,
		Deliver: func(m jsonmsg.Message) {
			b.pass(f, m)
			if m.Kind == jsonmsg.Response {
				answered()
			}
		},
	})
}

// pass hands the host what came back for a flight. After the answer, or a
// cancellation, there is no second answer; in the modern era there is nothing
// more at all, and no request of the server ever (RELAY T4).
func (b *bridge) pass(f *flight, m jsonmsg.Message) {
	wanted := true
	switch {
	case m.Kind == jsonmsg.Response:
		if wanted = f.settle(); wanted {
			b.flights.free(f)
		}
	case f.msg.Modern():
		wanted = f.open() && m.Kind == jsonmsg.Notification
	}
	if wanted {
		b.tell(f.ctx, m)
	}
}

// tell writes a message of the server to the host.
func (b *bridge) tell(ctx context.Context, m jsonmsg.Message) {
	if m.Kind == jsonmsg.Request {
		b.asked.note(m) // before the host can answer
	}
	b.out.send(ctx, m.Raw)
}

// waitForSignIn holds a request that the server refused for want of a token
// until somebody has signed in, the host gives up, or the bridge closes.
func (b *bridge) waitForSignIn(f *flight) error {
	f.refused()
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	defer context.AfterFunc(b.signCtx, cancel)()
	since := time.Now()
	err := b.signIn(ctx)
	switch {
	case err != nil && b.signCtx.Err() != nil:
		return errClosing
	case err != nil:
		return &remote.Error{Kind: remote.KindSignIn, Err: err}
	case f.msg.Method == methodCall && time.Since(since) > maxPause:
		return &remote.Error{Kind: remote.KindNotSent}
	}
	return nil
}
