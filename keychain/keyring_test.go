package keychain_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

func TestLoad_hungKeychain_deadlineThenBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, r := stateDir(t), newRing()
		put(t, open(t, options(dir, r)), "good")
		never := make(chan struct{})
		defer close(never)
		r.set(func(r *ring) { r.hang = never })
		o := options(dir, r)
		o.Keyring = keychain.NewKeyring(r, keychain.BridgeDeadline)
		s := open(t, o)
		for i, want := range []time.Duration{3 * time.Second, 0, 0} {
			start := time.Now()
			_, err := s.Load(t.Context())
			if !errors.Is(err, keychain.ErrUnavailable) || hint.Of(err) == "" {
				t.Errorf("error %v", err)
			}
			if took := time.Since(start); took != want {
				t.Errorf("load %d took %v, want %v", i, took, want)
			}
		}
		if gets := r.getCalls(); gets != 3 { // two of the setup
			t.Errorf("%d gets", gets)
		}
	})
}

func TestLoad_promptAnsweredLate_healsWithoutAsking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, r := stateDir(t), newRing()
		put(t, open(t, options(dir, r)), "good")
		answered := make(chan struct{})
		r.set(func(r *ring) { r.hang = answered })
		s := open(t, options(dir, r))
		if _, err := s.Load(t.Context()); !errors.Is(err, keychain.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
		close(answered)
		synctest.Wait()
		wantSecret(t, s, "good")
		if gets := r.getCalls(); gets != 3 {
			t.Errorf("%d gets", gets)
		}
	})
}

func TestKeyring_manyCallers_oneCallInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, r := stateDir(t), newRing()
		put(t, open(t, options(dir, r)), "good")
		slow := make(chan struct{})
		r.set(func(r *ring) { r.hang = slow })
		ring := keychain.NewKeyring(r, keychain.BridgeDeadline)
		errs := make(chan error, 8)
		for range cap(errs) {
			o := options(dir, r)
			o.Keyring = ring
			s := open(t, o)
			go func() { _, err := s.Load(t.Context()); errs <- err }()
		}
		synctest.Wait()
		if n := len(r.entered); n != 1 {
			t.Errorf("%d calls in flight, want 1", n)
		}
		close(slow)
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestLoad_contextEndsWhileKeychainHangs_returnsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, r := stateDir(t), newRing()
		put(t, open(t, options(dir, r)), "good")
		never := make(chan struct{})
		defer close(never)
		r.set(func(r *ring) { r.hang = never })
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := open(t, options(dir, r)).Load(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestLoad_lockedKeychain_ownStateNothingOverwritten(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	put(t, open(t, options(dir, r)), "good")
	raw := readFile(t, sealedPath(dir))
	r.set(func(r *ring) { r.err = errors.New("failed to unlock correct collection '/secret/attribute'") })
	o := options(dir, r)
	o.AllowMemory = true
	s := open(t, o)
	_, loadErr := s.Load(t.Context())
	for _, err := range []error{loadErr, s.Prepare(t.Context()), tryPut(t.Context(), s, "new")} {
		if !errors.Is(err, keychain.ErrUnavailable) || strings.Contains(err.Error(), "attribute") {
			t.Errorf("error %v", err) // STYLE D4; rule g
		}
	}
	if !bytes.Equal(raw, readFile(t, sealedPath(dir))) {
		t.Error("the file was changed")
	}
	r.set(func(r *ring) { r.err = nil })
	wantSecret(t, s, "good")
}

func TestUpdate_keychainLocksItselfLater_rotationIsSaved(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	s := open(t, options(dir, r))
	put(t, s, "first")
	r.set(func(r *ring) { r.err = errors.New("locked") })
	put(t, s, "rotated")
	r.set(func(r *ring) { r.err = nil })
	wantSecret(t, open(t, options(dir, r)), "rotated")
}

func TestPrepare_keychainFaults_saidBeforeTheBrowser(t *testing.T) {
	t.Parallel()
	tests := map[string]func(r *ring){
		"refuses":                  func(r *ring) { r.err = errors.New("no") },
		"set says yes, keeps none": func(r *ring) { r.dropSets = true }, // OAUTH K9
		"library panics":           func(r *ring) { r.boom = true },
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRing()
			f(r)
			s := open(t, options(stateDir(t), r))
			if err := s.Prepare(t.Context()); !errors.Is(err, keychain.ErrUnavailable) || !strings.Contains(hint.Of(err), "--store=file") {
				t.Errorf("error %v, hint %q", err, hint.Of(err))
			}
		})
	}
}

