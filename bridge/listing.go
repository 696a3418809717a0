package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// list answers a list method: with the server's list if it comes within a
// second, else with the one that is known, if any is. An answer that comes later
// is learnt from, and the host told if it is another.
func (b *bridge) list(f *flight) {
	ctx, cancel := b.unless(f)
	defer cancel()
	t := time.AfterFunc(firstLimit, func() {
		if !b.giveKnown(f) {
			b.silent() // it may be that it has not answered anything yet
			b.giveKnown(f)
		}
	})
	defer t.Stop()
	err := b.ready(ctx)
	if err == nil {
		err = b.doList(ctx, f)
		b.learn(err)
	}
	if !b.giveKnown(f) && !b.giveForbidden(f, err) {
		b.fail(f, err)
	}
}

// giveForbidden answers a host whose account may not even list the tools with our
// own, which say why when they are used: most hosts show nothing of an error here.
func (b *bridge) giveForbidden(f *flight, err error) bool {
	e, _ := errors.AsType[*remote.Error](err)
	if e == nil || e.Kind != remote.KindForbidden || f.msg.Method != methodTools {
		return false
	}
	b.giveOurs(f)
	return true
}

// unless returns a context that outlasts the flight's answer, but not the host's
// wish to have it no more.
func (b *bridge) unless(f *flight) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(b.ctx)
	stop := context.AfterFunc(f.ctx, func() {
		if f.isCancelled() {
			cancel()
		}
	})
	return ctx, func() {
		stop()
		cancel()
	}
}

// doList sends the list method and takes what comes back.
func (b *bridge) doList(ctx context.Context, f *flight) error {
	mark := b.brakes.mark()
	return b.remote.Do(ctx, f.msg, remote.Hooks{Start: f.start, Sent: f.sent, Head: f.head, Deliver: func(m jsonmsg.Message) {
		switch {
		case m.Kind != jsonmsg.Response:
			b.pass(f, m)
		case m.ErrorCode() == jsonmsg.CodeMethod && b.book.openedWithOurs():
			b.giveList(f, emptyList(f.msg), true) // we promised it, not the server
		case m.IsError:
			b.pass(f, m)
		default:
			b.takeList(f, m, mark)
		}
	}})
}

// takeList passes the server's list on, or, if the host has had another answer
// by now, tells it of the difference.
func (b *bridge) takeList(f *flight, m jsonmsg.Message, mark int) {
	method, result := f.msg.Method, jsonmsg.Lookup(m.Raw, "result")
	paged := jsonmsg.Lookup(result, "nextCursor") != nil
	if !paged {
		b.book.learnList(method, result) // before the host can use it
		b.brakes.learn(mark, method, result)
	}
	first := f.settle(func() { b.book.tell(method, result, true) })
	b.flights.free(f)
	if first {
		m = b.sift(f, m)
		f.endsWith(m)
		b.tell(f.ctx, m)
		b.book.delivered(method)
		f.paid()
	}
	switch {
	case paged:
		b.tasks.Go(func() { b.learnPages(method) })
	case !first && b.book.differs(method):
		b.announce(method)
	}
}

// learnPages asks for all pages of a list, for the catalogue.
func (b *bridge) learnPages(method string) {
	result, err := b.collect(b.ctx, method)
	if err != nil {
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "a list could not be collected", slog.String("method", method), slog.Any("error", err))
		return
	}
	b.book.learnList(method, result)
}

// giveKnown answers a list method without the server, if there is something to
// answer, and reports whether there was.
func (b *bridge) giveKnown(f *flight) bool {
	saved := b.book.list(f.msg.Method)
	switch {
	case saved != nil && f.msg.Modern(): // the server's time to live has begun to run long ago
		b.giveList(f, with(saved, jsonmsg.Member{Key: "ttlMs", Value: json.RawMessage("0")}), false)
	case saved != nil:
		b.giveList(f, saved, false)
	case b.state.get() == connected:
		return false // it answers, only not yet
	case f.msg.Method == methodTools:
		b.giveOurs(f)
	default:
		b.giveList(f, emptyList(f.msg), false)
	}
	return true
}

// giveList answers a list method with a result that is not the server's words of
// now.
func (b *bridge) giveList(f *flight, result json.RawMessage, fresh bool) {
	b.give(f, b.siftResult(f.msg.Method, result), func() { b.book.tell(f.msg.Method, result, fresh) })
	b.book.delivered(f.msg.Method)
}

// giveOurs answers it with our own tools, which the policy does not hide: what
// they are used for is judged.
func (b *bridge) giveOurs(f *flight) {
	b.book.tellOurs()
	result := ownTools(f.msg.Modern(), b.book.readOnlyTools)
	b.give(f, result, func() { b.book.tell(methodTools, result, false) })
	b.book.delivered(methodTools)
}

func emptyList(m jsonmsg.Message) json.RawMessage {
	result := jsonmsg.Object(jsonmsg.Member{Key: catalogue.ItemsOf(m.Method), Value: json.RawMessage("[]")})
	if m.Modern() {
		return complete(result)
	}
	return result
}
