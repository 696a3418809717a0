//go:build !windows

package keychain

import (
	"errors"
	"io/fs"
	"syscall"
)

const noFollow = syscall.O_NOFOLLOW

// reason says in our words why a write failed.
func reason(err error) string {
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
