package keychain_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/keychain"
)

func TestUpdate_fileName_isGolden(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	put(t, open(t, options(dir, newRing())), "x")
	if got := dirNames(t, dir); got != ".json .lock" {
		t.Errorf("files of the golden name: %q", got)
	}
}

func TestOpen_sameRecordManyTimes_sameFile(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	put(t, open(t, options(dir, r)), "x")
	for range 1000 { // STYLE D1
		wantSecret(t, open(t, options(dir, r)), "x")
	}
	if got := dirNames(t, dir); got != ".json .lock" {
		t.Errorf("files %q", got)
	}
}

func TestOpen_partsThatJoinAlike_differentFiles(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	for _, p := range [][2]string{{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"abc", ""}} {
		o := options(dir, r)
		o.Profile, o.Resource = p[0], p[1]
		put(t, open(t, o), p[0]+"|"+p[1])
	}
	got, err := keychain.List(dir)
	if err != nil || len(got) != 4 {
		t.Errorf("%d records, %v", len(got), err)
	}
}

func TestLoad_nothingStored_nilWithoutKeychain(t *testing.T) {
	t.Parallel()
	r := newRing()
	s := open(t, options(stateDir(t), r))
	wantSecret(t, s, "")
	if gets, sets, _, _ := r.calls(); gets+sets != 0 {
		t.Errorf("%d gets, %d sets; want no call", gets, sets)
	}
}

func TestUpdate_storedRecord_readByAnotherProcess(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	put(t, open(t, options(dir, r)), "rt-1")
	s := open(t, options(dir, r))
	got, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rec("rt-1").Secret, got.Secret); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(string(rec("").Public), string(got.Public)); diff != "" {
		t.Error(diff)
	}
	if s.Kind() != keychain.KindKeychain {
		t.Errorf("kind %q", s.Kind())
	}
}

func TestUpdate_oneProcess_oneKeychainGet(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	put(t, open(t, options(dir, r)), "0")
	before := r.getCalls()
	s := open(t, options(dir, r))
	for i := range 20 {
		put(t, s, fmt.Sprint(i))
		wantSecret(t, s, fmt.Sprint(i))
	}
	if gets, sets, _, _ := r.calls(); gets-before != 1 || sets != 1 {
		t.Errorf("%d gets and %d sets, want 1 and 1", gets-before, sets)
	}
}

func TestUpdate_tokenSizes_allRoundTrip(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 100, 1100, 2560, 2990, 4096, 64 << 10, 6 * 64 << 10} { // OAUTH B7
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			dir, r := stateDir(t), newRing()
			want := strings.Repeat("t", size)
			put(t, open(t, options(dir, r)), want)
			wantSecret(t, open(t, options(dir, r)), want)
			for _, item := range r.items {
				if len(item) != 44 {
					t.Errorf("keychain item of %d bytes, want 44 whatever the token", len(item))
				}
			}
		})
	}
}

func TestUpdate_file_hidesSecretShowsHeader(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	o := options(dir, newRing())
	o.Now = func() time.Time { return time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC) }
	s := open(t, o)
	put(t, s, "secret-refresh-token")
	put(t, s, "secret-refresh-token")
	raw := readFile(t, sealedPath(dir))
	if bytes.Contains(raw, []byte("secret-refresh-token")) {
		t.Error("the token stands in the file")
	}
	h, note, err := keychain.Peek(dir, profile, resource)
	if err != nil || note != (keychain.Note{}) {
		t.Fatal(note, err)
	}
	keyID := h.KeyID
	h.KeyID = ""
	want := &keychain.Header{
		Version: 1, Kind: keychain.KindKeychain, Generation: 2, Profile: profile, Resource: resource,
		SavedAt: time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC), Public: rec("").Public,
	}
	if diff := cmp.Diff(want, h); diff != "" || keyID == "" {
		t.Error(keyID, diff)
	}
}

func TestLoad_otherProcessWrites_isSeen(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	a, b := open(t, options(dir, r)), open(t, options(dir, r))
	for i := range 200 { // quick, equal sizes: what a stat may miss
		want := fmt.Sprintf("token-%03d", i)
		put(t, a, want)
		wantSecret(t, b, want)
	}
}

