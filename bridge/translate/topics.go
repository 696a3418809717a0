package translate

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

const (
	// maxTopics is how many resources a host may subscribe to: all of them go
	// out with each subscriptions/listen.
	maxTopics = 1024
	// topicLimit is how long the answer to resources/subscribe waits for the
	// server to take over the change.
	topicLimit = 2 * time.Second
)

// topics are the resources that the host has subscribed to. Each change has a
// number, so that one can wait until it has reached the server.
type topics struct {
	mu      sync.Mutex
	uris    map[string]bool
	number  int           // of the last change
	heard   int           // of the last change that the server knows, or will not
	deaf    bool          // the server has no subscriptions
	changed chan struct{} // closed at the next change of any of these; nil: nobody waits

	asleep atomic.Bool // the stream waits for a sign-in
}

// tell ends all waits; the caller holds the lock.
func (s *topics) tell() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// next is closed at the next change; the caller holds the lock.
func (s *topics) next() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// want adds or removes one; false: there are too many.
func (s *topics) want(uri string, on bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.uris[uri] == on:
		return true
	case !on:
		delete(s.uris, uri)
	case len(s.uris) >= maxTopics:
		return false
	default:
		if s.uris == nil {
			s.uris = make(map[string]bool)
		}
		s.uris[uri] = true
	}
	s.number++
	s.tell()
	return true
}

// wait returns when the server knows what the host wants up to now, will not
// know it, or takes too long.
func (s *topics) wait(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, topicLimit)
	defer cancel()
	s.mu.Lock()
	number := s.number
	s.mu.Unlock()
	for {
		s.mu.Lock()
		done, next := s.deaf || s.heard >= number, s.next()
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-next:
		case <-ctx.Done():
			return
		}
	}
}

// reset forgets everything.
func (s *topics) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uris, s.deaf = nil, false
	s.number++
	s.tell()
}

// reached notes that the server knows the changes up to a number, or that it
// never will (deaf).
func (s *topics) reached(number int, deaf bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard, s.deaf = max(s.heard, number), deaf
	s.tell()
}

// filter is what the host wants to hear of, for subscriptions/listen.
type filter struct {
	members []jsonmsg.Member // empty: nothing
	number  int              // of the change of topics in it
}

// filter makes the filter of now, for what the server declared (RELAY L8).
func (s *topics) filter(p *pair) filter {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := filter{number: s.number}
	if p == nil {
		return f
	}
	for _, list := range []string{"tools", "prompts", "resources"} {
		if p.serves(list, "listChanged") {
			f.members = append(f.members, jsonmsg.Member{Key: list + "ListChanged", Value: json.RawMessage("true")})
		}
	}
	if len(s.uris) > 0 {
		uris, _ := json.Marshal(slices.Sorted(maps.Keys(s.uris))) // strings always encode
		f.members = append(f.members, jsonmsg.Member{Key: "resourceSubscriptions", Value: uris})
	}
	return f
}

// since reports whether there was a change after the one with this number; if
// not, next closes at the next.
func (s *topics) since(number int) (changed bool, next <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number != number, s.next()
}

// sleep says that only a sign-in can help the stream.
func (s *topics) sleep() { s.asleep.Store(true) }

// wake has the stream opened again if it sleeps: a request got through.
func (s *topics) wake() {
	if s.asleep.Load() && s.asleep.Swap(false) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.number++
		s.tell()
	}
}
