package keychain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// Update changes the record under its lock: no other process changes it while fn
// runs, and fn sees what they left (OAUTH L3, L4). fn returns what shall be
// stored: cur itself (the same pointer, nil for nil) changes nothing, nil deletes
// file and key, anything else is written, whole and synced, before Update
// returns. When fn returns an error nothing changes.
//
// cur is nil when nothing is stored, and also when what is stored is damaged or
// its key is missing; it is then replaced, the old file is set aside, and a
// returned nil leaves it as it is (Remove deletes it). With ErrUnavailable and
// ErrNewerVersion fn does not run, but for one case: Options.Kind asks for
// another holder than the unavailable one, so a person chose to leave it.
//
// The result is kept even if ctx ends while it is being saved. ErrUnsaved: it is
// in use but only in memory, see there. ErrUnavailable after fn ran: no key could
// be had for a new file, and the result is dropped; Prepare finds that out
// beforehand. Without a deadline in ctx the wait for the lock has none. fn must
// not call this store's Update, Prepare, Remove or Close.
func (s *Store) Update(ctx context.Context, fn func(ctx context.Context, cur *Record) (*Record, error)) error {
	return s.locked(ctx, func(noDisk error) error {
		cur, err := s.current(ctx)
		if err != nil {
			return err
		}
		if cur != nil && noDisk == nil && s.o.Kind != KindMemory {
			s.lock.begin()
			defer s.lock.end()
		}
		next, err := fn(ctx, cur)
		if err != nil || next == cur {
			return err
		}
		// The result may be a rotated token that exists nowhere else.
		ctx := context.WithoutCancel(ctx)
		if err := s.view.acquire(ctx); err != nil {
			return err
		}
		defer s.view.release()
		if next == nil {
			return s.remove(ctx)
		}
		return s.put(ctx, next, noDisk)
	})
}

// locked runs fn with the turn and the OS lock. noDisk tells fn why there is no
// lock, when the record may live in memory only.
func (s *Store) locked(ctx context.Context, fn func(noDisk error) error) (err error) {
	if err := s.turn.acquire(ctx); err != nil {
		return err
	}
	defer s.turn.release()
	if s.closed {
		return errClosed
	}
	if s.o.Kind == KindMemory {
		return fn(nil)
	}
	// The folder again: somebody may have cleaned up while this process ran.
	noDisk := makeFolder(s.o.Dir)
	if noDisk == nil {
		noDisk = s.acquireLock(ctx)
	}
	if noDisk != nil && !s.needsNoLock(noDisk) {
		return noDisk
	}
	defer func() { err = errors.Join(err, s.unlockIfSaved()) }()
	return fn(noDisk)
}

func (s *Store) acquireLock(ctx context.Context) error {
	if s.o.LockWait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.o.LockWait)
		defer cancel()
	}
	return s.lock.acquire(ctx)
}

// needsNoLock: a lock file cannot be made, nothing is stored that others could
// share, and memory is allowed.
func (s *Store) needsNoLock(err error) bool {
	_, statErr := os.Lstat(s.path)
	return s.o.AllowMemory && errors.Is(statErr, fs.ErrNotExist) && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrUnsafe)
}

// unlockIfSaved keeps the lock while the newest record is in memory only: nobody
// else may spend the refresh token that the file still holds.
func (s *Store) unlockIfSaved() error {
	if s.v.unsaved != nil { // it changes only under the turn, which we have
		return nil
	}
	return s.lock.release()
}

// current reads the record under the lock.
func (s *Store) current(ctx context.Context) (*Record, error) {
	if err := s.view.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.view.release()
	s.v.settled, s.v.missing = false, "" // read and ask again, whatever the stat says
	cur, err := s.look(ctx)
	switch {
	case errors.Is(err, ErrDamaged), errors.Is(err, ErrKeyMissing):
		return nil, nil
	case errors.Is(err, ErrUnavailable) && s.o.Kind != "" && s.v.header != nil && s.v.header.Kind != s.o.Kind:
		return nil, nil
	}
	return cur, err
}

