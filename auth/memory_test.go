package auth_test

import (
	"context"
	"sync"

	"github.com/payu-mcp/payu-mcp/auth"
)

// memory is a Store in memory that records what it was asked for.
type memory struct {
	turn  chan struct{}
	claim chan struct{}

	mu      sync.Mutex
	cred    *auth.Credential
	updates int
	loadErr error
	saveErr error // returned by Update, which then keeps nothing, or for ErrNotSaved the new value
	anyway  bool  // with saveErr: it is kept all the same
}

func newMemory() *memory { return &memory{turn: make(chan struct{}, 1), claim: make(chan struct{}, 1)} }

func (m *memory) Load(context.Context) (*auth.Credential, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cred, m.loadErr
}

func (m *memory) Update(ctx context.Context, fn func(context.Context, *auth.Credential) (*auth.Credential, error)) error {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	cur, _ := m.Load(ctx)
	next, err := fn(ctx, cur)
	if err != nil || next == cur {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.saveErr == nil || m.anyway || m.saveErr == auth.ErrNotSaved { //nolint:errorlint // the fake's own value
		m.cred = next
		m.updates++
	}
	return m.saveErr
}

func (m *memory) Claim(context.Context) (func(), bool, error) {
	select {
	case m.claim <- struct{}{}:
		return sync.OnceFunc(func() { <-m.claim }), true, nil
	default:
		return nil, false, nil
	}
}

func (m *memory) set(c *auth.Credential) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cred = c
}

func (m *memory) failSaving(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saveErr = err
}

func (m *memory) failAndKeep(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saveErr, m.anyway = err, true
}

func (m *memory) current() *auth.Credential {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cred
}
