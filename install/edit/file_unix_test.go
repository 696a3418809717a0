//go:build !windows

package edit_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

func TestRead_pipe_refusedAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := edit.Read(path); !errors.Is(err, edit.ErrRefused) {
		t.Error(err)
	}
}

// asNobody runs this very test in a process of a user who may do little.
func asNobody(t *testing.T) {
	t.Helper()
	const self, nobody = "/proc/self/exe", 65534
	if _, err := os.Stat(self); err != nil {
		t.Skip("only where a program finds itself can root become somebody else:", err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestReplace_folderReadOnly_untouched(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 { // who may write everywhere
		asNobody(t)
		return
	}
	dir := t.TempDir()
	path := put(t, filepath.Join(dir, "c.json"), "old")
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if backup, err := read(t, path).Replace([]byte("new"), noon); !errors.Is(err, fs.ErrPermission) || backup != "" || onDisk(t, path) != "old" || list(t, dir) != "c.json" {
		t.Error(backup, err, list(t, dir))
	}
}

// A process may write files up to a limit only: the same as a full disk, which
// fails in the middle of a write.
func TestReplace_noSpace_untouched(t *testing.T) {
	var old syscall.Rlimit // of the process, so not parallel
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Skip(err)
	}
	for name, size := range map[string]int{"for the copy": 100, "for the file": 10} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			before := string(make([]byte, size))
			path := put(t, filepath.Join(dir, "c.json"), before)
			f := read(t, path)
			small := old
			small.Cur = 50
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
				t.Skip(err)
			}
			backup, err := f.Replace(make([]byte, 200), noon)
			if back := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); back != nil {
				t.Fatal(back)
			}
			if !errors.Is(err, syscall.EFBIG) || backup != "" || onDisk(t, path) != before || list(t, dir) != "c.json" {
				t.Error(backup, err, list(t, dir))
			}
		})
	}
}

func TestReplace_otherOwner_keptByRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	path := put(t, filepath.Join(t.TempDir(), "c.json"), "old")
	if err := os.Chown(path, 12345, 23456); err != nil {
		t.Skip(err)
	}
	backup, err := read(t, path).Replace([]byte("new"), noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, backup} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != 12345 || st.Gid != 23456 || info.Mode() != 0o640 {
			t.Errorf("%s: %+v %v", p, st, info.Mode())
		}
	}
}
