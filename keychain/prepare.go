package keychain

import (
	"context"
	"errors"
	"fmt"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// Prepare finds out, before a browser opens, whether a sign-in could be stored:
// the key can be had (a new one is made only where there surely is none) and the
// folder can be written. It may take the keyring's deadline. ErrUnavailable: no
// key; with AllowMemory and nothing stored that is no error, the record will be
// in memory. ErrNewerVersion: the file may not be replaced. ErrUnavailable also
// when the stored record's key is not to be had and Options.Kind does not ask for
// another holder: a good login may be behind it.
func (s *Store) Prepare(ctx context.Context) error {
	return s.locked(ctx, func(noDisk error) error {
		if s.o.Kind == KindMemory {
			return nil
		}
		if noDisk != nil {
			s.warnMemory(ctx, noDisk)
			return nil
		}
		if _, err := s.current(ctx); err != nil {
			return err
		}
		return s.prepareWrite(ctx)
	})
}

func (s *Store) prepareWrite(ctx context.Context) error {
	if err := s.view.acquire(ctx); err != nil {
		return err
	}
	defer s.view.release()
	if err := s.probeFolder(); err != nil {
		return err
	}
	kind := s.nextHeader(&Record{}).Kind
	_, err := s.keyToSeal(ctx, kind)
	if errors.Is(err, ErrUnavailable) && s.o.AllowMemory && s.v.raw == nil {
		s.warnMemory(ctx, err)
		return nil
	}
	if err == nil {
		s.setKind(kind)
	}
	return err
}

// probeFolder writes what a sealed file may take, and removes it.
func (s *Store) probeFolder() error {
	const usual = 16 << 10
	probe := beside(s.path, ".probe")
	err := s.o.WriteFile(probe, make([]byte, usual), privateFile)
	if err == nil {
		err = removeFile(probe)
	}
	if err != nil {
		_ = removeFile(probe) // the first fault is the one to tell
		return hint.With(fmt.Errorf("a login could not be stored: %s: %w", atomicfile.Reason(err), err), hintFolder)
	}
	return nil
}

// Remove deletes whatever is stored, readable or not: file, file set aside, key.
// It is logout's; nothing stored is success. ErrKeyLeft: only the key is left.
// ErrNewerVersion: nothing was deleted.
func (s *Store) Remove(ctx context.Context) error {
	return s.locked(ctx, func(error) error {
		if _, err := s.current(ctx); errors.Is(err, ErrNewerVersion) {
			return err
		}
		// From here on a half-done removal would be worse than a late one.
		ctx := context.WithoutCancel(ctx)
		if err := s.view.acquire(ctx); err != nil {
			return err
		}
		defer s.view.release()
		return s.remove(ctx)
	})
}

// remove needs the view and the lock. The file goes first: it holds the tokens,
// the key alone is worth nothing.
func (s *Store) remove(ctx context.Context) error {
	if s.o.Kind == KindMemory {
		s.v.memory = nil
		return nil
	}
	keychainToo := s.keyInKeychain()
	for _, suffix := range []string{sealedSuffix, asideSuffix, keySuffix} {
		if err := removeFile(beside(s.path, suffix)); err != nil {
			return hint.With(fmt.Errorf("deleting the stored login: %w", err), "delete it by hand: "+beside(s.path, suffix))
		}
	}
	s.v = view{}
	s.clearUnsaved(ctx)
	s.setKind(s.o.Kind)
	if !keychainToo {
		return nil
	}
	if err := s.ring.remove(ctx, s.account()); err != nil {
		return fmt.Errorf("%w: %w", ErrKeyLeft, err)
	}
	return nil
}

// keyInKeychain tells whether a stored file, in its place or aside, has its key
// there. Otherwise the keychain is left alone: a person with --store=file may
// have none.
func (s *Store) keyInKeychain() bool {
	aside, _, err := readPrivate(beside(s.path, asideSuffix), maxFile)
	if err != nil {
		aside = nil
	}
	for _, raw := range [][]byte{s.v.raw, aside} {
		if raw == nil {
			continue
		}
		_, h, err := parse(raw)
		if err != nil && s.o.Kind != KindFile || err == nil && h.Kind == KindKeychain {
			return true
		}
	}
	return s.v.keys[KindKeychain] != nil // made for a record that could not be saved
}
