//go:build !windows

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

const noFollow = syscall.O_NOFOLLOW

func replace(temp, path string) error {
	err := os.Rename(temp, path)
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}

// SyncFolder makes what was created or renamed in a folder survive a power cut. Some file systems cannot sync
// a folder and say so with EINVAL: there is nothing more to be had from those.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
