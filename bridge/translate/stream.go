package translate

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	methodListen       = "subscriptions/listen"
	methodAcknowledged = "notifications/subscriptions/acknowledged"
)

// stream is one subscriptions/listen (MCP 2026-07-28, subscriptions).
type stream struct {
	cancel context.CancelFunc
	since  time.Time
	acked  chan struct{} // closed when the server has taken the filter
	ended  chan struct{}

	granted bool // it took some of it; read after acked
	none    bool // the server has no such method, or not for us; read after ended
	signIn  bool // it wants a token; read after ended
}

// over closes when the stream has ended; never, if there is none.
func (s *stream) over() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.ended
}

// stop ends the stream and waits for that.
func (s *stream) stop() {
	if s != nil {
		s.cancel()
		<-s.ended
	}
}

// open starts a stream.
func (l *listener) open(ctx context.Context, p *pair, f filter) *stream {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{cancel: cancel, since: time.Now(), acked: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		defer cancel()
		l.run(ctx, p, s, f)
	}()
	return s
}

// run is the life of one stream.
func (l *listener) run(ctx context.Context, p *pair, s *stream, f filter) {
	m, err := l.own(p, methodListen, jsonmsg.Member{Key: "notifications", Value: jsonmsg.Object(f.members...)})
	if err != nil {
		s.none = true
		return
	}
	err = l.up.Do(ctx, m, remote.Hooks{Deliver: func(r jsonmsg.Message) {
		switch {
		case r.Kind == jsonmsg.Response:
			s.none = r.ErrorCode() == codeMethod
		case r.Method == methodAcknowledged:
			if !isClosed(s.acked) {
				s.granted = grants(r)
				close(s.acked)
			}
		case r.Kind == jsonmsg.Notification:
			l.deliver(r)
		}
	}})
	if fault, is := errors.AsType[*remote.Error](err); is {
		s.none = fault.Kind == remote.KindRefused
		s.signIn = fault.Kind == remote.KindSignIn
	}
	l.log.LogAttrs(ctx, slog.LevelDebug, "the stream of subscriptions ended", slog.Any("error", err))
}

// grants reports whether an acknowledgement takes any of the filter: the server
// may leave out what it does not support.
func grants(acknowledged jsonmsg.Message) bool {
	for _, m := range jsonmsg.Members(jsonmsg.Lookup(acknowledged.Raw, "params", "notifications")) {
		switch string(m.Value) {
		case "false", "null", "[]":
		default:
			return true
		}
	}
	return false
}
