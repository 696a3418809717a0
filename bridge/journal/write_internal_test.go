package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const (
	variable  = "JOURNAL_TEST_WRITER" // the state folder for a child of the test
	writers   = 4
	perWriter = 40
)

// TestMain doubles as a process that makes entries, half of them without an end.
func TestMain(m *testing.M) {
	dir := os.Getenv(variable)
	if dir == "" {
		os.Exit(m.Run())
	}
	j := small(dir)
	for i := range perWriter {
		id, err := j.Begin(context.Background(), Call{Tool: "create", InvoiceNumber: os.Args[1] + "-" + strconv.Itoa(i)})
		if err != nil {
			panic(err)
		}
		if i%2 == 0 {
			j.End(id, Done)
		}
	}
	_, _ = os.Stderr.WriteString("ready\n")
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed; select {} would end it as a deadlock
	runtime.KeepAlive(j)
}

// small is a journal that is rotated soon.
func small(dir string) *Journal {
	j := Open(dir, "default", slog.New(slog.DiscardHandler))
	j.file.Max = 5 << 10
	return j
}

func private(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Several processes write and rotate at once and are killed: each entry is there
// once, and those without an end are of unknown outcome.
func TestJournal_processesKilled_eachEntryOnce(t *testing.T) {
	t.Parallel()
	dir := private(t)
	var children []*exec.Cmd
	for i := range writers {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "w"+strconv.Itoa(i))
		cmd.Env = append(os.Environ(), variable+"="+dir)
		if _, err := cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || said != "ready\n" {
			t.Errorf("%q, %v", said, err)
		}
		children = append(children, cmd)
	}
	tally := func() map[Outcome]int {
		l, err := Read(dir, "default")
		if err != nil || l.Damaged > 0 {
			t.Fatalf("%d damaged lines, %v", l.Damaged, err)
		}
		counts, seen := map[Outcome]int{}, map[string]bool{}
		for _, e := range l.Entries {
			counts[e.Outcome]++
			if seen[e.InvoiceNumber] {
				t.Errorf("%s is there twice", e.InvoiceNumber)
			}
			seen[e.InvoiceNumber] = true
		}
		return counts
	}
	half := writers * perWriter / 2
	if c := tally(); c[Running] != half || c[Done] != half {
		t.Errorf("while they run: %v", c)
	}
	for _, cmd := range children {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if c := tally(); c[Unknown] != half || c[Done] != half {
		t.Errorf("after they were killed: %v", c)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, folder, "*"+suffix)); len(files) < 2 {
		t.Errorf("not rotated: %v", files)
	}
}

// What the killed have left is taken away, but for the file of a process that may
// be about to lock it.
func TestRuns_leftovers_removedWhenOld(t *testing.T) {
	t.Parallel()
	r := runs{private(t), "default"}
	release, err := r.hold("000000000001")
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"000000000002", "000000000003"} {
		if err := os.WriteFile(r.path(run), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range []string{"000000000001", "000000000002"} {
		if err := os.Chtimes(r.path(run), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if l := r.living(); len(l) != 1 || !l["000000000001"] {
		t.Errorf("%v", l)
	}
	for run, want := range map[string]bool{"000000000001": true, "000000000002": false, "000000000003": true} {
		if _, err := os.Stat(r.path(run)); (err == nil) != want {
			t.Errorf("%s: %v", run, err)
		}
	}
	release()
	if l := r.living(); len(l) != 0 {
		t.Errorf("%v", l)
	}
}

// disk is a disk that a test lets hang, fail, and count.
type disk struct {
	mu    sync.Mutex
	lines []byte
	syncs int
	fail  error
	hang  chan struct{} // nil: it does not
}

func (d *disk) store(lines []byte, durable bool) error {
	d.mu.Lock()
	hang := d.hang
	d.mu.Unlock()
	if hang != nil {
		<-hang
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.lines = append(d.lines, lines...)
	if durable {
		d.syncs++
	}
	return nil
}

func (d *disk) count(what string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Count(d.lines, []byte(what))
}

func on(d *disk) *Journal {
	j := Open("unused", "default", slog.New(slog.DiscardHandler))
	j.store = d.store
	return j
}

// Calls that come while the disk is busy share the next sync.
func TestJournal_manyAtOnce_shareASync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &disk{hang: make(chan struct{})}
		j := on(d)
		var calls sync.WaitGroup
		for range 64 {
			calls.Go(func() {
				if _, err := j.Begin(t.Context(), Call{Tool: "x"}); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(d.hang)
		calls.Wait()
		if n := d.count(`"begun"`); n != 64 || d.syncs > 2 {
			t.Errorf("%d lines, %d syncs", n, d.syncs)
		}
		j.Close(time.Second)
	})
}

// A disk that hangs holds a call up for ten seconds, and an answer for one; what
// it is owed comes in order when it wakes up.
func TestJournal_diskHangs_limits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		j := on(d)
		id, err := j.Begin(t.Context(), Call{Tool: "x"})
		if err != nil {
			t.Fatal(err)
		}
		d.hang = make(chan struct{})
		since := time.Now()
		j.End(id, Done)
		if took := time.Since(since); took != endLimit {
			t.Errorf("an answer waited for %s", took)
		}
		since = time.Now()
		if _, err := j.Begin(t.Context(), Call{Tool: "x"}); !errors.Is(err, errHangs) || time.Since(since) != beginLimit {
			t.Errorf("%v after %s", err, time.Since(since))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := j.Begin(ctx, Call{Tool: "x"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled: %v", err)
		}
		close(d.hang)
		synctest.Wait()
		if b, s, n := d.count(`"begun"`), d.count(`"not_sent"`), d.count(`"done"`); b != 3 || s != 2 || n != 1 {
			t.Errorf("%d begun, %d not sent, %d done: %s", b, s, n, d.lines)
		}
		j.Close(time.Second)
		if _, err := j.Begin(t.Context(), Call{Tool: "x"}); !errors.Is(err, errClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// Ends that cannot be written are kept for the time when they can, up to a limit.
func TestJournal_diskFull_endsOwed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &disk{fail: errors.New("full")}
		j := on(d)
		for range 1500 {
			j.End(strings.Repeat("0", idLength), Done)
		}
		j.mu.Lock()
		owed := len(j.owed)
		j.mu.Unlock()
		if owed > maxOwed || owed < maxOwed/2 {
			t.Errorf("%d bytes are owed", owed)
		}
		d.mu.Lock()
		d.fail = nil
		d.mu.Unlock()
		time.Sleep(retryPause + time.Second)
		synctest.Wait()
		if n := d.count(`"done"`); n < maxOwed/200 {
			t.Errorf("%d ends came", n)
		}
		j.Close(time.Second)
	})
}

func TestNames_manyIDs_noneTwice(t *testing.T) {
	t.Parallel()
	n, seen := newNames(), map[string]bool{}
	for range 100000 {
		id := n.next()
		if seen[id] || !isName(id, idLength) {
			t.Fatalf("%q", id)
		}
		seen[id] = true
	}
}
