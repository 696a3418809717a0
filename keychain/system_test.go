package keychain_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/payu-mcp/payu-mcp/keychain"
)

// systemVariable says that the tests below may use the keychain of whoever runs
// them. The hosted checks set it on macOS and Windows, e2e on Linux, with a keyring
// of its own, and under Wine.
const systemVariable = "PAYU_MCP_TEST_KEYCHAIN"

// systemKeychain are the options for a store in the operating system's own keychain.
func systemKeychain(dir string) keychain.Options {
	return keychain.Options{
		Dir: dir, Profile: profile, Resource: resource, Kind: keychain.KindKeychain,
		Keyring: keychain.NewKeyring(nil, keychain.LoginDeadline),
	}
}

func needSystemKeychain(t *testing.T) {
	t.Helper()
	if os.Getenv(systemVariable) != "real" {
		t.Skipf("it uses the keychain of whoever runs it: set %s=real to allow that", systemVariable)
	}
}

// childSystem is another process that reads the login.
func childSystem(ctx context.Context, dir string) error {
	s, err := keychain.Open(systemKeychain(dir))
	if err != nil {
		return err
	}
	r, err := s.Load(ctx)
	if err == nil && (r == nil || string(r.Secret) != "good") {
		err = errors.New("the other process does not find the login")
	}
	return errors.Join(err, s.Close())
}

func TestSystemKeychain_login_readByAnotherProcessThenGone(t *testing.T) {
	t.Parallel()
	needSystemKeychain(t)
	dir := stateDir(t)
	s := open(t, systemKeychain(dir))
	must(t, s.Prepare(t.Context()))
	put(t, s, "good")
	if s.Kind() != keychain.KindKeychain {
		t.Errorf("the key is held by %q", s.Kind())
	}
	child := spawn(t, "system", dir)
	if err := child.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
	must(t, s.Remove(t.Context())) // which looks whether the key is gone
	wantSecret(t, open(t, systemKeychain(dir)), "")
}

// Each bridge of a host may be the first: they agree on one key.
func TestSystemKeychain_manyAtOnce_oneKey(t *testing.T) {
	t.Parallel()
	needSystemKeychain(t)
	dir := stateDir(t)
	var all sync.WaitGroup
	for i := range 4 {
		s := open(t, systemKeychain(dir))
		all.Go(func() {
			if err := errors.Join(s.Prepare(t.Context()), tryPut(t.Context(), s, "good")); err != nil {
				t.Errorf("the store %d: %v", i, err)
			}
		})
	}
	all.Wait()
	s := open(t, systemKeychain(dir))
	wantSecret(t, s, "good")
	must(t, s.Remove(t.Context()))
}

// What is not there is told from what cannot be had, by each system in its way: only
// then is a new key made, and a logout ends well.
func TestSystemKeychain_noItem_isNoFault(t *testing.T) {
	t.Parallel()
	needSystemKeychain(t)
	s := open(t, systemKeychain(stateDir(t)))
	wantSecret(t, s, "")
	must(t, s.Remove(t.Context()))
}

func TestSystemKeychain_try_leavesNothing(t *testing.T) {
	t.Parallel()
	needSystemKeychain(t)
	ring := keychain.NewKeyring(nil, keychain.LoginDeadline)
	for i := range 2 {
		if err := ring.Try(t.Context()); err != nil {
			t.Error(fmt.Errorf("round %d: %w", i, err))
		}
	}
}
