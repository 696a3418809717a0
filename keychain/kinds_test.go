package keychain_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/keychain"
)

func ofKind(dir string, r *ring, k keychain.Kind) keychain.Options {
	o := options(dir, r)
	o.Kind = k
	return o
}

func TestOpen_unknownKind_error(t *testing.T) {
	t.Parallel()
	if _, err := keychain.Open(ofKind(stateDir(t), newRing(), "cloud")); err == nil {
		t.Error("no error")
	}
}

func TestFileKind_wholeLife_keychainNeverAsked(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	s := open(t, ofKind(dir, r, keychain.KindFile))
	must(t, s.Prepare(t.Context()))
	put(t, s, "x")
	if got := dirNames(t, dir); got != ".json .key .lock" {
		t.Errorf("files %q", got)
	}
	// A bridge that was told nothing finds the kind in the header.
	b := open(t, options(dir, r))
	wantSecret(t, b, "x")
	put(t, b, "y")
	if b.Kind() != keychain.KindFile {
		t.Errorf("kind %q", b.Kind())
	}
	must(t, b.Remove(t.Context()))
	if gets, sets, dels, _ := r.calls(); gets+sets+dels != 0 || dirNames(t, dir) != ".lock" {
		t.Errorf("%d %d %d calls, files %q", gets, sets, dels, dirNames(t, dir))
	}
}

func TestFileKind_keyFileGone_keyMissing(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	put(t, open(t, ofKind(dir, r, keychain.KindFile)), "x")
	must(t, os.Remove(filepath.Join(dir, base+".key")))
	if _, err := open(t, options(dir, r)).Load(t.Context()); !errors.Is(err, keychain.ErrKeyMissing) {
		t.Errorf("error %v", err)
	}
}

func TestUpdate_kindSwitched_oldKeyRemovedAfterSuccess(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	bridge := open(t, options(dir, r))
	put(t, bridge, "one")
	toFile := open(t, ofKind(dir, r, keychain.KindFile))
	must(t, toFile.Prepare(t.Context()))
	wantSecret(t, toFile, "one")
	put(t, toFile, "two")
	if _, _, _, items := r.calls(); items != 0 || dirNames(t, dir) != ".json .key .lock" {
		t.Errorf("%d items, files %q", items, dirNames(t, dir))
	}
	wantSecret(t, bridge, "two")
	put(t, open(t, ofKind(dir, r, keychain.KindKeychain)), "three")
	if _, _, _, items := r.calls(); items != 1 || dirNames(t, dir) != ".json .lock" {
		t.Errorf("%d items, files %q", items, dirNames(t, dir))
	}
	wantSecret(t, bridge, "three")
}

// The hint of a broken keychain is --store=file: it must work, and lose nothing.
func TestUpdate_switchAwayFromBrokenKeychain_oldFileAside(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	put(t, open(t, options(dir, r)), "one")
	raw := readFile(t, sealedPath(dir))
	r.set(func(r *ring) { r.err = errors.New("broken") })
	s := open(t, ofKind(dir, r, keychain.KindFile))
	if _, err := s.Load(t.Context()); !errors.Is(err, keychain.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	must(t, s.Prepare(t.Context()))
	put(t, s, "two")
	wantSecret(t, open(t, options(dir, r)), "two")
	if string(raw) != string(readFile(t, filepath.Join(dir, base+".aside"))) {
		t.Error("the old file is not aside")
	}
	r.set(func(r *ring) { r.err = nil })
	must(t, s.Remove(t.Context()))
	if _, _, _, items := r.calls(); items != 0 || dirNames(t, dir) != ".lock" {
		t.Errorf("after removal: %d items, files %q", items, dirNames(t, dir))
	}
}

func TestList_goodAndBadFiles_allTold(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	if got, err := keychain.List(dir); got != nil || err != nil {
		t.Errorf("no folder: %v, %v", got, err)
	}
	put(t, open(t, options(dir, r)), "x")
	must(t, os.WriteFile(filepath.Join(dir, "credential-zzz.json"), []byte("{"), 0o600),
		os.WriteFile(filepath.Join(dir, "catalogue.json"), []byte("{}"), 0o600))
	got, err := keychain.List(dir)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	if got[0].Header == nil || got[0].Header.Profile != profile || got[0].Err != nil {
		t.Errorf("first entry %+v", got[0])
	}
	if got[1].Header != nil || !errors.Is(got[1].Err, keychain.ErrDamaged) || !strings.HasSuffix(got[1].Path, "zzz.json") {
		t.Errorf("second entry %+v", got[1])
	}
	if h, _, err := keychain.Peek(dir, "nobody", resource); h != nil || err != nil {
		t.Errorf("nothing stored: %v, %v", h, err)
	}
}
