package bridge

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// The methods that the bridge itself heeds.
const (
	methodInitialize  = "initialize"
	methodInitialized = "notifications/initialized"
	methodCancelled   = "notifications/cancelled"
	methodDiscover    = "server/discover"
	methodListen      = "subscriptions/listen"
	methodCall        = "tools/call"
)

// route takes one message of the host. It does not wait for the server.
func (b *bridge) route(m jsonmsg.Message) {
	switch {
	case m.Kind == jsonmsg.Request:
		b.request(m)
	case m.Method == methodCancelled:
		b.cancel(m) // passes the gate: what it cancels may be held there
	case b.modern.Load():
		// The modern era knows neither notifications nor answers of a host over HTTP
		// (RELAY H11).
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "kept a message of the host back", slog.String("method", m.Method))
	case m.Kind == jsonmsg.Response && !b.asked.answered(m):
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "dropped an answer of the host to a request that nobody made")
	default:
		if err := b.forward(parcel{msg: m}); err != nil {
			b.log.LogAttrs(b.ctx, slog.LevelWarn, "dropped a message of the host",
				slog.String("method", m.Method), slog.Any("error", err))
		}
	}
}

// request opens a flight for a request, or answers why not.
func (b *bridge) request(m jsonmsg.Message) {
	// The host's era shows in how it opens (RELAY T6).
	if modern := m.Modern(); modern || m.Method == methodInitialize {
		b.modern.Store(modern)
	}
	f, err := b.flights.begin(b.ctx, m)
	if err == nil {
		f.paid = sync.OnceFunc(b.work.end)
		if err = b.forward(parcel{msg: m, flight: f}); err == nil {
			return
		}
		b.flights.end(f)
	}
	code := jsonmsg.CodeInternal
	if errors.Is(err, errSecondUse) {
		code = jsonmsg.CodeInvalid
	}
	b.reject(m, code, err)
}

// forward passes one message through the gate.
func (b *bridge) forward(p parcel) error {
	if !b.work.begin() {
		return errClosing
	}
	if !b.gate.enter(p, b.launch) {
		b.work.end()
		return errBusy
	}
	return nil
}

// launch sends one message on its way and does not wait. Requests and answers
// each go alone, so that none waits for another; notifications keep their order
// among themselves.
func (b *bridge) launch(p parcel) {
	switch {
	case p.flight != nil && p.msg.Method == methodListen:
		p.flight.paid() // it may stay open for ever: closing does not wait for it
		b.tasks.Go(func() { b.serve(p) })
	case p.flight != nil && p.msg.Method == methodDiscover && p.msg.Modern():
		b.tasks.Go(func() { b.discover(p) })
	case p.flight != nil:
		b.tasks.Go(func() { b.serve(p) })
	case p.barrier():
		b.tasks.Go(func() { b.initialized(p.msg) })
	case p.msg.Kind == jsonmsg.Response:
		b.reply(p.msg)
	default:
		b.notify(p.msg)
	}
}
