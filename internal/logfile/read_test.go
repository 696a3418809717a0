package logfile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/logfile"
)

// put makes one file of a log.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// turn rotates a log by hand.
func turn(t *testing.T, path string) {
	t.Helper()
	base := strings.TrimSuffix(path, ".log")
	for n := 3; n > 1; n-- {
		_ = os.Rename(fmt.Sprintf("%s.%d.log", base, n-1), fmt.Sprintf("%s.%d.log", base, n))
	}
	if err := os.Rename(path, base+".1.log"); err != nil {
		t.Fatal(err)
	}
}

func TestTail_overRotatedFiles_lastLinesInOrder(t *testing.T) {
	t.Parallel()
	path := logfile.Path(t.TempDir(), "shop")
	if lines, err := logfile.Tail(path, 5); len(lines) != 0 || err != nil {
		t.Errorf("without a log: %q, %v", lines, err)
	}
	put(t, path, "1\n2\n")
	turn(t, path)
	put(t, path, "3\n")
	turn(t, path)
	put(t, path, "4\n\n5\n6 is not whole")
	for n, want := range map[int]string{1: "5", 2: "4 5", 3: "3 4 5", 4: "2 3 4 5", 99: "1 2 3 4 5", 0: ""} {
		if lines, err := logfile.Tail(path, n); strings.Join(lines, " ") != want || err != nil {
			t.Errorf("the last %d are %q, %v; want %q", n, lines, err, want)
		}
	}
}

// A log that is followed is read over its beginning and its rotations, each line
// once; that ends when the context does.
func TestFollow_overRotations_eachLineOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := logfile.Path(t.TempDir(), "default")
		var got []string
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- logfile.Follow(ctx, path, 2, func(l string) error { got = append(got, l); return nil })
		}()
		expect := func(want string) {
			t.Helper()
			time.Sleep(2 * time.Second) // of the bubble's clock
			synctest.Wait()
			if strings.Join(got, " ") != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		expect("")
		put(t, path, "a\nb\n")
		expect("a b")
		put(t, path, "half ")
		expect("a b")
		put(t, path, "c\n")
		expect("a b half c")
		turn(t, path)
		expect("a b half c")
		put(t, path, "d\n")
		turn(t, path)
		put(t, path, "e\n")
		turn(t, path)
		put(t, path, "f\n")
		expect("a b half c d e f")
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		got = got[:2]
		ctx, cancel = context.WithCancel(t.Context())
		go func() {
			ended <- logfile.Follow(ctx, path, 3, func(l string) error { got = append(got, l); return nil })
		}()
		expect("a b d e f")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Who opened the file before its rotation may write a last line into it.
func TestFollow_lateLineInTheOldFile_isShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := logfile.Path(t.TempDir(), "default")
		put(t, path, "a\n")
		var got []string
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- logfile.Follow(ctx, path, 9, func(l string) error {
				if got = append(got, l); l == "b" {
					put(t, strings.TrimSuffix(path, ".log")+".1.log", "late\n")
				}
				return nil
			})
		}()
		synctest.Wait()
		put(t, path, "b\n")
		turn(t, path)
		put(t, path, "c\n")
		time.Sleep(time.Second)
		synctest.Wait()
		if !slices.Equal(got, []string{"a", "b", "late", "c"}) {
			t.Errorf("got %q", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// What somebody has removed does not make old lines new ones.
func TestFollow_fileRemoved_olderOnesNotShownAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := logfile.Path(t.TempDir(), "default")
		put(t, path, "a\n")
		turn(t, path)
		put(t, path, "b\n")
		older := strings.TrimSuffix(path, ".log") + ".1.log"
		if err := os.Chtimes(older, time.Time{}, time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
		var got []string
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- logfile.Follow(ctx, path, 1, func(l string) error { got = append(got, l); return nil })
		}()
		synctest.Wait()
		if err := os.Rename(path, path+".away"); err != nil { // removed, to those who look here
			t.Fatal(err)
		}
		put(t, path, "c\n")
		time.Sleep(time.Second)
		synctest.Wait()
		if !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("got %q", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

var errGone = errors.New("nobody reads")

func TestFollow_readerGone_ends(t *testing.T) {
	t.Parallel()
	path := logfile.Path(t.TempDir(), "default")
	put(t, path, "a\n")
	if err := logfile.Follow(t.Context(), path, 1, func(string) error { return errGone }); !errors.Is(err, errGone) {
		t.Errorf("it ended with %v", err)
	}
}
