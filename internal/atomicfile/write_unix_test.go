//go:build !windows

package atomicfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
)

func TestWrite_anyUmask_exactMode(t *testing.T) {
	old := syscall.Umask(0) // process-wide, so not parallel
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "f")
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		for _, want := range []fs.FileMode{0o600, 0o644, 0o400} {
			syscall.Umask(umask)
			if err := atomicfile.Write(path, []byte("x"), want); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != want {
				t.Errorf("umask %o: mode %v, want %v", umask, info.Mode(), want)
			}
		}
	}
}
