package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A sign-in can end while nothing is asked of the server: another process signs
// out, or signs in as somebody else. What is open then belongs to who has left.

var errGone = errors.New("the sign-in that it belonged to is gone")

// watch leaves a session soon after its sign-in is gone. It looks only while
// there is a session or a stream to end.
func (c *Client) watch(ctx context.Context, b *bond) {
	if c.inForce == nil {
		return
	}
	go func() {
		ctx, cancel := c.ownContext(ctx)
		defer cancel()
		tick := time.NewTicker(lookPause)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-b.look:
			case <-b.over:
				return
			case <-ctx.Done():
				return
			}
			grant, signedIn := c.session.owner(b)
			if signedIn && (b.id != "" || c.unasked.get() != nil) && c.gone(ctx, grant) {
				c.leave(ctx, b.gen)
				return
			}
		}
	}()
}

// gone reports whether another sign-in than grant is in force, or none; of one
// that is not known only the latter shows. What cannot be told now is not gone.
func (c *Client) gone(ctx context.Context, grant string) bool {
	now, err := c.inForce(ctx)
	return err == nil && (now == "" || grant != "" && now != grant)
}

// subscribe holds a subscription of the modern era open, which ends when the
// sign-in of its beginning is gone: as a 401 would end it.
func (c *Client) subscribe(ctx context.Context, x *exchange) *Error {
	if c.inForce == nil {
		return x.do(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go c.watchStream(ctx, cancel)
	e := x.do(ctx)
	if errors.Is(context.Cause(ctx), errGone) {
		return &Error{Kind: KindSignIn, RequestID: x.requestID, At: x.at, Err: fmt.Errorf("%w: %w", ErrSignIn, errGone)}
	}
	return e
}

func (c *Client) watchStream(ctx context.Context, end context.CancelCauseFunc) {
	grant := ""
	tick := time.NewTicker(lookPause)
	defer tick.Stop()
	for {
		if grant == "" {
			grant, _ = c.inForce(ctx) // what cannot be told now may be told later
		} else if c.gone(ctx, grant) {
			end(errGone)
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ownContext is for what no request of the host carries: it ends with Close.
func (c *Client) ownContext(ctx context.Context) (context.Context, context.CancelFunc) {
	// Others need it too, or nobody who could cancel it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		select {
		case <-c.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// departures are the sessions that the server is being told of as left.
type departures struct {
	mu     sync.Mutex
	n      int
	closed bool
	none   chan struct{} // closed when n is 0 again; nil: nobody waits
}

// begin counts one, unless it is too late for more.
func (d *departures) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.n++
	return true
}

func (d *departures) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n--; d.n == 0 && d.none != nil {
		close(d.none)
		d.none = nil
	}
}

// wait lets no more begin, and returns when all have ended or ctx has.
func (d *departures) wait(ctx context.Context) {
	d.mu.Lock()
	d.closed = true
	if d.n == 0 {
		d.mu.Unlock()
		return
	}
	none := make(chan struct{})
	d.none = none
	d.mu.Unlock()
	select {
	case <-none:
	case <-ctx.Done():
	}
}
