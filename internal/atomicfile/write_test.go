package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
)

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWrite_newAndOldFile_replacedNothingLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, want := range []string{"one", "two, longer", ""} {
		if err := atomicfile.Write(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != want || names(t, dir) != "f" {
			t.Errorf("content %q, files %q", got, names(t, dir))
		}
	}
}

func TestWrite_symlink_isReplacedNotFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, target := filepath.Join(dir, "f"), filepath.Join(t.TempDir(), "target")
	if err := os.WriteFile(target, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err)
	}
	if err := atomicfile.Write(path, []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || content(t, target) != "theirs" || content(t, path) != "ours" {
		t.Errorf("%v, %v, target %q", info, err, content(t, target))
	}
}

func TestWrite_cannotReplace_oldStaysNothingLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.MkdirAll(filepath.Join(path, "sub"), 0o700); err != nil { // a folder cannot be replaced by a file
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("x"), 0o600); err == nil || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("error %v", err)
	}
	if got := names(t, dir); got != "f" {
		t.Errorf("files %q", got)
	}
}

func TestWrite_noFolder_error(t *testing.T) {
	t.Parallel()
	err := atomicfile.Write(filepath.Join(t.TempDir(), "no", "f"), nil, 0o600)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestWrite_manyAtOnce_oneWholeContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := atomicfile.Write(path, []byte(strings.Repeat(string(rune('a'+i)), 10000)), 0o600); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := content(t, path)
	if len(got) != 10000 || strings.Trim(got, got[:1]) != "" || names(t, dir) != "f" {
		t.Errorf("%d bytes, files %q", len(got), names(t, dir))
	}
}

func TestWriteIf_notReady_oldStaysNothingLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	err := atomicfile.WriteIf(path, []byte("new"), 0o600, func(temp *os.File) error {
		if got := content(t, temp.Name()); got != "new" {
			t.Errorf("the temporary file has %q", got)
		}
		return no
	})
	if !errors.Is(err, no) || content(t, path) != "old" || names(t, dir) != "f" {
		t.Errorf("%v, content %q, files %q", err, content(t, path), names(t, dir))
	}
}

func TestSweep_leftovers_onlyThoseOfThePath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left := "f.ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp"
	keep := "f f.json f.tmp g.ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp"
	for _, n := range append(strings.Fields(keep), left) {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.Sweep(filepath.Join(dir, "f")); err != nil || names(t, dir) != keep {
		t.Errorf("%v, files %q", err, names(t, dir))
	}
	if err := atomicfile.Sweep(filepath.Join(dir, "no", "f")); err == nil {
		t.Error("no error without a folder")
	}
}

var _ func(string, []byte, fs.FileMode) error = atomicfile.Write // the form that callers inject
