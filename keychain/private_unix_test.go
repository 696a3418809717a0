//go:build !windows

package keychain_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

func TestUpdate_umaskZero_privateModes(t *testing.T) {
	old := syscall.Umask(0) // process-wide, so not parallel
	defer syscall.Umask(old)
	dir := stateDir(t)
	o := options(dir, newRing())
	o.Kind = keychain.KindFile
	put(t, open(t, o), "x")
	for name, want := range map[string]fs.FileMode{"": 0o700, base + ".json": 0o600, base + ".lock": 0o600, base + ".key": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: mode %v, want %v (%v)", name, info.Mode().Perm(), want, err)
		}
	}
}

func TestOpen_unsafePlaces_refused(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, dir string){
		"folder open to group": func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o700), os.Chmod(dir, 0o750)) },
		"folder is a link":     func(t *testing.T, dir string) { must(t, os.Symlink(t.TempDir(), dir)) },
		"file open to others": func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700), os.WriteFile(sealedPath(dir), nil, 0o600), os.Chmod(sealedPath(dir), 0o604))
		},
		"file is a link": func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700), os.Symlink("/etc/passwd", sealedPath(dir)))
		},
		"file is a FIFO": func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o700), syscall.Mkfifo(sealedPath(dir), 0o600)) },
		"lock is a link": func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700), os.Symlink(filepath.Join(t.TempDir(), "x"), filepath.Join(dir, base+".lock")))
		},
	}
	for name, plant := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := stateDir(t)
			plant(t, dir)
			s, err := keychain.Open(options(dir, newRing()))
			if err == nil {
				err = tryPut(t.Context(), s, "x")
			}
			if !errors.Is(err, keychain.ErrUnsafe) || hint.Of(err) == "" {
				t.Errorf("error %v with hint %q", err, hint.Of(err))
			}
		})
	}
}

func TestOpen_foreignOwner_refused(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("giving a folder away needs root")
	}
	dir := stateDir(t)
	must(t, os.Mkdir(dir, 0o700), os.Chown(dir, 12345, 12345))
	if _, err := keychain.Open(options(dir, newRing())); !errors.Is(err, keychain.ErrUnsafe) {
		t.Errorf("error %v", err)
	}
}
