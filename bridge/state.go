package bridge

import (
	"errors"
	"sync"

	"github.com/payu-mcp/payu-mcp/remote"
)

// state is what the bridge knows of its way to the server. With the method it
// decides what becomes of a request: see the table in route.go.
type state int

// The states.
const (
	connected   state = iota // the server answers, or nothing is known that speaks against it
	unreachable              // there is no way to it now: network, server, or a stored login that cannot be opened
	signedOut                // the server wants a login, and nobody is signed in
	signingIn                // somebody is about to sign in, here or in another bridge
	endedByPayU              // there was a login, and the server ended it
	states                   // how many there are
)

// String is the state's name in logs and documents.
func (s state) String() string {
	return [states]string{"connected", "unreachable", "signed out", "signing in", "signed out by the server"}[s]
}

// needsLogin reports whether a request would be refused for want of a login.
func (s state) needsLogin() bool { return s == signedOut || s == signingIn || s == endedByPayU }

// status holds the state.
type status struct {
	mu    sync.Mutex
	now   state
	moved chan struct{} // closed at the next change; nil: nobody waits
}

func (s *status) get() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// set changes the state and returns the one before.
func (s *status) set(to state) (was state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, s.now = s.now, to
	if was != to && s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
	return was
}

// next returns the state, and a channel that closes when it changes.
func (s *status) next() (state, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	return s.now, s.moved
}

// noWay are the failures after which the server counts as out of reach.
var noWay = map[remote.Kind]bool{
	remote.KindUnreachable: true, remote.KindToken: true, remote.KindTimeout: true, remote.KindRedirect: true,
	remote.KindBadAnswer: true, remote.KindServerError: true, remote.KindNetworkSignIn: true,
}

// learn draws from how a message to the server ended what it says about the
// state. A 403 that asks for more scope says nothing about other requests.
func (b *bridge) learn(err error) {
	e, _ := errors.AsType[*remote.Error](err)
	switch {
	case err == nil:
		b.connected()
	case e == nil:
	case errors.Is(err, remote.ErrSignIn) && isStepUp(err):
	case errors.Is(err, remote.ErrSignIn):
		b.loginLost()
	case noWay[e.Kind] && !b.state.get().needsLogin():
		b.state.set(unreachable)
	}
}

// Of RFC 9110: the least one that turns a request away, and the one of a token that
// is good, and may too little.
const (
	statusRefused   = 300
	statusForbidden = 403
)

// loginLost notes that the server refused a request for want of a login.
func (b *bridge) loginLost() {
	if b.state.get() != signingIn {
		b.state.set(b.shutOut())
	}
}

// shutOut is the state in which the server wants a login and there is none that
// it takes.
func (b *bridge) shutOut() state {
	if b.login != nil {
		if s := b.login.Standing(); s == StandingSignedIn || s == StandingEnded {
			return endedByPayU
		}
	}
	return signedOut
}

// connected notes that the server answers. What the host was told meanwhile may
// be out of date.
func (b *bridge) connected() {
	b.settling.Lock() // whoever comes second finds it settling
	defer b.settling.Unlock()
	b.proven = true
	was := b.state.set(connected)
	if was == connected {
		return
	}
	if was.needsLogin() {
		b.brakes.outdate()
		b.book.revisit()
	}
	done := b.book.settle()
	b.tasks.Go(func() {
		defer done()
		b.refresh()
	})
}

// silent notes that the server has not answered in its time, unless it has by
// now, or has asked for a login.
func (b *bridge) silent() {
	b.settling.Lock()
	defer b.settling.Unlock()
	if !b.proven && !b.state.get().needsLogin() {
		b.state.set(unreachable)
	}
}
