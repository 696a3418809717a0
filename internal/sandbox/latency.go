package sandbox

import (
	"context"
	"slices"
	"sync"
	"time"
)

// latency holds requests back before they are served (PAYU S6).
type latency struct {
	mu    sync.Mutex
	rules []*rule
}

type rule struct {
	match   func(Entry) bool
	release chan struct{} // nil: a delay
	delay   time.Duration
}

// Hold makes requests that match wait, logged but not served, until release is
// called, the client gives up or the sandbox closes. release may be called more
// than once.
func (s *Sandbox) Hold(match func(Entry) bool) (release func()) {
	r := &rule{match: match, release: make(chan struct{})}
	s.latency.add(r)
	return sync.OnceFunc(func() {
		s.latency.remove(r)
		close(r.release)
	})
}

// Delay makes requests that match wait for d, until undo is called.
func (s *Sandbox) Delay(match func(Entry) bool, d time.Duration) (undo func()) {
	r := &rule{match: match, delay: d}
	s.latency.add(r)
	return func() { s.latency.remove(r) }
}

// Path matches requests to a path, for Hold and Delay.
func Path(role Role, path string) func(Entry) bool {
	return func(e Entry) bool { return e.Role == role && e.Path == path }
}

func (l *latency) add(r *rule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules = append(l.rules, r)
}

func (l *latency) remove(r *rule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules = slices.DeleteFunc(slices.Clone(l.rules), func(o *rule) bool { return o == r })
}

// wait tells whether the request is still wanted afterwards.
func (l *latency) wait(ctx context.Context, e Entry) bool {
	l.mu.Lock()
	rules := l.rules
	l.mu.Unlock()
	for _, r := range rules {
		if r.match(e) && !r.wait(ctx) {
			return false
		}
	}
	return true
}

func (r *rule) wait(ctx context.Context) bool {
	if r.release == nil {
		t := time.NewTimer(r.delay)
		defer t.Stop()
		select {
		case <-t.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
	select {
	case <-r.release:
		return true
	case <-ctx.Done():
		return false
	}
}
