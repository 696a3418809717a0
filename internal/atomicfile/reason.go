package atomicfile

import (
	"errors"
	"io/fs"
)

// Reason says in our words why a writing to the state folder failed.
func Reason(err error) string {
	switch {
	case isFull(err):
		return "the disk is full"
	case isReadOnly(err):
		return "the file system is read-only"
	case errors.Is(err, fs.ErrPermission):
		return "the state folder cannot be written"
	case errors.Is(err, fs.ErrNotExist):
		return "the state folder is gone"
	default:
		return "writing the file failed"
	}
}
