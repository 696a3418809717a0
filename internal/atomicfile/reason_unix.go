//go:build !windows

package atomicfile

import (
	"errors"
	"io/fs"
	"syscall"
)

// Reason says in our words why a writing to the state folder failed.
func Reason(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk is full"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only"
	case errors.Is(err, fs.ErrPermission):
		return "the state folder cannot be written"
	case errors.Is(err, fs.ErrNotExist):
		return "the state folder is gone"
	default:
		return "writing the file failed"
	}
}
