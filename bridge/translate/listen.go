package translate

import (
	"context"
	"crypto/rand"
	"math/big"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

const (
	// ackLimit is how long the server may take to acknowledge before the stream
	// counts as open all the same.
	ackLimit = 5 * time.Second
	// steady is how long a stream must have lived to count as working: its end
	// then starts the back-off afresh.
	steady = 30 * time.Second

	firstBusy  = 250 * time.Millisecond // before a busy server is asked again (RELAY B9)
	firstPause = time.Second            // before a stream is opened again, as for GET (RELAY S3)
	lastPause  = 30 * time.Second
	spread     = 10 * time.Second
)

// listen holds subscriptions/listen open, for as long as the host lives, with
// what the host wants to hear of (RELAY L7). When that changes, the new stream
// is open before the old one ends, so that nothing is lost in between.
func (t *Translator) listen(ctx context.Context, deliver func(jsonmsg.Message)) {
	l := listener{Translator: t, deliver: deliver}
	defer func() {
		l.now.stop()
		t.topics.reached(0, true)
	}()
	for ctx.Err() == nil && !l.deaf {
		f := t.topics.filter(t.pair.Load())
		l.change(ctx, f)
		t.topics.reached(f.number, false)
		l.hold(ctx, f)
	}
}

// listener is the state of the streams between their openings. Only one
// goroutine uses it.
type listener struct {
	*Translator

	deliver func(jsonmsg.Message)
	now     *stream // nil: none
	tries   int     // openings since one worked
	deaf    bool    // the server has no such method
}

// change opens a stream for a filter and then ends the one before.
func (l *listener) change(ctx context.Context, f filter) {
	before := l.now
	l.now = nil
	if p := l.pair.Load(); p != nil && len(f.members) > 0 {
		l.now = l.open(ctx, p, f)
		limit := time.NewTimer(ackLimit)
		defer limit.Stop()
		select {
		case <-l.now.acked:
		case <-l.now.ended:
		case <-limit.C:
		}
	}
	before.stop()
}

// hold returns when the filter has changed, or it is time to open the stream
// again.
func (l *listener) hold(ctx context.Context, f filter) {
	var again <-chan time.Time
	for !l.deaf {
		changed, next := l.topics.since(f.number)
		if changed {
			return
		}
		select {
		case <-next:
		case <-l.now.over():
			again = l.again()
		case <-again:
			return
		case <-ctx.Done():
			return
		}
	}
}

// again judges a stream that has ended, and tells when to open another. nil:
// not before something changes.
func (l *listener) again() <-chan time.Time {
	s := l.now
	l.now = nil
	switch {
	case s.none:
		l.deaf = true
		return nil
	case s.signIn:
		l.topics.sleep()
		return nil
	case isClosed(s.acked) && !s.granted:
		return nil // it tells of nothing that we asked for
	case s.granted, time.Since(s.since) >= steady:
		l.tries = 0
	}
	l.tries++
	return time.After(pause(firstPause, spread, l.tries))
}

// pause is the back-off before a further try: doubled each time, with up to as
// much again at random and spread at least, so that many bridges do not come
// back at once.
func pause(first, spread time.Duration, tries int) time.Duration {
	base := lastPause
	if tries < 8 {
		base = min(first<<(tries-1), lastPause)
	}
	more, err := rand.Int(rand.Reader, big.NewInt(int64(max(base, spread))))
	if err != nil {
		return base
	}
	return base + time.Duration(more.Int64())
}

// sleep waits; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
