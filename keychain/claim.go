package keychain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/gofrs/flock"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// Claim takes the record's login lock, which whoever has a sign-in open holds
// (OAUTH L10): one per record and computer. It does not wait: ok tells whether
// it was free. The operating system frees it when its holder dies; its file is
// never deleted, for the reason given at fileLock. Where no lock can be made,
// and for KindMemory, it holds in this Store only. ErrUnsafe: something else is
// in the lock file's place. release may be called more than once.
func (s *Store) Claim(ctx context.Context) (release func(), ok bool, err error) {
	select {
	case s.claim <- struct{}{}:
	default:
		return nil, false, nil
	}
	unlock, ok, err := s.claimFile(ctx)
	if !ok || err != nil {
		s.claim.release()
		return nil, false, err
	}
	return sync.OnceFunc(func() {
		unlock()
		s.claim.release()
	}), true, nil
}

// claimFile takes the lock between processes, if there can be one.
func (s *Store) claimFile(ctx context.Context) (unlock func(), ok bool, err error) {
	if s.o.Kind == KindMemory {
		return func() {}, true, nil
	}
	unlock, ok, err = s.tryLogin()
	if err == nil || !s.o.AllowMemory || errors.Is(err, ErrUnsafe) {
		return unlock, ok, err
	}
	s.o.Log.DebugContext(ctx, "the sign-in is claimed in this process only", slog.String("reason", atomicfile.Reason(err)))
	return func() {}, true, nil
}

func (s *Store) tryLogin() (unlock func(), ok bool, err error) {
	if err := makeFolder(s.o.Dir); err != nil {
		return nil, false, err
	}
	path := beside(s.path, loginSuffix)
	if err := privatefile.CheckFile(path); err != nil {
		return nil, false, err
	}
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow), flock.SetPermissions(privateFile))
	if ok, err = f.TryLock(); err != nil {
		return nil, false, hint.With(fmt.Errorf("locking the sign-in: %w", err), hintFolder)
	}
	return func() { _ = f.Unlock() }, ok, nil // it only fails when nothing is locked
}
