package keychain_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// unsavable returns a store whose last record could not be written.
func unsavable(t *testing.T, dir string, r *ring, d *disk) *keychain.Store {
	t.Helper()
	o := options(dir, r)
	o.WriteFile = d.write
	s := open(t, o)
	put(t, s, "saved")
	d.fail(syscall.ENOSPC)
	err := tryPut(t.Context(), s, "rotated")
	if !errors.Is(err, keychain.ErrUnsaved) || !errors.Is(err, syscall.ENOSPC) || hint.Of(err) == "" {
		t.Fatalf("error %v", err)
	}
	return s
}

func TestUpdate_diskFull_keptInMemoryAndTold(t *testing.T) {
	t.Parallel()
	dir, r, d := stateDir(t), newRing(), &disk{}
	s := unsavable(t, dir, r, d)
	wantSecret(t, s, "rotated")
	wantSecret(t, open(t, options(dir, r)), "saved") // the good file is as it was
	_, note, err := keychain.Peek(dir, profile, resource)
	if err != nil || note != s.Note() || !note.Unsaved || note.PID != os.Getpid() || note.Reason != "the disk is full" || note.Since.IsZero() {
		t.Errorf("note %+v, own %+v, %v", note, s.Note(), err)
	}
	d.fail(nil)
	must(t, s.Close()) // the last try
	wantSecret(t, open(t, options(dir, r)), "rotated")
	if _, note, _ := keychain.Peek(dir, profile, resource); note != (keychain.Note{}) {
		t.Errorf("note %+v after the save", note)
	}
}

func TestUpdate_diskFull_othersCannotSpendTheOldToken(t *testing.T) {
	t.Parallel()
	dir, r, d := stateDir(t), newRing(), &disk{}
	_ = unsavable(t, dir, r, d)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := open(t, options(dir, r)).Update(ctx, func(context.Context, *keychain.Record) (*keychain.Record, error) {
		t.Error("fn ran beside an unsaved record")
		return rec("stale"), nil
	})
	if !errors.Is(err, keychain.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "newer login that it cannot save") {
		t.Errorf("error %v", err)
	}
}

func TestUpdate_diskFull_savedByItselfLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, r, d := stateDir(t), newRing(), &disk{}
		s := unsavable(t, dir, r, d)
		time.Sleep(10 * time.Second) // the bubble's clock: some tries fail
		synctest.Wait()
		wantSecret(t, open(t, options(dir, r)), "saved")
		d.fail(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		other := open(t, options(dir, r))
		wantSecret(t, other, "rotated")
		put(t, other, "next") // the lock is free
		wantSecret(t, s, "next")
		if s.Note() != (keychain.Note{}) {
			t.Errorf("note %+v", s.Note())
		}
	})
}

func TestUpdate_whileUnsaved_continuesFromMemory(t *testing.T) {
	t.Parallel()
	dir, r, d := stateDir(t), newRing(), &disk{}
	s := unsavable(t, dir, r, d)
	step := func(next string) error {
		return s.Update(t.Context(), func(_ context.Context, cur *keychain.Record) (*keychain.Record, error) {
			return rec(string(cur.Secret) + next), nil
		})
	}
	if err := step("+1"); !errors.Is(err, keychain.ErrUnsaved) {
		t.Errorf("error %v", err)
	}
	d.fail(nil)
	must(t, step("+2"))
	wantSecret(t, open(t, options(dir, r)), "rotated+1+2")
	put(t, open(t, options(dir, r)), "free") // the lock too
}

func TestUpdate_nilWhileUnsaved_deletes(t *testing.T) {
	t.Parallel()
	dir, r, d := stateDir(t), newRing(), &disk{}
	s := unsavable(t, dir, r, d)
	must(t, s.Update(t.Context(), func(context.Context, *keychain.Record) (*keychain.Record, error) { return nil, nil }))
	wantSecret(t, s, "")
	must(t, s.Close())
	if _, note, _ := keychain.Peek(dir, profile, resource); note != (keychain.Note{}) || dirNames(t, dir) != ".lock" {
		t.Errorf("note %+v, files %q", note, dirNames(t, dir))
	}
}

func TestClose_stillFull_saysItIsLost(t *testing.T) {
	t.Parallel()
	dir, r, d := stateDir(t), newRing(), &disk{}
	s := unsavable(t, dir, r, d)
	if err := s.Close(); !errors.Is(err, keychain.ErrUnsaved) || !strings.Contains(err.Error(), "lost") {
		t.Errorf("error %v", err)
	}
	_, note, _ := keychain.Peek(dir, profile, resource)
	if !note.Lost || note.Unsaved {
		t.Errorf("note %+v", note)
	}
	other := open(t, options(dir, r))
	wantSecret(t, other, "saved")
	put(t, other, "new login")
	if _, note, _ := keychain.Peek(dir, profile, resource); note != (keychain.Note{}) {
		t.Errorf("note %+v after a new login", note)
	}
	if err := s.Update(t.Context(), nil); err == nil {
		t.Error("an update after Close")
	}
	must(t, s.Close())
}

func TestUpdate_lockFile_hasRoomForTheNoteAndKeepsItsSize(t *testing.T) {
	t.Parallel()
	dir, r, d := stateDir(t), newRing(), &disk{}
	o := options(dir, r)
	put(t, open(t, o), "x")
	before := readFile(t, filepath.Join(dir, base+".lock"))
	_ = unsavable(t, dir, r, d)
	after := readFile(t, filepath.Join(dir, base+".lock"))
	if len(before) != 512 || len(after) != 512 || bytes.Equal(before, after) {
		t.Errorf("%d then %d bytes", len(before), len(after))
	}
}

func TestUpdate_folderRemovedMeanwhile_madeAgain(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	s := open(t, options(dir, r))
	put(t, s, "x")
	must(t, os.RemoveAll(dir))
	wantSecret(t, s, "")
	put(t, s, "y")
	wantSecret(t, open(t, options(dir, r)), "y")
}

func TestUpdate_diskFullAtLogin_failsAndOldStays(t *testing.T) {
	t.Parallel()
	dir, r, d := stateDir(t), newRing(), &disk{}
	o := options(dir, r)
	o.WriteFile, o.NeverUnsaved = d.write, true
	s := open(t, o)
	put(t, s, "saved")
	d.fail(syscall.ENOSPC)
	if err := tryPut(t.Context(), s, "new"); err == nil || errors.Is(err, keychain.ErrUnsaved) || hint.Of(err) == "" {
		t.Errorf("error %v", err)
	}
	wantSecret(t, s, "saved")
	d.fail(nil)
	must(t, s.Close())
	wantSecret(t, open(t, options(dir, r)), "saved")
}

func TestRemove_otherFolder_keepsItsKey(t *testing.T) {
	t.Parallel()
	one, other, r := stateDir(t), stateDir(t), newRing()
	put(t, open(t, options(one, r)), "one")
	put(t, open(t, options(other, r)), "other")
	must(t, open(t, options(one, r)).Remove(t.Context()))
	wantSecret(t, open(t, options(other, r)), "other")
}
