package keychain

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// fileLock is the lock of one record between processes (OAUTH L3). The operating
// system frees it when its holder dies. Its file is never deleted: whoever still
// waited on the old one would share the lock with nobody.
type fileLock struct {
	path string
	f    *flock.Flock
	log  *slog.Logger
	now  func() time.Time
}

func newFileLock(sealedPath string, log *slog.Logger, now func() time.Time) *fileLock {
	path := beside(sealedPath, lockSuffix)
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow), flock.SetPermissions(privateFile))
	return &fileLock{path: path, f: f, log: log, now: now}
}

// acquire waits for the lock until ctx ends (STYLE D2: flock's own Lock does not
// look at a context). Holding it already is success.
func (l *fileLock) acquire(ctx context.Context) error {
	if l.f.Locked() {
		return nil
	}
	if err := privatefile.CheckFile(l.path); err != nil {
		return err
	}
	// Short at first, because most holders write one file; then 25 ms, so that a
	// wait for somebody's refresh costs nothing.
	for pause := time.Millisecond; ; pause = min(2*pause, 25*time.Millisecond) {
		ok, err := l.f.TryLock()
		if err != nil {
			return hint.With(fmt.Errorf("locking the stored login: %w", err), hintFolder)
		}
		if ok {
			l.settleNote(ctx)
			return nil
		}
		if err := wait(ctx, pause); err != nil {
			return l.busy(err)
		}
	}
}

func wait(ctx context.Context, pause time.Duration) error {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// busy says why the lock could not be had.
func (l *fileLock) busy(err error) error {
	if n := readNote(l.path); n.Unsaved {
		return hint.With(fmt.Errorf("%w (process %d), which holds a newer login that it cannot save: %s: %w", ErrBusy, n.PID, n.Reason, err),
			"cure that; it saves by itself then")
	}
	return hint.With(fmt.Errorf("%w: %w", ErrBusy, err), "try again in a moment")
}

func (l *fileLock) release() error {
	if err := l.f.Unlock(); err != nil {
		return fmt.Errorf("unlocking the stored login: %w", err)
	}
	return nil
}
