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
// era. A legacy server is never asked again (RELAY M4), and a probe of one that
// is not known gets our own opening only if the server is: who falls back is
// lost for the modern era, who does not for the legacy one.
func (b *bridge) discover(f *flight, a action) {
	era := b.era()
	if era == remote.EraLegacy || era == remote.EraUnknown && a == own {
		b.fallBack(f)
		return
	}
	b.book.open(f.msg.Meta)
	saved := b.book.opening()
	limit, instead := discoverLimit, b.fallBack
	switch {
	case era.TakesModern() && saved != nil:
		b.give(f, withChanges(saved))
	case era.TakesModern():
		limit, instead = firstLimit, func(f *flight) {
			b.silent()
			b.giveOurOpening(f)
		}
	}
	if a == own {
		b.giveOurOpening(f)
		return
	}
	b.probe(f, limit, instead)
}

// probe asks the server with the host's server/discover. Whatever keeps it from
// answering in the modern way, within the limit, is answered by instead.
func (b *bridge) probe(f *flight, limit time.Duration, instead func(*flight)) {
	t := time.AfterFunc(limit, func() { instead(f) })
	defer t.Stop()
	// It may outlast the flight, to know better the next time.
	ctx, cancel := context.WithTimeout(b.ctx, learnLimit)
	defer cancel()
	known := b.era().TakesModern()
	err := b.remote.Do(ctx, f.msg, remote.Hooks{Start: f.start, Sent: f.sent, Head: f.head, Deliver: func(m jsonmsg.Message) {
		if m.Kind != jsonmsg.Response || !known && !isModern(m) {
			return
		}
		if !m.IsError {
			b.book.learnOpening(f.msg.Meta, m)
		}
		b.pass(f, m)
		f.paid()
	}})
	b.learn(err)
	if err != nil {
		b.log.LogAttrs(ctx, slog.LevelDebug, "the probe of the server failed", slog.Any("error", err))
	}
	instead(f)
}

// fallBack ends a probe, with "method not found" unless it has its answer.
func (b *bridge) fallBack(f *flight) {
	first := f.settle()
	b.flights.end(f)
	if first {
		line := jsonmsg.ErrorReply(f.msg.ID, jsonmsg.CodeMethod, errFallBack.Error(), errorData{Source: source, Kind: kindLegacy, Side: remote.SidePayU})
		f.ends(kindLegacy, 0, len(line))
		b.out.send(b.always, line)
	}
	f.paid()
}

// isModern reports whether an answer to a probe shows a modern server: a result,
// or an error that only such a server gives (MCP 2026-07-28, stdio, backward
// compatibility).
func isModern(m jsonmsg.Message) bool {
	return !m.IsError || remote.IsModernCode(m.ErrorCode())
}
