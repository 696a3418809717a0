package translate

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/remote"
)

// The methods of the legacy era that are not simply passed on.
const (
	methodInitialize  = "initialize"
	methodPing        = "ping"
	methodSetLevel    = "logging/setLevel"
	methodSubscribe   = "resources/subscribe"
	methodUnsubscribe = "resources/unsubscribe"
	methodCancelled   = "notifications/cancelled"
	methodCall        = "tools/call"
)

// Upstream is the server as this package sees it, and what it offers itself. It
// is declared here because the bridge's own is above; *remote.Client implements
// it.
type Upstream interface {
	Do(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error
	Listen(ctx context.Context, deliver func(jsonmsg.Message))
	Close(ctx context.Context) error
}

// Translator is an Upstream in front of another. It is safe for concurrent use;
// no lock is held over the network (RELAY O7).
type Translator struct {
	up  Upstream
	era func() remote.Era
	log *slog.Logger

	pair    atomic.Pointer[pair] // nil: everything passes
	level   atomic.Pointer[string]
	numbers numbers
	flights flights
	asks    asks
	topics  topics
}

// New wraps an upstream. era tells what is known of the server; log may be nil.
func New(up Upstream, era func() remote.Era, log *slog.Logger) *Translator {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Translator{up: up, era: era, log: log}
}

// Do sends one message of the host; see the package for what becomes of it. The
// errors are the upstream's, and for a call those in place of an answer that the
// host cannot be given.
func (t *Translator) Do(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
	if m.Modern() {
		return t.up.Do(ctx, m, h)
	}
	if m.Kind == jsonmsg.Request && m.Method == methodInitialize {
		return t.initialize(ctx, m, h)
	}
	p := t.pair.Load()
	switch {
	case p == nil:
		return t.up.Do(ctx, m, h)
	case m.Kind == jsonmsg.Request:
		return t.request(ctx, p, m, h)
	case m.Kind == jsonmsg.Response:
		t.answered(ctx, m)
	case m.Method == methodCancelled:
		t.flights.cancel(m.CancelID)
	default:
		// The modern era knows no notifications of the client (RELAY H11).
		t.log.LogAttrs(ctx, slog.LevelDebug, "kept a notification from the modern server", slog.String("method", printable.Word(m.Method)))
	}
	return nil
}

// Listen delivers what the server says unasked. While nothing is translated,
// that is the upstream's. deliver may be called from several goroutines.
func (t *Translator) Listen(ctx context.Context, deliver func(jsonmsg.Message)) {
	if t.pair.Load() != nil {
		t.listen(ctx, deliver)
		return
	}
	t.up.Listen(ctx, deliver)
}

// Close ends the upstream. A modern server has no session to end.
func (t *Translator) Close(ctx context.Context) error { return t.up.Close(ctx) }

// request takes one request of the host.
func (t *Translator) request(ctx context.Context, p *pair, m jsonmsg.Message, h remote.Hooks) error {
	switch m.Method {
	case methodPing:
		return t.reply(h, m, jsonmsg.Object())
	case methodSetLevel:
		return t.setLevel(h, m)
	case methodSubscribe, methodUnsubscribe:
		return t.subscribe(ctx, p, m, h)
	}
	ctx, end := t.flights.begin(ctx, m.ID)
	defer end()
	return t.send(ctx, p, m, h)
}
