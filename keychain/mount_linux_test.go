package keychain_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/payu-mcp/payu-mcp/keychain"
)

// smallDisk mounts a file system of 64 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := stateDir(t)
	must(t, os.Mkdir(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("mounting is not allowed here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes what is left of the disk.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "fill")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	must(t, err)
	defer f.Close()
	for _, size := range []int{4096, 1} {
		for {
			if _, err := f.Write(bytes.Repeat([]byte("x"), size)); err != nil {
				break
			}
		}
	}
	return path
}

func TestUpdate_reallyFullDisk_keptToldAndSavedLater(t *testing.T) {
	t.Parallel()
	dir, r := smallDisk(t), newRing()
	s := open(t, options(dir, r))
	put(t, s, "saved")
	filler := fill(t, dir)
	if err := s.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("prepare: %v", err)
	}
	if err := tryPut(t.Context(), s, "rotated"); !errors.Is(err, keychain.ErrUnsaved) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v", err)
	}
	wantSecret(t, s, "rotated")
	wantSecret(t, open(t, options(dir, r)), "saved")
	if _, note, _ := keychain.Peek(dir, profile, resource); !note.Unsaved || note.Reason != "the disk is full" {
		t.Errorf("note %+v", note) // written on the full disk
	}
	if got := dirNames(t, dir); got != ".json .lock fill" {
		t.Errorf("leftovers: %q", got)
	}
	must(t, os.Remove(filler), s.Close())
	wantSecret(t, open(t, options(dir, r)), "rotated")
}

func TestUpdate_reallyReadOnlyFolder_keptInMemory(t *testing.T) {
	t.Parallel()
	dir, r := smallDisk(t), newRing()
	s := open(t, options(dir, r))
	put(t, s, "saved")
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	if err := tryPut(t.Context(), s, "rotated"); !errors.Is(err, keychain.ErrUnsaved) || s.Note().Reason != "the file system is read-only" {
		t.Fatalf("error %v, note %+v", err, s.Note())
	}
	wantSecret(t, s, "rotated")
	wantSecret(t, open(t, options(dir, r)), "saved")
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""), s.Close())
	wantSecret(t, open(t, options(dir, r)), "rotated")
}

func TestUpdate_readOnlyFolderNothingStored_memoryIfAllowed(t *testing.T) {
	t.Parallel()
	dir, r := smallDisk(t), newRing()
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	if err := tryPut(t.Context(), open(t, options(dir, r)), "x"); !errors.Is(err, syscall.EROFS) {
		t.Errorf("error %v", err)
	}
	o := options(dir, r)
	o.AllowMemory = true
	s := open(t, o)
	must(t, s.Prepare(t.Context()))
	put(t, s, "x")
	wantSecret(t, s, "x")
	if s.Kind() != keychain.KindMemory {
		t.Errorf("kind %q", s.Kind())
	}
}
