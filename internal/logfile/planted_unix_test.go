//go:build !windows

package logfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/logfile"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

func windows() bool { return false }

// What another user has put in the place of the log, or could read, is neither
// written to nor shown; and nobody waits for the reader of a FIFO.
func TestPlanted_fileOrFolder_notWrittenNotRead(t *testing.T) {
	t.Parallel()
	const stranger = 12345
	theirs := func(path string) error { return os.Lchown(path, stranger, stranger) }
	for name, plant := range map[string]func(path, elsewhere string) error{
		"a link":              func(path, elsewhere string) error { return os.Symlink(elsewhere, path) },
		"a stranger's file":   func(path, _ string) error { return errors.Join(os.WriteFile(path, nil, 0o600), theirs(path)) },
		"open to the group":   func(path, _ string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o640)) },
		"a FIFO":              func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"a folder":            func(path, _ string) error { return os.Mkdir(path, 0o700) },
		"its folder is open":  func(path, _ string) error { return os.Chmod(filepath.Dir(path), 0o770) },
		"a stranger's folder": func(path, _ string) error { return theirs(filepath.Dir(path)) },
		"the state folder is open": func(path, _ string) error {
			return os.Chmod(filepath.Dir(filepath.Dir(path)), 0o777)
		},
		"the folder is a link": func(path, elsewhere string) error {
			return errors.Join(os.Remove(filepath.Dir(path)), os.Mkdir(elsewhere+".d", 0o700), os.Symlink(elsewhere+".d", filepath.Dir(path)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, elsewhere := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "elsewhere")
			path := logfile.Path(state, "default")
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(elsewhere, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			if err := plant(path, elsewhere); errors.Is(err, syscall.EPERM) {
				t.Skip("giving a file away needs root")
			} else if err != nil {
				t.Fatal(err)
			}
			told := make(chan error, 1)
			w := logfile.Open(path, func(err error) { told <- err })
			write(t, w, "secret")
			select {
			case err := <-told:
				t.Log(err)
			case <-time.After(10 * time.Second):
				t.Error("nobody was told")
			}
			flush(t, w)
			if info, err := os.Stat(elsewhere); err != nil || info.Size() > 0 {
				t.Error("a link was followed")
			}
			if left, err := os.ReadDir(elsewhere + ".d"); err == nil && len(left) > 0 {
				t.Error("a link was followed")
			}
			_, err := logfile.Tail(path, 9)
			isFile := name != "its folder is open" && name != "a stranger's folder" && name != "the state folder is open" && name != "the folder is a link"
			if isFile && !errors.Is(err, privatefile.ErrUnsafe) {
				t.Errorf("reading it: %v", err)
			}
		})
	}
}
