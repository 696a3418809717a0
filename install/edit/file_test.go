package edit_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.FixedZone("IST", 5*3600+1800))

func put(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil { // not what new files get
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) edit.File {
	t.Helper()
	f, err := edit.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func onDisk(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func list(t *testing.T, dir string) string {
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

func TestReplace_file_newContentOldModeOneBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, filepath.Join(dir, "c.json"), "old")
	backup, err := read(t, path).Replace([]byte("new"), noon)
	if err != nil || backup != path+".payu-mcp.bak-20260304T063000.000Z" {
		t.Fatal(backup, err)
	}
	if onDisk(t, path) != "new" || onDisk(t, backup) != "old" || list(t, dir) != "c.json "+filepath.Base(backup) {
		t.Error(onDisk(t, path), list(t, dir))
	}
	for _, p := range []string{path, backup} {
		if info, err := os.Stat(p); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o640 {
			t.Error(p, info.Mode(), err)
		}
	}
	if backup, err := read(t, path).Replace([]byte("new"), noon); backup != "" || err != nil {
		t.Error("nothing to do:", backup, err)
	}
}

func TestReplace_manyTimes_keepsNewestThree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, filepath.Join(dir, "c.json"), "0")
	others := []string{"c.json.payu-mcp.bak-mine", "c.json.bak", "d.json.payu-mcp.bak-20200101T000000.000Z"}
	for _, o := range others {
		put(t, filepath.Join(dir, o), "")
	}
	for i, at := range []time.Duration{0, time.Second, time.Second, time.Hour, 2 * time.Hour} { // two at the same moment
		if _, err := read(t, path).Replace([]byte{byte('1' + i)}, noon.Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	want := "c.json c.json.bak c.json.payu-mcp.bak-20260304T063001.000Z-2 c.json.payu-mcp.bak-20260304T073000.000Z c.json.payu-mcp.bak-20260304T083000.000Z " + others[0] + " " + others[2]
	if got := list(t, dir); got != want {
		t.Error(got)
	}
	if got := onDisk(t, path+".payu-mcp.bak-20260304T063001.000Z-2"); got != "2" {
		t.Error(got)
	}
}

// A clock that was ahead when the older ones were made does not cost the newest.
func TestReplace_clockWasAhead_newestStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, filepath.Join(dir, "c.json"), "0")
	for i, at := range []time.Duration{24 * time.Hour, 25 * time.Hour, 26 * time.Hour, 0} {
		backup, err := read(t, path).Replace([]byte{byte('1' + i)}, noon.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		if got := onDisk(t, backup); got != string(byte('0'+i)) {
			t.Errorf("the backup after %v holds %q", at, got)
		}
	}
	want := "c.json c.json.payu-mcp.bak-20260304T063000.000Z c.json.payu-mcp.bak-20260305T073000.000Z c.json.payu-mcp.bak-20260305T083000.000Z"
	if got := list(t, dir); got != want {
		t.Error(got)
	}
}

func TestReplace_noFile_madeForItsOwner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b", "c.json")
	f := read(t, path)
	if f.Exists || f.Bytes != nil || f.Target != path {
		t.Errorf("%+v", f)
	}
	backup, err := f.Replace([]byte("new"), noon)
	info, errStat := os.Stat(path)
	if backup != "" || err != nil || errStat != nil || onDisk(t, path) != "new" || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Error(backup, err, errStat, info)
	}
	if _, err := f.Replace([]byte("again"), noon); !errors.Is(err, edit.ErrChanged) || onDisk(t, path) != "new" {
		t.Error("a file that came meanwhile:", err)
	}
}

func TestReplace_changedMeanwhile_untouched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, filepath.Join(dir, "c.json"), "old")
	f := read(t, path)
	put(t, path, "theirs")
	if _, err := f.Replace([]byte("new"), noon); !errors.Is(err, edit.ErrChanged) || onDisk(t, path) != "theirs" || list(t, dir) != "c.json" {
		t.Error(err, list(t, dir))
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Replace([]byte("new"), noon); !errors.Is(err, edit.ErrChanged) || list(t, dir) != "" {
		t.Error(err, list(t, dir))
	}
}

func link(t *testing.T, target, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Skip("no links here:", err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Skip("no links here, though it says so") // Wine
	}
	return path
}

func TestReplace_link_staysAndTargetChanges(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	target := put(t, filepath.Join(home, "dotfiles", "c.json"), "old")
	path := link(t, target, filepath.Join(home, ".host", "c.json"))
	f, err := edit.ReadIn(home, path)
	if err != nil || !strings.HasSuffix(f.Target, filepath.Join("dotfiles", "c.json")) {
		t.Fatal(f.Target, err)
	}
	backup, err := f.Replace([]byte("new"), noon)
	if info, errLink := os.Lstat(path); err != nil || errLink != nil || info.Mode().IsRegular() || onDisk(t, target) != "new" || list(t, filepath.Dir(target)) != "c.json" {
		t.Error(err, errLink, onDisk(t, target), list(t, filepath.Dir(target)))
	}
	if onDisk(t, backup) != "old" || filepath.Dir(backup) != filepath.Dir(path) {
		t.Error(backup)
	}
}

func TestReadIn_links_stayInHome(t *testing.T) {
	t.Parallel()
	home, other := t.TempDir(), t.TempDir()
	outside := put(t, filepath.Join(other, "project", "c.json"), "x")
	for name, path := range map[string]string{
		"file":                     link(t, outside, filepath.Join(home, "f.json")),
		"folder":                   filepath.Join(link(t, filepath.Dir(outside), filepath.Join(home, "d")), "c.json"),
		"from a project elsewhere": link(t, put(t, filepath.Join(home, "secret"), "x"), filepath.Join(other, "p.json")),
		"to nothing":               link(t, filepath.Join(home, "none"), filepath.Join(home, "g.json")),
	} {
		if _, err := edit.ReadIn(home, path); !errors.Is(err, edit.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{outside, filepath.Join(home, "none.json"), link(t, outside, filepath.Join(filepath.Dir(outside), "same.json"))} {
		if _, err := edit.ReadIn(home, path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestRead_noFile_refused(t *testing.T) {
	t.Parallel()
	if _, err := edit.Read(t.TempDir()); !errors.Is(err, edit.ErrRefused) {
		t.Error(err)
	}
}

func TestReplace_writeProtected_refused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, filepath.Join(dir, "c.json"), "old")
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t, path).Replace([]byte("new"), noon); !errors.Is(err, edit.ErrRefused) || onDisk(t, path) != "old" || list(t, dir) != "c.json" {
		t.Error(err, list(t, dir))
	}
}
