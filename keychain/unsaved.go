package keychain

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// retry is the goroutine that saves an unsaved record.
type retry struct{ stop, done chan struct{} }

const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// keepUnsaved makes rec the current record although it is not on disk. The caller
// has the turn, the view and the OS lock; the lock stays.
func (s *Store) keepUnsaved(ctx context.Context, rec *Record, cause error) {
	s.v.unsaved, s.v.memory = rec, nil
	n := Note{Unsaved: true, Reason: atomicfile.Reason(cause), Since: s.o.Now().Round(0).UTC(), PID: os.Getpid()}
	s.setNote(n)
	s.lock.tell(ctx, n)
	if s.retry != nil {
		return // it saves whatever is newest
	}
	s.o.Log.WarnContext(ctx, "the login could not be saved; it is kept in memory and saving is tried again", slog.String("reason", n.Reason))
	s.retry = &retry{stop: make(chan struct{}), done: make(chan struct{})}
	go s.retryLoop(ctx, s.retry)
}

// saved ends the unsaved state after a good write.
func (s *Store) saved(ctx context.Context) {
	s.setKind(s.v.header.Kind)
	s.v.memory = nil
	s.clearUnsaved(ctx)
}

func (s *Store) clearUnsaved(ctx context.Context) {
	s.v.unsaved = nil
	s.setNote(Note{})
	s.stopRetry()
	switch n := readNote(s.lock.path); {
	case n.Changing:
		_ = s.lock.write(Note{}, false) // see begin
	case n != (Note{}):
		s.lock.tell(ctx, Note{})
	}
}

func (s *Store) stopRetry() {
	if s.retry != nil {
		close(s.retry.stop)
		s.retry = nil
	}
}

// retryLoop tries until the record is saved, an Update has saved a newer one, or
// Close.
func (s *Store) retryLoop(ctx context.Context, r *retry) {
	defer close(r.done)
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-r.stop:
			t.Stop()
			return
		}
		select {
		case s.turn <- struct{}{}:
		case <-r.stop:
			return
		}
		err := s.saveUnsaved(ctx)
		s.turn.release()
		if err == nil {
			return
		}
	}
}

// saveUnsaved tries once. It needs the turn.
func (s *Store) saveUnsaved(ctx context.Context) error {
	if err := s.view.acquire(ctx); err != nil {
		return err
	}
	defer s.view.release()
	if s.v.unsaved == nil {
		return nil
	}
	if err := s.save(ctx, s.v.unsaved); err != nil {
		return err
	}
	s.saved(ctx)
	s.o.Log.InfoContext(ctx, "the login that was kept in memory is saved")
	return s.lock.release()
}

// Close tries once more to save an unsaved record, then frees the lock. It waits
// for an Update that runs. A record that still cannot be saved is lost, which
// `status` tells afterwards; the error is ErrUnsaved.
func (s *Store) Close() error {
	// Nobody's request: it ends the store, within the time of one write.
	ctx := context.Background()
	if err := s.turn.acquire(ctx); err != nil {
		return err
	}
	defer s.turn.release()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if r := s.retry; r != nil {
		if err = s.saveUnsaved(ctx); err != nil {
			s.stopRetry()
			s.lock.tell(ctx, Note{Lost: true, Reason: atomicfile.Reason(err), Since: s.o.Now().Round(0).UTC(), PID: os.Getpid()})
			err = hint.With(fmt.Errorf("%w, and is lost with this process: %s: %w", ErrUnsaved, atomicfile.Reason(err), err), hintFolder)
		}
		<-r.done
	}
	if s.o.Kind == KindMemory {
		return err
	}
	if unlockErr := s.lock.release(); err == nil {
		err = unlockErr
	}
	return err
}
