//go:build !windows

package catalogue_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A catalogue is shown to a model: what another user may have written is none.
func TestLoad_notPrivate_countsAsNone(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"open to the group": func(path string) error { return os.Chmod(path, 0o640) },
		"open to all":       func(path string) error { return os.Chmod(path, 0o602) },
		"a link": func(path string) error {
			target := path + ".target"
			if err := os.Rename(path, target); err != nil {
				return err
			}
			return os.Symlink(filepath.Base(target), path)
		},
		"a FIFO": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return syscall.Mkfifo(path, 0o600)
		},
		"a folder": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		},
		"of another user": func(path string) error {
			if os.Getuid() != 0 {
				return os.Chmod(path, 0o604) // giving it away needs root
			}
			return os.Chown(path, 12345, 12345)
		},
	} {
		s, dir, _ := newShelf(t)
		save(t, s, saved())
		if err := spoil(file(dir, version)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Load(version)
		if got != nil || err == nil || !strings.Contains(err.Error(), "not private") || len(s.Ages()) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err := s.Drop(); err != nil {
			t.Errorf("%s: dropping: %v", name, err)
		}
		if _, err := os.Lstat(file(dir, version)); err == nil {
			t.Errorf("%s: it is still there", name)
		}
	}
}
