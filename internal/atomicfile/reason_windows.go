package atomicfile

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"
)

// Reason says in our words why a writing to the state folder failed.
func Reason(err error) string {
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
