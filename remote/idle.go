package remote

import (
	"context"
	"errors"
	"io"
	"math"
	"time"
)

// forever is a limit that never comes.
const forever time.Duration = math.MaxInt64

var errSilent = errors.New("the server fell silent")

// idle ends a request when the server is silent for too long (RELAY B2). Only
// the time we wait for the server counts, not the time the host takes to read.
// A nil idle never ends anything. It is used by one goroutine.
type idle struct {
	limit  time.Duration
	expire func()
	timer  *time.Timer // nil until the first wait
	since  time.Time   // when the timer was set; zero: it stands still
}

// idleShare is how much of the limit may pass before a sign of life sets the
// timer again: each setting may wake the runtime's poller.
const idleShare = 16

// watch returns a context that an idle server ends; end must be called.
func watch(ctx context.Context, limit time.Duration) (context.Context, *idle, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &idle{limit: limit, expire: func() { cancel(errSilent) }}
	return ctx, w, func() { w.pause(); cancel(nil) }
}

// run notes a sign of life: from now on the server may be silent for the limit,
// or a little less.
func (w *idle) run() {
	if w == nil {
		return
	}
	now := time.Now()
	switch {
	case w.timer == nil:
		w.timer = time.AfterFunc(w.limit, w.expire)
	case !w.since.IsZero() && now.Sub(w.since) < w.limit/idleShare:
		return
	default:
		w.timer.Reset(w.limit)
	}
	w.since = now
}

// pause stands still while nobody waits for the server.
func (w *idle) pause() {
	if w != nil && !w.since.IsZero() {
		w.timer.Stop()
		w.since = time.Time{}
	}
}

// watched is a response body whose bytes are signs of life.
type watched struct {
	io.ReadCloser

	idle *idle
}

// Read implements io.Reader.
func (b watched) Read(p []byte) (int, error) {
	b.idle.run()
	return b.ReadCloser.Read(p)
}
