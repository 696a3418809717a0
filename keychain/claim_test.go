package keychain_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/payu-mcp/payu-mcp/keychain"
)

// claimed takes the claim of s or fails.
func claimed(t *testing.T, s *keychain.Store) (release func()) {
	t.Helper()
	release, ok, err := s.Claim(t.Context())
	if err != nil || !ok {
		t.Fatalf("claim: %v, %v", ok, err)
	}
	return release
}

func refused(t *testing.T, s *keychain.Store) {
	t.Helper()
	if _, ok, err := s.Claim(t.Context()); ok || err != nil {
		t.Errorf("a second claim: %v, %v", ok, err)
	}
}

func TestClaim_oneAtATime_freedByRelease(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	a, b := open(t, options(dir, newRing())), open(t, options(dir, newRing()))
	release := claimed(t, a)
	refused(t, a)
	refused(t, b)
	must(t, tryPut(t.Context(), b, "the record is free meanwhile"))
	release()
	release()
	claimed(t, b)()
	if _, err := os.Lstat(filepath.Join(dir, base+".login")); err != nil {
		t.Errorf("the lock file was deleted: %v", err)
	}
}

func TestClaim_holderKilled_freeAtOnce(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	c := spawn(t, "claim", dir)
	s := open(t, options(dir, newRing()))
	refused(t, s)
	must(t, c.Process.Kill())
	_ = c.Wait()
	claimed(t, s)()
}

func TestClaim_kindMemory_noFile(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	s := open(t, ofKind(dir, newRing(), keychain.KindMemory))
	release := claimed(t, s)
	refused(t, s)
	release()
	claimed(t, s)()
	if _, err := os.Lstat(dir); err == nil {
		t.Error("a folder was made")
	}
}

func TestClaim_linkPlanted_refused(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	s := open(t, options(dir, newRing()))
	must(t, os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), filepath.Join(dir, base+".login")))
	if _, ok, err := s.Claim(t.Context()); ok || !errors.Is(err, keychain.ErrUnsafe) {
		t.Errorf("claim: %v, %v", ok, err)
	}
}

// Where no lock can be made, a bridge claims for itself; a login says so.
func TestClaim_folderGone_onlyWithMemoryAllowed(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{true, false} {
		dir := stateDir(t)
		o := options(dir, newRing())
		o.AllowMemory = allowed
		s := open(t, o)
		must(t, os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)) // a file is in the folder's place
		_, ok, err := s.Claim(t.Context())
		if ok != allowed || (err == nil) != allowed {
			t.Errorf("memory allowed %v: %v, %v", allowed, ok, err)
		}
		if allowed {
			refused(t, s)
		}
		must(t, os.Remove(dir), os.Mkdir(dir, 0o700))
	}
}
