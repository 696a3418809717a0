package keychain_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

func TestTry_keychainWorks_leavesNothing(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	put(t, open(t, options(dir, r)), "good")
	if err := keychain.NewKeyring(r, keychain.BridgeDeadline).Try(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.sets != 2 || r.deletes != 1 || len(r.items) != 1 { // the login's key is one of each
		t.Errorf("%d sets, %d deletes, %d items left", r.sets, r.deletes, len(r.items))
	}
	wantSecret(t, open(t, options(dir, r)), "good")
}

func TestTry_keychainFaults_namedInTime(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for want, spoil := range map[string]func(*ring){
		"does not answer":  func(r *ring) { r.hang = never },
		"refused":          func(r *ring) { r.err = errors.New("no") },
		"did not (was its": func(r *ring) { r.dropSets = true },
		"removed the key":  func(r *ring) { r.dropDels = true },
		"makes no sense":   func(r *ring) { r.boom = true },
	} {
		r := newRing()
		spoil(r)
		err := keychain.NewKeyring(r, 50*time.Millisecond).Try(t.Context())
		if !errors.Is(err, keychain.ErrUnavailable) || !strings.Contains(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%s: %v (%s)", want, err, hint.Of(err))
		}
	}
}

// However many steps it has, a keychain that hangs costs its deadline once.
func TestTry_keychainHangs_oneDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, never := newRing(), make(chan struct{})
		defer close(never)
		r.set(func(r *ring) { r.hang = never })
		begun := time.Now()
		if err := keychain.NewKeyring(r, 3*time.Second).Try(t.Context()); !errors.Is(err, keychain.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