func TestLoad_unchangedFile_sameRecordWithoutReading(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	o := options(dir, newRing())
	o.Now = func() time.Time { return time.Now().Add(time.Minute) } // the file counts as settled
	s := open(t, o)
	put(t, s, "x")
	first, _ := s.Load(t.Context())
	info, _ := os.Stat(sealedPath(dir))
	// Other bytes behind an equal stat: only a reader would notice.
	raw := readFile(t, sealedPath(dir))
	must(t, os.WriteFile(sealedPath(dir), bytes.Repeat([]byte("!"), len(raw)), 0o600), os.Chtimes(sealedPath(dir), time.Time{}, info.ModTime()))
	second, err := s.Load(t.Context())
	if err != nil || first != second {
		t.Errorf("%p then %p, %v", first, second, err)
	}
}

func TestLoad_logoutAndLoginElsewhere_newKeyIsFetched(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	a, b := open(t, options(dir, r)), open(t, options(dir, r))
	put(t, a, "old")
	wantSecret(t, b, "old")
	must(t, a.Remove(t.Context()))
	wantSecret(t, b, "")
	put(t, b, "new") // b remembers a key that is not in the keychain any more
	wantSecret(t, a, "new")
	wantSecret(t, open(t, options(dir, r)), "new")
}

func TestRecord_printed_showsNoSecret(t *testing.T) {
	t.Parallel()
	log, text := capture()
	log.Info("x", slog.Any("record", *rec("hunter2")), slog.Any("pointer", rec("hunter2")))
	out := text() + fmt.Sprintf("%v %+v %#v %s %x %q", rec("hunter2"), *rec("hunter2"), *rec("hunter2"), rec("hunter2"), *rec("hunter2"), rec("hunter2"))
	if strings.Contains(out, "hunter2") || strings.Contains(out, fmt.Sprintf("%x", "hunter2")) {
		t.Error(out)
	}
}

func TestUpdate_samePointerOrError_nothingWritten(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	s := open(t, options(dir, newRing()))
	boom := errors.New("boom")
	same := func(_ context.Context, cur *keychain.Record) (*keychain.Record, error) { return cur, nil }
	must(t, s.Update(t.Context(), same))
	put(t, s, "x")
	before := readFile(t, sealedPath(dir))
	must(t, s.Update(t.Context(), same))
	err := s.Update(t.Context(), func(context.Context, *keychain.Record) (*keychain.Record, error) { return rec("y"), boom })
	if !errors.Is(err, boom) || !bytes.Equal(before, readFile(t, sealedPath(dir))) {
		t.Errorf("error %v, or the file changed", err)
	}
}

func TestUpdate_contextEndsInFn_resultIsSaved(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	ctx, cancel := context.WithCancel(t.Context())
	err := open(t, options(dir, r)).Update(ctx, func(context.Context, *keychain.Record) (*keychain.Record, error) {
		cancel()
		return rec("rotated"), nil
	})
	must(t, err)
	wantSecret(t, open(t, options(dir, r)), "rotated")
}

func TestUpdate_nil_deletesFileAndKey(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	s := open(t, options(dir, r))
	put(t, s, "x")
	must(t, s.Update(t.Context(), func(context.Context, *keychain.Record) (*keychain.Record, error) { return nil, nil }))
	wantSecret(t, s, "")
	if _, _, _, items := r.calls(); items != 0 || dirNames(t, dir) != ".lock" {
		t.Errorf("%d items, files %q", items, dirNames(t, dir))
	}
}

func TestUpdate_memoryKind_touchesNothing(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	o := options(dir, r)
	o.Kind = keychain.KindMemory
	s := open(t, o)
	must(t, s.Prepare(t.Context()))
	put(t, s, "x")
	wantSecret(t, s, "x")
	must(t, s.Remove(t.Context()))
	wantSecret(t, s, "")
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was made")
	}
	if gets, sets, dels, _ := r.calls(); gets+sets+dels != 0 {
		t.Error("the keychain was asked")
	}
}

// Within the clock tick of a file system two files can have equal stats.
func TestLoad_freshFileEqualStat_isReadAgain(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	s := open(t, options(dir, newRing()))
	put(t, s, "x")
	wantSecret(t, s, "x")
	info, err := os.Stat(sealedPath(dir))
	must(t, err)
	raw := readFile(t, sealedPath(dir))
	must(t, os.WriteFile(sealedPath(dir), bytes.Repeat([]byte("!"), len(raw)), 0o600), os.Chtimes(sealedPath(dir), time.Time{}, info.ModTime()))
	if _, err := s.Load(t.Context()); !errors.Is(err, keychain.ErrDamaged) {
		t.Errorf("error %v", err)
	}
}
