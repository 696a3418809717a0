package logfile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	variable  = "LOGFILE_TEST_WRITER" // the path for a child of the test
	smallSize = 16 << 10
	writers   = 4
	perWriter = 200
)

// small is a log that is rotated soon.
func small(path string) *Writer {
	f := &File{Path: path, Max: smallSize, Kept: kept}
	return New(func(lines []byte) error { return f.Append(lines, false) }, func(err error) { panic(err) })
}

// TestMain doubles as the process that writes a log.
func TestMain(m *testing.M) {
	path := os.Getenv(variable)
	if path == "" {
		os.Exit(m.Run())
	}
	for i := range perWriter { // a writer for each, so that each line is a writing of its own
		w := small(path)
		_, _ = fmt.Fprintf(w, "%s line %d %s.\n", os.Args[1], i, strings.Repeat("-", 30))
		w.Close(time.Minute)
	}
	os.Exit(0)
}

// Several processes write and rotate at once: each line is there once and whole,
// and no file is too large.
func TestRotate_fourProcesses_noLineLostOrMixed(t *testing.T) {
	t.Parallel()
	path := Path(t.TempDir(), "default")
	if err := os.Chmod(filepath.Dir(filepath.Dir(path)), privateFolder); err != nil {
		t.Fatal(err)
	}
	var children []*exec.Cmd
	for i := range writers {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "w"+strconv.Itoa(i))
		cmd.Env = append(os.Environ(), variable+"="+path)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, cmd)
	}
	for _, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	seen, files := map[string]int{}, 0
	for n := range kept + 2 {
		name := path
		if n > 0 {
			name = rotated(path, n)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		files++
		if len(data) > tooMuch*smallSize || n > kept { // it grows while the one that rotates is not given its turn
			t.Errorf("%s has %d bytes", filepath.Base(name), len(data))
		}
		for line := range strings.Lines(string(data)) {
			if !strings.HasSuffix(line, " "+strings.Repeat("-", 30)+".\n") || strings.Count(line, "line") != 1 {
				t.Fatalf("a mixed line: %q", line)
			}
			seen[line]++
		}
	}
	if len(seen) != writers*perWriter || files < 2 {
		t.Errorf("%d lines of %d in %d files", len(seen), writers*perWriter, files)
	}
	for line, n := range seen {
		if n != 1 {
			t.Errorf("%d times %q", n, line)
		}
	}
}

func TestRotate_cannotBe_growsToALimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, privateFolder); err != nil {
		t.Fatal(err)
	}
	path := Path(dir, "default")
	for n := 1; n <= kept; n++ { // folders that are not empty are in the way of a renaming
		if err := os.MkdirAll(filepath.Join(rotated(path, n), "in"), privateFolder); err != nil {
			t.Fatal(err)
		}
	}
	f := &File{Path: path, Max: smallSize, Kept: kept}
	line := []byte(strings.Repeat("x", 999) + "\n")
	var err error
	wrote := 0
	for ; err == nil && wrote < 1000; wrote++ {
		err = f.Append(line, true)
	}
	if wrote < tooMuch*smallSize/1000 || wrote > tooMuch*smallSize/1000+5 || !strings.Contains(fmt.Sprint(err), "full") {
		t.Errorf("after %d lines: %v", wrote, err)
	}
}
