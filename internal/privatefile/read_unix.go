//go:build !windows

package privatefile

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// CheckOwner refuses a file or folder that is not this user's alone.
func CheckOwner(path string, info fs.FileInfo) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int64(st.Uid) != int64(os.Geteuid()) {
		return Unsafe(path, "belongs to user "+strconv.FormatUint(uint64(st.Uid), 10), "run payu-mcp as that user, or give another --state-dir")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Unsafe(path, "is open to other users", "close it: chmod go= "+path)
	}
	return nil
}

// Open opens for reading, and follows no symbolic link.
func Open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
}