// put stores rec where it belongs, or keeps it in memory. It needs the view.
func (s *Store) put(ctx context.Context, rec *Record, noDisk error) error {
	if s.o.Kind == KindMemory {
		s.v.memory = rec
		return nil
	}
	if noDisk != nil {
		return s.rescue(ctx, rec, noDisk, true)
	}
	if err := s.save(ctx, rec); err != nil {
		return s.rescue(ctx, rec, err, false)
	}
	s.saved(ctx)
	return nil
}

// rescue finds a place for a record that cannot be on disk now.
func (s *Store) rescue(ctx context.Context, rec *Record, err error, noDisk bool) error {
	switch {
	case noDisk, s.o.AllowMemory && errors.Is(err, ErrUnavailable):
		s.v.memory = rec
		s.warnMemory(ctx, err)
		return nil
	case errors.Is(err, ErrUnavailable), errors.Is(err, errBadKey):
		return err
	case s.o.NeverUnsaved:
		return hint.With(fmt.Errorf("saving the login: %s: %w", atomicfile.Reason(err), err), "make room or make the state folder writable")
	default:
		s.keepUnsaved(ctx, rec, err)
		return hint.With(fmt.Errorf("%w: %s: %w", ErrUnsaved, atomicfile.Reason(err), err),
			"make room or make the state folder writable; it is saved by itself then, if payu-mcp still runs")
	}
}

// save writes the sealed file. It needs the view and the OS lock.
func (s *Store) save(ctx context.Context, rec *Record) error {
	if err := atomicfile.Sweep(s.path); err != nil {
		s.o.Log.DebugContext(ctx, "leftovers of a killed writer cannot be removed", slog.String("reason", atomicfile.Reason(err)))
	}
	h := s.nextHeader(rec)
	k, err := s.keyToSeal(ctx, h.Kind)
	if err != nil {
		return err
	}
	h.KeyID = k.id
	raw, err := seal(k, h, rec.Secret)
	if err != nil {
		return err
	}
	old := s.v.header
	aside, err := s.setAside(ctx)
	if err != nil {
		return err
	}
	if err := s.o.WriteFile(s.path, raw, privateFile); err != nil {
		return err
	}
	s.v.raw, s.v.header, s.v.rec, s.v.settled = raw, &h, rec, false
	if old != nil && old.Kind != h.Kind && !aside {
		s.removeOldKey(ctx, old.Kind)
	}
	return nil
}

func (s *Store) nextHeader(rec *Record) Header {
	h := Header{
		Version: fileVersion, Kind: KindKeychain, Generation: 1, SavedAt: s.o.Now().Round(0).UTC(),
		Profile: s.o.Profile, Resource: s.o.Resource, Public: rec.Public,
	}
	if s.v.rec != nil {
		// Only from a header that was authenticated: an edited one must not move
		// the key into a file.
		h.Kind, h.Generation = s.v.header.Kind, s.v.header.Generation+1
	}
	if s.o.Kind != "" {
		h.Kind = s.o.Kind
	}
	return h
}

// setAside copies a file that cannot be opened before it is replaced: it may be
// good, and only its key away (OAUTH D8). One copy is kept, the newest.
func (s *Store) setAside(ctx context.Context) (bool, error) {
	if _, err := os.Lstat(s.path); s.v.rec != nil || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	aside := beside(s.path, asideSuffix)
	var err error
	if s.v.raw != nil {
		err = s.o.WriteFile(aside, s.v.raw, privateFile)
	} else {
		err = os.Rename(s.path, aside) // too large to be read, so surely not ours
	}
	if err != nil {
		return false, fmt.Errorf("setting the unreadable login aside: %w", err)
	}
	s.o.Log.WarnContext(ctx, "the stored login cannot be opened and is set aside", slog.String("file", aside))
	return true, nil
}

// removeOldKey ends a switch between holders. The record is safe in its new
// place, so a failure is told and no more.
func (s *Store) removeOldKey(ctx context.Context, kind Kind) {
	s.v.dropKey(kind)
	var err error
	if kind == KindFile {
		err = removeFile(beside(s.path, keySuffix))
	} else {
		err = s.ring.remove(ctx, s.account())
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "the old key cannot be removed", slog.String("from", holder(kind)), slog.Any("error", err))
	}
}
