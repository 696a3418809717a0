package bridge_test

import (
	"context"
	"sync"
	"testing"

	"github.com/payu-mcp/payu-mcp/bridge"
)

// fakeLogin is a sign-in that a test scripts. It records how it was asked for.
type fakeLogin struct {
	standing bridge.Standing
	open     func(ctx context.Context, how bridge.How) (bridge.Invitation, error)
	await    func(ctx context.Context) error

	mu   sync.Mutex
	hows []bridge.How
}

// Standing implements bridge.Login.
func (l *fakeLogin) Standing() bridge.Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.standing
}

func (l *fakeLogin) stand(s bridge.Standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.standing = s
}

// Open implements bridge.Login.
func (l *fakeLogin) Open(ctx context.Context, how bridge.How) (bridge.Invitation, error) {
	l.mu.Lock()
	l.hows = append(l.hows, how)
	open := l.open
	l.mu.Unlock()
	return open(ctx, how)
}

// opening changes what the next Open does.
func (l *fakeLogin) opening(open func(ctx context.Context, how bridge.How) (bridge.Invitation, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = open
}

// Await implements bridge.Login.
func (l *fakeLogin) Await(ctx context.Context) error {
	if l.await != nil {
		return l.await(ctx)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (l *fakeLogin) asked() []bridge.How {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]bridge.How(nil), l.hows...)
}

// noSignIn fails the test if anybody wants to sign in.
func noSignIn(t *testing.T) *fakeLogin {
	return &fakeLogin{open: func(context.Context, bridge.How) (bridge.Invitation, error) {
		t.Error("a sign-in was begun")
		return bridge.Invitation{}, errAny
	}}
}

// visit is a sign-in that the test ends.
type visit struct {
	done chan struct{}
	err  error // set before done is closed
}

func newVisit() *visit { return &visit{done: make(chan struct{})} }

func (v *visit) end(err error) {
	v.err = err
	close(v.done)
}

func (v *visit) invitation(url string) bridge.Invitation {
	return bridge.Invitation{URL: url, Done: v.done, Err: func() error { return v.err }}
}

// opens returns a login whose only sign-in is v.
func opens(v *visit, url string) *fakeLogin {
	return &fakeLogin{standing: bridge.StandingSignedOut, open: func(context.Context, bridge.How) (bridge.Invitation, error) {
		return v.invitation(url), nil
	}}
}
