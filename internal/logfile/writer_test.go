package logfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/logfile"
)

// flush writes what waits.
func flush(t *testing.T, w *logfile.Writer) {
	t.Helper()
	const limit = 10 * time.Second
	since := time.Now()
	w.Close(limit)
	if time.Since(since) >= limit {
		t.Fatal("the writer has not ended")
	}
}

func write(t *testing.T, w *logfile.Writer, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if n, err := w.Write([]byte(l + "\n")); n != len(l)+1 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
}

// settle lets the bubble's clock run until all that waits is written.
func settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWriter_firstLine_makesPrivateFolderAndFile(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "a", "state")
	path := logfile.Path(state, "default")
	w := logfile.Open(path, func(err error) { t.Error(err) })
	if _, err := os.Stat(state); err == nil {
		t.Error("the folder is there before a line is")
	}
	write(t, w, "one", "two")
	flush(t, w)
	w = logfile.Open(path, nil) // the next process
	write(t, w, "three")
	flush(t, w)
	if got := content(t, path); got != "one\ntwo\nthree\n" {
		t.Errorf("the log is %q", got)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): os.ModeDir | 0o700, state: os.ModeDir | 0o700} {
		if info, err := os.Stat(p); err != nil || info.Mode() != want && !windows() {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
}

// A disk that hangs holds nobody up; what is too much is dropped and counted.
func TestWriter_diskHangs_nobodyWaitsAndTheLossIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		var mu sync.Mutex
		var got strings.Builder
		w := logfile.New(func(lines []byte) error {
			<-hang
			mu.Lock()
			defer mu.Unlock()
			got.Write(lines)
			return nil
		}, nil)
		line := strings.Repeat("x", 1023)
		for range 1000 {
			write(t, w, line)
		}
		settle() // the writer hangs; all writes have returned
		since := time.Now()
		w.Close(time.Second)
		if took := time.Since(since); took != time.Second {
			t.Errorf("Close has waited for %v", took)
		}
		write(t, w, "too late")
		close(hang)
		settle()
		mu.Lock()
		defer mu.Unlock()
		lines := strings.Count(got.String(), line)
		if lines < 200 || lines > 600 || !strings.Contains(got.String(), `msg="lines of this log were dropped"`) || strings.Contains(got.String(), "too late") {
			t.Errorf("%d of 1000 lines, and: %.300q", lines, strings.ReplaceAll(got.String(), line, ""))
		}
	})
}

var errFull = errors.New("no space left on device")

// A disk that is full costs lines and nothing else; it is told when it begins.
func TestWriter_diskFull_toldOnceThenGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defer settle()
		full := true
		var got strings.Builder
		var told []error
		w := logfile.New(func(lines []byte) error {
			if full {
				return errFull
			}
			got.Write(lines)
			return nil
		}, func(err error) { told = append(told, err) })
		for range 3 {
			write(t, w, "lost")
			settle()
		}
		full = false
		write(t, w, "kept")
		settle()
		full = true
		write(t, w, "lost")
		settle()
		if len(told) != 2 || !errors.Is(told[0], errFull) {
			t.Errorf("told %v, want it twice", told)
		}
		lines := strings.Split(got.String(), "\n")
		if len(lines) != 3 || lines[0] != "kept" || !strings.HasSuffix(lines[1], " lines=3") {
			t.Errorf("the log is %q", lines)
		}
	})
}

// A state folder that cannot be written is one that is a file: root may write
// everywhere else.
func TestWriter_noFolderToBeHad_toldAndCured(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(state, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 9)
	w := logfile.Open(logfile.Path(state, "default"), func(err error) { told <- err })
	write(t, w, "lost")
	if err := <-told; !strings.Contains(err.Error(), "opening "+logfile.Path(state, "default")+": ") {
		t.Errorf("told %v", err)
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	write(t, w, "kept")
	flush(t, w)
	if got := content(t, logfile.Path(state, "default")); !strings.HasPrefix(got, "kept\n") {
		t.Errorf("the log is %q", got)
	}
}
