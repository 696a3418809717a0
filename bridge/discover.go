package bridge

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	// discoverLimit is how long a host's server/discover waits for a server whose
	// era is not known (RELAY M5): the host takes silence for a legacy server too,
	// but later than we do.
	discoverLimit = 700 * time.Millisecond
	// learnLimit is how long the answer may take to be of use the next time.
	learnLimit = 10 * time.Second
)

// errFallBack answers a probe in the way that makes the host initialize.
var errFallBack = errors.New("this server is spoken to with initialize")

// discover serves server/discover of a modern host, its probe for the server's
// era. A legacy server is never asked again (RELAY M4); of an unknown one only a
// modern answer is passed on, and nothing else keeps the host waiting, least of
// all a sign-in (M5, T5). At a modern server the probe is a request like any
// other: who falls back there falls out of the server's era for good.
func (b *bridge) discover(p parcel) {
	f := p.flight
	switch era := b.era(); {
	case era.TakesModern():
		b.serve(p)
		return
	case era == remote.EraLegacy:
		b.fallBack(f)
		return
	}
	t := time.AfterFunc(discoverLimit, func() { b.fallBack(f) })
	defer t.Stop()
	// It may outlast the flight, to know better the next time.
	ctx, cancel := context.WithTimeout(b.ctx, learnLimit)
	defer cancel()
	err := b.remote.Do(ctx, f.msg, remote.Hooks{Start: f.start, Sent: f.sent, Deliver: func(m jsonmsg.Message) {
		if m.Kind == jsonmsg.Response && isModern(m) {
			b.pass(f, m)
			f.paid()
		}
	}})
	if err != nil {
		b.log.LogAttrs(ctx, slog.LevelDebug, "the probe of the server's era failed", slog.Any("error", err))
	}
	b.fallBack(f)
}

// fallBack ends a probe, with "method not found" unless it has its answer.
func (b *bridge) fallBack(f *flight) {
	defer f.paid()
	first := f.settle()
	b.flights.end(f)
	if first {
		b.out.send(b.always, jsonmsg.ErrorReply(f.msg.ID, jsonmsg.CodeMethod, errFallBack.Error(), errorData{Source: source, Kind: kindLegacy}))
	}
}

// isModern reports whether an answer to a probe shows a modern server: a result,
// or an error that only such a server gives (MCP 2026-07-28, stdio, backward
// compatibility).
func isModern(m jsonmsg.Message) bool {
	return !m.IsError || remote.IsModernCode(m.ErrorCode())
}
