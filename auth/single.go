package auth

import (
	"context"
	"sync"
)

// single lets one call of a kind run at a time and shares its result with all
// who ask meanwhile. The call has a life of its own: a caller that gives up
// does not end it while others wait, or at all if it is detached.
type single struct {
	mu  sync.Mutex
	run *singleRun
}

type singleRun struct {
	done    chan struct{}
	err     error
	waiters int
	// abandoned: it is being cancelled, so nobody may join it any more.
	abandoned bool
	cancel    context.CancelFunc
}

// do joins the running call or starts fn. With detached, fn runs to its end
// even when nobody waits for it any more; else its context ends with the last
// waiter.
func (s *single) do(ctx context.Context, detached bool, fn func(context.Context) error) error {
	s.mu.Lock()
	for s.run != nil && s.run.abandoned {
		dying := s.run.done
		s.mu.Unlock()
		select {
		case <-dying:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
	}
	r := s.run
	if r == nil {
		r = s.start(ctx, fn)
	}
	r.waiters++
	s.mu.Unlock()
	return s.await(ctx, r, detached)
}

// alone starts fn and waits for it, unless something runs already: then it
// returns nil at once.
func (s *single) alone(ctx context.Context, fn func(context.Context) error) error {
	s.mu.Lock()
	if s.run != nil {
		s.mu.Unlock()
		return nil
	}
	r := s.start(ctx, fn)
	r.waiters++
	s.mu.Unlock()
	return s.await(ctx, r, false)
}

func (s *single) await(ctx context.Context, r *singleRun, detached bool) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		s.leave(r, detached)
		return ctx.Err()
	}
}

// start is called with the mutex held.
func (s *single) start(ctx context.Context, fn func(context.Context) error) *singleRun {
	// The first caller's values stay, its end does not: others may wait too.
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &singleRun{done: make(chan struct{}), cancel: cancel}
	s.run = r
	go func() {
		defer cancel()
		err := fn(runCtx)
		s.mu.Lock()
		r.err, s.run = err, nil
		s.mu.Unlock()
		close(r.done)
	}()
	return r
}

func (s *single) leave(r *singleRun, detached bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.waiters--; r.waiters == 0 && !detached {
		r.abandoned = true
		r.cancel()
	}
}

// wait returns when nothing runs any more, or with ctx.
func (s *single) wait(ctx context.Context) {
	s.mu.Lock()
	r := s.run
	s.mu.Unlock()
	if r == nil {
		return
	}
	select {
	case <-r.done:
	case <-ctx.Done():
	}
}
