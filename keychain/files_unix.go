//go:build !windows

package keychain

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

const noFollow = syscall.O_NOFOLLOW

func checkPrivate(path string, info fs.FileInfo) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int64(st.Uid) != int64(os.Geteuid()) {
		return unsafePath(path, "belongs to user "+strconv.FormatUint(uint64(st.Uid), 10), "run payu-mcp as that user, or give another --state-dir")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return unsafePath(path, "is open to other users", "close it: chmod go= "+path)
	}
	return nil
}

func openShared(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|noFollow, 0)
}

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
