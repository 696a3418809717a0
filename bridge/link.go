package bridge

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/remote"
)

// link is the way of a legacy host's session to the server, behind an answer
// that the host may have had from us. Whoever needs the server makes it first;
// it is made once for all who wait (RELAY O7). A session that is lost later is
// the remote's to replay.
type link struct {
	mu     sync.Mutex
	gen    int             // counts the host's initialize
	first  jsonmsg.Message // initialize
	second jsonmsg.Message // notifications/initialized, when it has come
	level  jsonmsg.Message // logging/setLevel that was answered here

	opened bool // the server has answered first
	told   bool // the server has heard second
	run    *connecting
}

// connecting is one try to make the link.
type connecting struct {
	done   chan struct{}
	err    error           // read after done
	answer jsonmsg.Message // what the server said to initialize; read after done
}

// script is what a try has to say.
type script struct {
	gen                  int
	first, second, level jsonmsg.Message
	opened               bool
}

// begin takes the host's initialize; what an earlier one made is void.
func (l *link) begin(m jsonmsg.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gen++
	l.first, l.second, l.level = m, jsonmsg.Message{}, jsonmsg.Message{}
	l.opened, l.told, l.run = false, false, nil
}

// initialized takes the host's notifications/initialized.
func (l *link) initialized(m jsonmsg.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.second, l.told = m, false
}

// keepLevel keeps a log level for the session to come.
func (l *link) keepLevel(m jsonmsg.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level = m
}

// join returns the try that is under way, begun with do if need be; nil: there
// is nothing to make. do must not wait.
func (l *link) join(do func(script, *connecting)) *connecting {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.run != nil:
		return l.run
	case l.opened && (l.told || l.second.Raw == nil), l.first.Raw == nil && l.second.Raw == nil:
		return nil
	}
	l.run = &connecting{done: make(chan struct{})}
	do(script{l.gen, l.first, l.second, l.level, l.opened || l.first.Raw == nil}, l.run)
	return l.run
}

// end notes how a try ended.
func (l *link) end(s script, r *connecting, opened, told bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gen == s.gen {
		l.run = nil
		l.opened = l.opened || opened
		l.told = l.told || told
		if told {
			l.level = jsonmsg.Message{}
		}
	}
	close(r.done)
}

// ready returns when there is a session to send a request of the host in. The
// modern era has none, and a host that opens none gets none.
func (b *bridge) ready(ctx context.Context) error {
	for {
		r := b.link.join(b.connect)
		if r == nil {
			return nil
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return &remote.Error{Kind: remote.KindCancelled}
		}
		if r.err != nil {
			return r.err
		}
	}
}

// connect makes the link. It does not wait.
func (b *bridge) connect(s script, r *connecting) {
	b.tasks.Go(func() {
		opened, told := s.opened, false
		if !opened {
			r.answer, r.err = b.initialize(s.first)
			opened = r.err == nil
			b.learn(r.err)
		}
		if opened && s.second.Raw != nil {
			r.err = b.introduce(s)
			told = r.err == nil
		}
		b.link.end(s, r, opened, told)
	})
}

// initialize sends the host's initialize. A refusal is an answer too: what the
// host asks afterwards is the server's to answer.
func (b *bridge) initialize(m jsonmsg.Message) (answer jsonmsg.Message, err error) {
	err = b.remote.Do(b.ctx, m, remote.Hooks{Deliver: func(r jsonmsg.Message) {
		if r.Kind == jsonmsg.Response {
			answer = r
			return
		}
		b.tell(b.ctx, r)
	}})
	if err == nil && answer.Raw == nil {
		err = &remote.Error{Kind: remote.KindBadAnswer, Err: errNoAnswer}
	}
	if err == nil && !answer.IsError {
		b.book.learnOpening(m.Version, answer)
	}
	return answer, err
}

// introduce says what follows initialize, after which the server may speak
// unasked. An error means that the server has not got it, and is to be told by
// the next one who makes the link; what it refuses is not said again.
func (b *bridge) introduce(s script) error {
	switch err := b.post(s.second); {
	case err == nil:
		b.listen.Do(func() { b.tasks.Go(b.hear) })
	case notDelivered(err):
		b.learn(err)
		return err
	}
	if s.level.Raw == nil {
		return nil
	}
	level := s.level.WithID(jsonmsg.Quote("payu-mcp/level"))
	if err := b.remote.Do(b.ctx, level, remote.Hooks{}); err != nil {
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "the server was not told the log level", slog.Any("error", err))
	}
	return nil
}

// notDelivered reports whether a message certainly has not reached the server, or
// was turned away for want of a login.
func notDelivered(err error) bool {
	e, ok := errors.AsType[*remote.Error](err)
	return ok && (e.Kind == remote.KindUnreachable || e.Kind == remote.KindToken || errors.Is(err, remote.ErrSignIn) && !isStepUp(err))
}

// tellInitialized passes notifications/initialized on, unless there is no way to
// the server now; the next one who makes the link does it then.
func (b *bridge) tellInitialized(m jsonmsg.Message) {
	if b.state.get() != connected {
		return
	}
	if err := b.ready(b.ctx); err != nil {
		b.log.LogAttrs(b.ctx, slog.LevelDebug, "there is no session yet", slog.String("method", printable.Word(m.Method)), slog.Any("error", err))
	}
}
