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
// A nil idle never ends anything.
type idle struct {
	limit  time.Duration
	expire func()
	timer  *time.Timer // nil until the first wait
}

// watch returns a context that an idle server ends; end must be called.
func watch(ctx context.Context, limit time.Duration) (context.Context, *idle, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &idle{limit: limit, expire: func() { cancel(errSilent) }}
	return ctx, w, func() { w.pause(); cancel(nil) }
}

func (w *idle) run() {
	switch {
	case w == nil:
	case w.timer == nil:
		w.timer = time.AfterFunc(w.limit, w.expire)
	default:
		w.timer.Reset(w.limit)
	}
}

func (w *idle) pause() {
	if w != nil && w.timer != nil {
		w.timer.Stop()
	}
}

// watched is a response body whose reads are timed.
type watched struct {
	io.ReadCloser

	idle *idle
}

// Read implements io.Reader.
func (b watched) Read(p []byte) (int, error) {
	b.idle.run()
	defer b.idle.pause()
	return b.ReadCloser.Read(p)
}