func TestPrepare_getFailsOtherwise_keyIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	r.items[item(dir)] = "not ours"
	if err := open(t, options(dir, r)).Prepare(t.Context()); err == nil || strings.Contains(err.Error(), "not ours") {
		t.Errorf("error %v", err)
	}
	r.set(func(r *ring) { r.err = errors.New("io") })
	if err := open(t, options(dir, r)).Prepare(t.Context()); !errors.Is(err, keychain.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if _, sets, _, _ := r.calls(); sets != 0 {
		t.Error("a key was replaced")
	}
}

func TestPrepare_twoProcessesAtOnce_oneKey(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	errs := make(chan error, 4)
	for range cap(errs) {
		s := open(t, options(dir, r))
		go func() { errs <- errors.Join(s.Prepare(t.Context()), tryPut(t.Context(), s, "x")) }()
	}
	for range cap(errs) {
		must(t, <-errs)
	}
	wantSecret(t, open(t, options(dir, r)), "x")
	if _, sets, _, _ := r.calls(); sets != 1 {
		t.Errorf("%d sets, want 1", sets)
	}
}

func TestPrepare_lockedAfterwards_signInIsSaved(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	s := open(t, options(dir, r))
	must(t, s.Prepare(t.Context()))
	r.set(func(r *ring) { r.err = errors.New("locked") })
	put(t, s, "x")
	r.set(func(r *ring) { r.err = nil })
	wantSecret(t, open(t, options(dir, r)), "x")
}

func TestPrepare_folderNotWritable_saidBeforeTheBrowser(t *testing.T) {
	t.Parallel()
	var d disk
	o := options(stateDir(t), newRing())
	o.WriteFile = d.write
	s := open(t, o)
	d.fail(errors.New("disk on fire"))
	err := s.Prepare(t.Context())
	if err == nil || errors.Is(err, keychain.ErrUnavailable) || hint.Of(err) == "" {
		t.Errorf("error %v", err)
	}
}

func TestUpdate_noKeychainMemoryAllowed_memoryAndOneWarning(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	r.err = errors.New("none")
	o := options(dir, r)
	o.AllowMemory = true
	log, text := capture()
	o.Log = log
	s := open(t, o)
	must(t, s.Prepare(t.Context()))
	put(t, s, "one")
	put(t, s, "two")
	wantSecret(t, s, "two")
	if s.Kind() != keychain.KindMemory || dirNames(t, dir) != ".lock" || strings.Count(text(), "WARN") != 1 {
		t.Errorf("kind %q, files %q, log %s", s.Kind(), dirNames(t, dir), text())
	}
	must(t, s.Update(t.Context(), func(context.Context, *keychain.Record) (*keychain.Record, error) { return nil, nil }))
	wantSecret(t, s, "")
}

func TestUpdate_memoryThenLoginElsewhere_fileWins(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	r.err = errors.New("none")
	o := options(dir, r)
	o.AllowMemory = true
	s := open(t, o)
	put(t, s, "memory")
	other := options(dir, newRing())
	other.Kind = keychain.KindFile
	put(t, open(t, other), "file")
	wantSecret(t, s, "file")
	if s.Kind() != keychain.KindFile {
		t.Errorf("kind %q", s.Kind())
	}
}

func TestUpdate_noKeychainNoMemory_unavailable(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	r.err = errors.New("none")
	s := open(t, options(dir, r))
	if err := tryPut(t.Context(), s, "x"); !errors.Is(err, keychain.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	wantSecret(t, s, "")
}

func TestRemove_keychainKeepsKey_keyLeft(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(r *ring){
		"refuses":            func(r *ring) { r.err = errors.New("no") },
		"says yes, keeps it": func(r *ring) { r.dropDels = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, r := stateDir(t), newRing()
			s := open(t, options(dir, r))
			put(t, s, "x")
			r.set(f)
			err := s.Remove(t.Context())
			if !errors.Is(err, keychain.ErrKeyLeft) || !errors.Is(err, keychain.ErrUnavailable) || dirNames(t, dir) != ".lock" {
				t.Errorf("error %v, files %q", err, dirNames(t, dir))
			}
		})
	}
}
