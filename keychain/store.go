package keychain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
)

// Options say which record a Store holds and where.
type Options struct {
	Dir      string // the state folder
	Profile  string
	Resource string // canonical URL of the protected resource
	// Kind is where to hold the key. Empty: where it is already; the OS keychain
	// for a new record. Set it only by a person's choice (--store): every write
	// then goes there, and the old key is removed after the first. KindMemory
	// touches no disk at all.
	Kind Kind
	// AllowMemory (for the bridge): when no key can be had and nothing is stored,
	// keep the record in memory and warn once, instead of ErrUnavailable.
	AllowMemory bool
	// LockWait is how long to wait for another process that holds the lock, such
	// as one that refreshes; 0: as long as the context allows.
	LockWait time.Duration
	// NeverUnsaved (for login): what cannot be saved is dropped and Update fails,
	// instead of ErrUnsaved. What was stored before stays.
	NeverUnsaved bool
	// Keyring is the OS keychain, one for the whole process because its breaker
	// is. Nil: a new one with BridgeDeadline.
	Keyring *Keyring
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: discard
	// WriteFile replaces a file; nil: atomicfile.Write. Tests give one that fails.
	WriteFile func(path string, data []byte, perm fs.FileMode) error
}

// Store is the record of one profile and resource. Its methods are safe for
// concurrent use.
type Store struct {
	o    Options
	path string // of the sealed file
	ring *Keyring

	// turn is held by the one Update, Prepare, Remove or retry that runs in this
	// process, before the OS lock is asked for (OAUTH L3). It guards the fields
	// below it.
	turn   slot
	lock   *fileLock
	closed bool
	retry  *retry // saves an unsaved record; nil when there is none

	// view guards what is known of the stored record. It is held over file reads
	// and keychain calls, never over a caller's fn.
	view slot
	v    view

	claim slot // held with the login lock

	mu   sync.Mutex // guards status, for readers that cannot wait
	stat status
}

type status struct {
	kind   Kind
	note   Note
	warned bool // that the record is in memory only
}

// Open returns the store of one record. It makes Dir if needed (0700) and refuses
// one that others can enter (ErrUnsafe). It makes no keychain call and takes no
// lock.
func Open(o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Store{
		o: o, path: Path(o.Dir, o.Profile, o.Resource), ring: o.Keyring,
		turn: newSlot(), view: newSlot(), claim: newSlot(),
	}
	s.lock = newFileLock(s.path, o.Log, o.Now)
	s.stat.kind = o.Kind
	if o.Kind == KindMemory {
		return s, nil
	}
	if err := makeFolder(o.Dir); err != nil {
		return nil, err
	}
	return s, nil
}

func (o *Options) complete() error {
	switch o.Kind {
	case "", KindKeychain, KindFile, KindMemory:
	default:
		return fmt.Errorf("unknown store %q: use keychain, file or memory", o.Kind)
	}
	if o.Dir == "" && o.Kind != KindMemory {
		return errors.New("opening the store: no state folder given")
	}
	if !utf8.ValidString(o.Profile) || !utf8.ValidString(o.Resource) {
		return errors.New("opening the store: the profile or the resource is not valid UTF-8")
	}
	if o.Keyring == nil {
		o.Keyring = NewKeyring(nil, BridgeDeadline)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.WriteFile == nil {
		o.WriteFile = atomicfile.Write
	}
	return nil
}

// Kind tells where the record is held as far as this process knows: after a
// Load, Update or Prepare that is certain, before it is what Options ask for.
func (s *Store) Kind() Kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stat.kind == "" {
		return KindKeychain
	}
	return s.stat.kind
}

// Note tells whether this process holds a record that it could not save.
func (s *Store) Note() Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stat.note
}

func (s *Store) setKind(k Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stat.kind = k
}

func (s *Store) setNote(n Note) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stat.note = n
}

// warnMemory tells once that the record ends with the process.
func (s *Store) warnMemory(ctx context.Context, why error) {
	s.mu.Lock()
	first := !s.stat.warned
	s.stat.kind, s.stat.warned = KindMemory, true
	s.mu.Unlock()
	if first {
		s.o.Log.WarnContext(ctx, "the login is kept in memory only and ends with this process", slog.Any("error", why))
	}
}

// slot is a mutex whose wait a context can end.
type slot chan struct{}

func newSlot() slot { return make(slot, 1) }

func (s slot) acquire(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	default:
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the stored login: %w", ctx.Err())
	}
}

func (s slot) release() { <-s }
