package keychain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// How long a call to the OS keychain may take (OAUTH section 6, rule b).
const (
	// BridgeDeadline is for the bridge: a host waits.
	BridgeDeadline = 3 * time.Second
	// LoginDeadline is for `login`: a person may have to answer a prompt.
	LoginDeadline = 60 * time.Second
)

// maxItem bounds service, account and secret together. The smallest limits are
// macOS's command line of 4,096 bytes, where go-keyring leaves a child behind when
// it is exceeded (OAUTH Z7), and 2,560 bytes on Windows (OAUTH K2).
const maxItem = 2000

// ErrItemNotFound is what a Backend returns for an item that surely does not
// exist. Only then is a new key made.
var ErrItemNotFound = errors.New("no such item in the keychain")

// Backend is an OS keychain. It exists so that tests can offer one that hangs,
// lies, or is locked (OAUTH K11). Calls may block for ever.
type Backend interface {
	Get(service, account string) (string, error)
	Set(service, account, secret string) error
	Delete(service, account string) error
}

// Keyring is the OS keychain behind a deadline and a breaker. Share one in a
// process: one call is in flight at a time, and after one timeout the keychain is
// not asked again (OAUTH section 6, rule b). Its errors are ErrUnavailable or the
// context's; a library's text is never in them, because it may hold attributes of
// the item (rule g).
type Keyring struct {
	backend  Backend
	deadline time.Duration
	flight   slot

	mu      sync.Mutex
	overdue bool
	late    map[string]redact.Secret // answers that came after their deadline
}

// NewKeyring returns a keyring over b; nil means that of the operating system.
func NewKeyring(b Backend, deadline time.Duration) *Keyring {
	if b == nil {
		b = osKeychain{}
	}
	return &Keyring{backend: b, deadline: deadline, flight: newSlot(), late: map[string]redact.Secret{}}
}

// get returns the item, errNoKey when there surely is none.
func (r *Keyring) get(ctx context.Context, account string) (redact.Secret, error) {
	if text, ok := r.lateAnswer(account); ok {
		return text, nil
	}
	text, err := call(ctx, r, func() (redact.Secret, error) {
		text, err := r.backend.Get(service, account)
		return redact.Secret(text), err
	}, func(text redact.Secret) { r.keepLate(account, text) })
	if errors.Is(err, ErrItemNotFound) {
		return "", errNoKey
	}
	return text, err
}

// set stores the item and reads it back: a dismissed prompt looks like success
// (OAUTH K9).
func (r *Keyring) set(ctx context.Context, account string, text redact.Secret) error {
	if n := len(service) + len(account) + len(text); n > maxItem {
		return fmt.Errorf("%w: an item of %d bytes is too large for it", ErrUnavailable, n)
	}
	_, err := call(ctx, r, func() (struct{}, error) {
		return struct{}{}, r.backend.Set(service, account, text.Reveal())
	}, nil)
	if err != nil {
		return err
	}
	got, err := r.get(ctx, account)
	if err != nil && !errors.Is(err, errNoKey) {
		return err
	}
	if got != text {
		return unavailable(faultNotKept)
	}
	return nil
}

// remove deletes the item and checks that it is gone (rule d).
func (r *Keyring) remove(ctx context.Context, account string) error {
	r.dropLate(account)
	_, err := call(ctx, r, func() (struct{}, error) {
		return struct{}{}, r.backend.Delete(service, account)
	}, nil)
	if err != nil && !errors.Is(err, ErrItemNotFound) {
		return err
	}
	_, err = r.get(ctx, account)
	if errors.Is(err, errNoKey) {
		return nil
	}
	if err == nil {
		return unavailable(faultNotGone)
	}
	return err
}

type answer[T any] struct {
	val T
	err error
}

// call runs fn on a goroutine of its own. When fn hangs (OAUTH K8) that goroutine
// stays with it, and so does the flight: nothing can end a call of the library.
// late gets a good answer that nobody waited for.
func call[T any](ctx context.Context, r *Keyring, fn func() (T, error), late func(T)) (T, error) {
	var zero T
	limit := time.NewTimer(r.deadline)
	defer limit.Stop()
	if err := r.start(ctx, limit.C); err != nil {
		return zero, err
	}
	done := make(chan answer[T])
	gone := make(chan struct{})
	defer close(gone)
	go func() {
		defer r.flight.release()
		var a answer[T]
		a.val, a.err = guarded(fn)
		select {
		case done <- a:
		case <-gone:
			if a.err == nil && late != nil {
				late(a.val)
			}
		}
	}()
	select {
	case a := <-done:
		return a.val, classify(a.err)
	case <-limit.C:
		r.trip()
		return zero, unavailable(faultTimeout)
	case <-ctx.Done():
		return zero, fmt.Errorf("waiting for the keychain: %w", ctx.Err())
	}
}

// start waits until no other call is in flight.
func (r *Keyring) start(ctx context.Context, limit <-chan time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting for the keychain: %w", err)
	}
	if r.tripped() {
		return unavailable(faultTimeout)
	}
	select {
	case r.flight <- struct{}{}:
		return nil
	case <-limit:
		r.trip()
		return unavailable(faultTimeout)
	case <-ctx.Done():
		return fmt.Errorf("waiting for the keychain: %w", ctx.Err())
	}
}

// guarded turns a panic into an error: go-keyring and godbus dereference what a
// broken or dying service answers, and the bridge must outlive that.
func guarded[T any](fn func() (T, error)) (val T, err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked
		}
	}()
	return fn()
}

func (r *Keyring) trip() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.overdue = true
}

func (r *Keyring) tripped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overdue
}

// keepLate serves the person who answers the unlock prompt after the deadline:
// the next Load finds the key without another prompt.
func (r *Keyring) keepLate(account string, text redact.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late[account] = text
}

func (r *Keyring) lateAnswer(account string) (redact.Secret, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, ok := r.late[account]
	delete(r.late, account)
	return text, ok
}

func (r *Keyring) dropLate(account string) { _, _ = r.lateAnswer(account) }
