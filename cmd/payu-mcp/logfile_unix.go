//go:build !windows

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// openLog opens the log file for appending. What another user has put in its
// place, in a shared folder, is not written to (OAUTH X25): a link of theirs leads
// to a file of ours, and a file of theirs is theirs to read. The system's own
// links, such as /dev/stderr, are fine.
func openLog(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil {
		if err := checkOwner(path, info); err != nil {
			return nil, err
		}
		if info.Mode().Type() == fs.ModeSymlink {
			return os.OpenFile(path, logFlags, logMode) // who owns it chose where it leads
		}
	}
	f, err := os.OpenFile(path, logFlags|syscall.O_NOFOLLOW, logMode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat() // it may be another one by now
	if err == nil {
		err = checkOwner(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkOwner allows files of this user and of root.
func checkOwner(path string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 || int64(st.Uid) == int64(os.Geteuid()) {
		return nil
	}
	return hint.With(fmt.Errorf("%s belongs to user %d", path, st.Uid), "give a path in a folder of your own with --log-file")
}
