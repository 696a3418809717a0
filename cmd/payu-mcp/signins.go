package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// signIns is the bridge's Login: it opens sign-ins on behalf of calls, and shows
// what auth knows in the bridge's words.
type signIns struct {
	*parts

	o *options

	mu   sync.Mutex
	last string // the address that was shown last
}

// peek returns the clear part of what is stored, nil if nothing is.
func (s *signIns) peek() (*auth.Summary, error) { return peekSummary(s.o, s.endpoint) }

// peekSummary is peek for whoever has no parts yet.
func peekSummary(o *options, endpoint string) (*auth.Summary, error) {
	h, _, err := keychain.Peek(o.stateDir, o.profile, endpoint)
	if h == nil || err != nil {
		return nil, err
	}
	sum := &auth.Summary{}
	return sum, json.Unmarshal(h.Public, sum)
}

// Standing implements bridge.Login. What cannot be read is the server's to judge.
func (s *signIns) Standing() bridge.Standing {
	sum, err := s.peek()
	if err != nil {
		return bridge.StandingUnknown
	}
	switch auth.StandingOf(s.endpoint, sum) {
	case auth.StandingSignedIn:
		return bridge.StandingSignedIn
	case auth.StandingSignedOut:
		return bridge.StandingSignedOut
	case auth.StandingEnded:
		return bridge.StandingEnded
	case auth.StandingUnknown:
	}
	return bridge.StandingUnknown
}

// peekPause is between two looks for something worth the keychain.
const peekPause = 2 * time.Second

// Await implements bridge.Login. To read a record the keychain may ask a person
// to unlock it, again and again if they decline; so it is left alone for as long
// as the clear part shows neither a login nor a sign-in that is open.
func (s *signIns) Await(ctx context.Context) error {
	tick := time.NewTicker(peekPause)
	defer tick.Stop()
	for {
		sum, err := s.peek()
		if err == nil && sum != nil && (sum.SignedIn || time.Now().Before(sum.OpenUntil)) {
			return s.auth.Await(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Open implements bridge.Login.
func (s *signIns) Open(ctx context.Context, how bridge.How) (bridge.Invitation, error) {
	if err := s.mayAskToSignIn(ctx, s.o); err != nil {
		return bridge.Invitation{}, err
	}
	// Hosts show no plain http address, and only an endpoint that is one itself, on
	// this computer, leads to one (HOSTS H11, OAUTH A31).
	how.HandOut = how.HandOut && strings.HasPrefix(s.endpoint, "https://")
	v := &visit{by: how.By, log: s.log, shown: make(chan struct{}), unopened: make(chan struct{}), done: make(chan struct{})}
	prompt := auth.Prompt{By: how.By, Show: v.show}
	switch {
	case how.HandOut:
	case s.opener.Present(ctx):
		prompt.Open = s.opener.Open
	default: // a page of this computer would not do for somebody at another one
		v.cannotOpen()
	}
	go func() { // ends with ctx, the bridge's own
		v.end(s.signIn(ctx, prompt))
	}()
	select {
	case <-v.shown:
		s.openAgain(ctx, how, v)
		return v.invitation(), nil
	case <-v.done:
		return v.outcome()
	case <-ctx.Done():
		return bridge.Invitation{}, ctx.Err()
	}
}

// signIn signs in. That nobody is signed in may be known from the disk alone: then
// no request has met the 401 that a sign-in starts from. A server that has come to
// want none is reached without one.
func (s *signIns) signIn(ctx context.Context, prompt auth.Prompt) error {
	_, err := s.auth.SignIn(ctx, prompt)
	if !errors.Is(err, auth.ErrNoChallenge) {
		return err
	}
	asks, err := s.asksForSignIn(ctx)
	if err != nil || !asks {
		return err
	}
	_, err = s.auth.SignIn(ctx, prompt)
	return err
}

// openAgain serves a person who asks by name for a sign-in whose page was opened
// before, and may have been closed since.
func (s *signIns) openAgain(ctx context.Context, how bridge.How, v *visit) {
	address := v.address()
	if !s.shownBefore(address) || !how.Again || how.HandOut || !auth.IsLoopback(address) || !s.opener.Present(ctx) {
		return
	}
	if err := s.opener.Open(ctx, address); err != nil {
		v.show(address, err)
	}
}

// shownBefore notes an address and tells whether it was the last one already.
func (s *signIns) shownBefore(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.last == address
	s.last = address
	return before
}

// visit is one sign-in as one call sees it.
type visit struct {
	by       string
	log      *slog.Logger
	shown    chan struct{} // closed with the first address
	unopened chan struct{} // closed when no browser could be opened
	done     chan struct{} // closed at the end

	mu       sync.Mutex
	url      string
	isShown  bool
	isFailed bool
	err      error // read after done
}

// show is the Prompt's.
func (v *visit) show(url string, openErr error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.url = url
	if !v.isShown {
		v.isShown = true
		close(v.shown)
		v.log.Info("a sign-in is open")
	}
	if openErr != nil {
		v.log.Warn("the browser could not be opened", "err", openErr)
		v.fail()
	}
}

func (v *visit) cannotOpen() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fail()
}

// fail needs mu.
func (v *visit) fail() {
	if !v.isFailed {
		v.isFailed = true
		close(v.unopened)
	}
}

func (v *visit) end(err error) {
	v.err = err
	close(v.done)
}

func (v *visit) address() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.url
}

func (v *visit) invitation() bridge.Invitation {
	return bridge.Invitation{URL: v.address(), By: v.by, Unopened: v.unopened, Done: v.done, Err: func() error { return v.err }}
}

// outcome is a sign-in that ended before it had an address: somebody has signed
// in already, another process has it open, or it cannot be had.
func (v *visit) outcome() (bridge.Invitation, error) {
	if other, ok := errors.AsType[*auth.ElsewhereError](v.err); ok {
		return bridge.Invitation{Elsewhere: true, URL: whereElse(other), By: other.By}, nil
	}
	if v.err != nil {
		return bridge.Invitation{}, v.err
	}
	return v.invitation(), nil
}
