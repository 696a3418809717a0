package keychain

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

const noFollow = 0

// checkPrivate trusts the folder's inherited ACL: the user's profile is private
// on Windows, and mode bits mean nothing there.
func checkPrivate(string, fs.FileInfo) error { return nil }

// openShared tries again for some milliseconds when a writer replaces the file
// just now.
func openShared(path string) (*os.File, error) {
	const tries, pause = 20, 10 * time.Millisecond
	var f *os.File
	var err error
	for range tries {
		f, err = os.Open(path)
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			break
		}
		time.Sleep(pause)
	}
	return f, err
}

// reason says in our words why a write failed.
func reason(err error) string {
	switch {
	case errors.Is(err, windows.ERROR_DISK_FULL), errors.Is(err, windows.ERROR_HANDLE_DISK_FULL):
		return "the disk is full"
	case errors.Is(err, windows.ERROR_WRITE_PROTECT):
		return "the file system is read-only"
	case errors.Is(err, fs.ErrPermission):
		return "the state folder cannot be written"
	case errors.Is(err, fs.ErrNotExist):
		return "the state folder is gone"
	default:
		return "writing the file failed"
	}
}
