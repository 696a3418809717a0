package bridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// maxFlights is how many requests may be in flight (RELAY B7).
const maxFlights = 1024

var (
	errBusy      = &remote.Error{Kind: remote.KindBusy}
	errClosing   = &remote.Error{Kind: remote.KindCancelled, Err: errors.New("payu-mcp is closing")}
	errSecondUse = errors.New("a request with this id is in flight already")
)

// flights are the requests of the host that are being served, by id.
type flights struct {
	mu   sync.Mutex
	open map[string]*flight
}

// begin opens a flight. Its id must not be in use (RELAY L13).
func (s *flights) begin(ctx context.Context, m jsonmsg.Message) (*flight, error) {
	f := &flight{msg: m, key: jsonmsg.Key(m.ID), entry: entry{began: time.Now()}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[f.key] != nil {
		return nil, errSecondUse
	}
	if len(s.open) >= maxFlights {
		return nil, errBusy
	}
	f.ctx, f.stop = context.WithCancel(ctx)
	s.open[f.key] = f
	return f, nil
}

// find returns the flight with this id, nil if there is none.
func (s *flights) find(key string) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[key]
}

// listening returns the subscriptions that the host has heard something of.
func (s *flights) listening() []*flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []*flight
	for _, f := range s.open {
		if f.msg.Method == methodListen && f.begun() {
			open = append(open, f)
		}
	}
	return open
}

// end closes a flight.
func (s *flights) end(f *flight) {
	f.stop()
	s.free(f)
}

// free makes the id of a flight free again, before its answer goes out: the host
// may use it at once.
func (s *flights) free(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[f.key] == f {
		delete(s.open, f.key)
	}
}

// flight is one request of the host between read and answer.
type flight struct {
	msg  jsonmsg.Message
	key  string
	ctx  context.Context // ends when nobody needs the answer
	stop context.CancelFunc
	paid func() // tells, once or more often, that the host is owed nothing more

	// Of a call, and only for the goroutine that serves it:
	instead   *jsonmsg.Message // what is sent in its place; nil: msg itself
	since     time.Time        // when it began to wait for a sign-in; zero: it has not
	late      bool             // it was kept back, because it has waited for too long
	steps     int              // how often the host has heard that it waits
	word      string           // what the log calls an answer of ours; "": endedHere
	ended     bool             // PayU had ended the sign-in that was there, when it began to wait
	confirmed bool             // a person has said yes to it

	mu        sync.Mutex
	entry     entry         // for the log
	account   account       // for the journal
	heard     bool          // something of the answer went to the host
	settled   bool          // answered, or cancelled: nothing more goes to the host
	cancelled bool          // the host wants it no more: nothing more goes to the server
	written   chan struct{} // nil: nothing of it is at the server; closed: all of it is
}

// settle reports whether the caller is the one that may answer: each request
// gets exactly one answer (RELAY O5). If so it runs note first, which must not
// wait: who comes second then knows what the first one told.
func (f *flight) settle(note ...func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := !f.settled
	f.settled = true
	for _, n := range note {
		if first {
			n()
		}
	}
	return first
}

// open reports whether the host still listens, and notes that it has heard
// something.
func (f *flight) open() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard = true
	return !f.settled
}

// sending is what goes to the server.
func (f *flight) sending() jsonmsg.Message {
	if f.instead != nil {
		return *f.instead
	}
	return f.msg
}

// isCancelled reports whether the host has given the flight up.
func (f *flight) isCancelled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cancelled
}

// begun reports whether the host has heard something.
func (f *flight) begun() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heard
}

// start is asked before each write to the server.
func (f *flight) start(string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cancelled {
		return false
	}
	f.written = make(chan struct{})
	return true
}

// sent notes that the request has been written.
func (f *flight) sent() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.written != nil && !isClosed(f.written) {
		close(f.written)
	}
}

// refused notes that the server has not taken the request.
func (f *flight) refused() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = nil
}

// cancel gives the flight up. No answer follows (RELAY Z10), and it is not sent
// any more. The channel closes when all of it is at the server; nil means that
// nothing of it is.
func (f *flight) cancel() (written <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancelled, f.settled = true, true
	return f.written
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
