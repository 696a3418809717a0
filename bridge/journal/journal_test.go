package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

const (
	profile   = "default"
	requestID = "46deb1c7-0dda-4ed2-badf-c2eed8da2f9b"
)

func stateDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j := journal.Open(dir, profile, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { j.Close(time.Minute) })
	return j
}

func begin(t testing.TB, j *journal.Journal, invoice string) (id string) {
	t.Helper()
	id, err := j.Begin(t.Context(), journal.Call{Tool: "create", InvoiceNumber: invoice, RequestID: requestID})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func read(t testing.TB, dir string) journal.Listing {
	t.Helper()
	l, err := journal.Read(dir, profile)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// outcomes are those of a listing, by invoice number.
func outcomes(l journal.Listing) string {
	var all []string
	for _, e := range l.Entries {
		all = append(all, e.InvoiceNumber+" "+string(e.Outcome))
	}
	return strings.Join(all, ", ")
}

func TestJournal_entry_fromBeginToEnd(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	if l := read(t, dir); len(l.Entries) != 0 {
		t.Errorf("before the first call: %+v", l)
	}
	j := open(t, dir)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it is there before the first call: %v, %v", left, err)
	}
	since := time.Now().Add(-time.Second)
	ids := map[string]journal.Outcome{}
	for _, o := range []journal.Outcome{journal.Done, journal.Failed, journal.Asked, journal.NotSent, journal.Unknown} {
		id := begin(t, j, string(o))
		if err := j.Again(t.Context(), id, requestID[:35]+"0"); err != nil {
			t.Fatal(err)
		}
		ids[id] = o
		if l := read(t, dir); l.Entries[len(l.Entries)-1].Outcome != journal.Running || !l.Entries[len(l.Entries)-1].Ended.IsZero() {
			t.Errorf("while it runs: %+v", l)
		}
		j.End(id, o)
	}
	begin(t, j, "left")
	if got := outcomes(read(t, dir)); got != "done done, failed failed, asked asked, not_sent not_sent, unknown unknown, left running" {
		t.Error(got)
	}
	j.Close(time.Minute)
	l := read(t, dir)
	if got := outcomes(l); got != "done done, failed failed, asked asked, not_sent not_sent, unknown unknown, left unknown" {
		t.Error(got)
	}
	for _, e := range l.Entries[:5] {
		if ids[e.ID] != e.Outcome || e.Tool != "create" || e.RequestID != requestID[:35]+"0" || e.Begun.Before(since) || e.Ended.Before(e.Begun) || len(e.ID) != 6 {
			t.Errorf("%+v", e)
		}
	}
	info, err := os.Stat(journal.Path(dir, profile))
	if err != nil || info.Mode().Perm()&0o077 != 0 && !windows() {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(journal.Path(dir, profile)), "*.run")); err != nil || len(left) > 0 {
		t.Errorf("left after the end: %v, %v", left, err)
	}
	if other, err := journal.Read(dir, "other"); err != nil || len(other.Entries) > 0 {
		t.Errorf("another profile has %+v, %v", other, err)
	}
}

// What cannot be written is said, with what helps, and is made up for later.
func TestJournal_cannotBeWritten_saidAndMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := stateDir(t)
		var log bytes.Buffer
		j := journal.Open(dir, profile, slog.New(slog.NewTextHandler(&log, nil)))
		id := begin(t, j, "A")
		path, aside := journal.Path(dir, profile), filepath.Join(dir, "aside")
		swap := func(from, to string) {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
		swap(path, aside)
		if err := os.Mkdir(path, 0o700); err != nil { // in the way
			t.Fatal(err)
		}
		for range 2 {
			_, err := j.Begin(t.Context(), journal.Call{Tool: "create", InvoiceNumber: "B", RequestID: requestID})
			if err == nil || hint.Of(err) == "" {
				t.Errorf("%v, hint %q", err, hint.Of(err))
			}
		}
		if err := j.Again(t.Context(), id, requestID); err == nil {
			t.Error("a second try was not refused")
		}
		j.End(id, journal.Done)
		if n := strings.Count(log.String(), "cannot be written"); n != 1 {
			t.Errorf("the log tells it %d times: %s", n, &log)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		swap(aside, path)
		time.Sleep(6 * time.Second) // of the bubble's clock
		synctest.Wait()
		l := read(t, dir)
		if got := outcomes(l); got != "A done" || l.Damaged != 0 {
			t.Errorf("%s, %d damaged lines", got, l.Damaged)
		}
		j.Close(time.Minute)
	})
}

