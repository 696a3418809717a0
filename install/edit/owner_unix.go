//go:build !windows

package edit

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// sameOwner gives temp the owner and group of old. Who may not do that may not
// replace the file either: it would become theirs.
func sameOwner(temp *os.File, old fs.FileInfo, perm fs.FileMode) error {
	want, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	info, err := temp.Stat()
	if err != nil {
		return err
	}
	if have, ok := info.Sys().(*syscall.Stat_t); ok && have.Uid == want.Uid && have.Gid == want.Gid {
		return nil
	}
	if err := temp.Chown(int(want.Uid), int(want.Gid)); err != nil {
		return fmt.Errorf("it belongs to user %d, group %d: %w", want.Uid, want.Gid, err)
	}
	return temp.Chmod(perm) // changing the owner may have changed it
}