// Lines of others, or of a writing that broke off, are left out and counted.
func TestRead_damagedLines_countedNothingElseLost(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	j := open(t, dir)
	j.End(begin(t, j, "A"), journal.Done)
	path := journal.Path(dir, profile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.Fields(string(content))
	begun := whole[0]
	for _, c := range []struct {
		text    string
		damaged int
	}{
		{"", 0},
		{"\n\n\x00\x00\x00\n \n", 0},
		{begun[:len(begun)-9], 1},
		{"not JSON\n{}\n[]\nnull\n", 4},
		{strings.Replace(begun, `"begun"`, `"other"`, 1), 1},
		{strings.Replace(begun, `"begun"`, `"ended"`, 1), 1}, // with no outcome
		{strings.Replace(whole[1], `"done"`, `"running"`, 1), 1},
		{strings.Replace(begun, `"id":"`, `"id":"\u001b[31m`, 1), 1},
		{`{"tool":"` + strings.Repeat("x", 5000) + `"}`, 1},
		{begun + "\n" + begun, 0}, // a file that is met twice
		{strings.Replace(whole[1], `"run":"`, `"run":"000000`, 1), 1},
	} {
		if err := os.WriteFile(path, []byte(c.text+string(content)+c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		j.End(begin(t, j, "B"), journal.Failed)
		l := read(t, dir)
		if got := outcomes(l); got != "A done, B failed" || l.Damaged != 2*c.damaged || l.Cut {
			t.Errorf("%.80q: %s, %d damaged lines", c.text, got, l.Damaged)
		}
	}
}

// A huge file is read at its end only, and that is said.
func TestRead_hugeFile_endOnly(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	j := open(t, dir)
	begin(t, j, "A")
	path := journal.Path(dir, profile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 1 << 32
	if err := errors.Join(f.Truncate(0), f.Truncate(size)); err != nil {
		t.Skip("this file system has no files with holes:", err)
	}
	if _, err := f.WriteAt(content, size); err != nil {
		t.Fatal(err)
	}
	if l := read(t, dir); !l.Cut || outcomes(l) != "A running" {
		t.Errorf("%+v", l)
	}
}

// Texts of others are fit for a terminal, and short, in the file and out of it.
func TestJournal_textsOfOthers_printable(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	j := open(t, dir)
	for _, c := range []journal.Call{
		{Tool: "a\x1b[31m", InvoiceNumber: "I\x1b]0;x\a\n{\"event\":\"begun\"}\u202e", RequestID: "r\r\n"},
		{Tool: strings.Repeat("t", 1<<20), InvoiceNumber: strings.Repeat("é", 1<<20), RequestID: strings.Repeat("r", 1<<20)},
		{Tool: "bad\xff", InvoiceNumber: "bad\xff", RequestID: ""},
	} {
		if _, err := j.Begin(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	l := read(t, dir)
	if len(l.Entries) != 3 || l.Damaged != 0 {
		t.Fatalf("%+v", l)
	}
	for _, e := range l.Entries {
		for _, text := range []string{e.Tool, e.InvoiceNumber, e.RequestID} {
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e }) || len([]rune(text)) > 103 {
				t.Errorf("%.200q", text)
			}
		}
	}
	if info, err := os.Stat(journal.Path(dir, profile)); err != nil || info.Size() > 4000 {
		t.Errorf("%d bytes", info.Size())
	}
}

func TestCheck_unknownEntry_notOpenAnyMore(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	j := open(t, dir)
	lost, done, runs := begin(t, j, "A"), begin(t, j, "B"), begin(t, j, "C")
	j.End(lost, journal.Unknown)
	j.End(done, journal.Done)
	if l := read(t, dir); !l.Entries[0].Open() || l.Entries[1].Open() || l.Entries[2].Open() {
		t.Errorf("%+v", l)
	}
	for _, id := range []string{done, runs, "zzzzzz", ""} {
		if err := journal.Check(dir, profile, id); !errors.Is(err, journal.ErrNoEntry) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{" " + strings.ToUpper(lost) + "\n", lost} { // twice does no harm
		if err := journal.Check(dir, profile, id); err != nil {
			t.Error(err)
		}
	}
	l := read(t, dir)
	if e := l.Entries[0]; e.Open() || e.Outcome != journal.Unknown || time.Since(e.Checked) > time.Minute || l.Damaged != 0 {
		t.Errorf("%+v", l)
	}
}

// What another user has put in its place, or could read, is neither written to nor
// shown.
func TestJournal_planted_refused(t *testing.T) {
	t.Parallel()
	if windows() {
		t.Skip("modes mean nothing there")
	}
	for name, plant := range map[string]func(path string) error{
		"open to the group": func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o640)) },
		"a link":            func(path string) error { return os.Symlink(path+".elsewhere", path) },
		"a folder":          func(path string) error { return os.Mkdir(path, 0o700) },
		"its folder is open": func(path string) error {
			return os.Chmod(filepath.Dir(path), 0o777)
		},
	} {
		dir := stateDir(t)
		path := journal.Path(dir, profile)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), plant(path)); err != nil {
			t.Fatal(err)
		}
		j := open(t, dir)
		if _, err := j.Begin(t.Context(), journal.Call{Tool: "x"}); err == nil || hint.Of(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := journal.Read(dir, profile); name != "its folder is open" && !errors.Is(err, privatefile.ErrUnsafe) {
			t.Errorf("reading %s: %v", name, err)
		}
	}
}

func TestNormal_asTyped(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"7K3F9Q": "7k3f9q", " oIl123 ": "011123", "": ""} {
		if got := journal.Normal(typed); got != want {
			t.Errorf("%q: %q", typed, got)
		}
	}
}

func BenchmarkBegin(b *testing.B) {
	for _, at := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d at once", at), func(b *testing.B) {
			j := open(b, stateDir(b))
			b.SetParallelism(at)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					id, err := j.Begin(b.Context(), journal.Call{Tool: "create", InvoiceNumber: "INV-1", RequestID: requestID})
					if err != nil {
						b.Error(err)
						return
					}
					j.End(id, journal.Done)
				}
			})
		})
	}
}
