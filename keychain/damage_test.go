package keychain_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// damage returns the content of a good file after f changed it.
func damage(t *testing.T, dir string, r *ring, f func(raw []byte) []byte) []byte {
	t.Helper()
	put(t, open(t, options(dir, r)), "good")
	raw := f(readFile(t, sealedPath(dir)))
	must(t, os.WriteFile(sealedPath(dir), raw, 0o600))
	return raw
}

func replaceIn(old, changed string) func([]byte) []byte {
	return func(raw []byte) []byte { return bytes.Replace(raw, []byte(old), []byte(changed), 1) }
}

// flip changes one byte inside the base64 field.
func flip(field string) func([]byte) []byte {
	return func(raw []byte) []byte {
		var m map[string]json.RawMessage
		_ = json.Unmarshal(raw, &m)
		var text string
		_ = json.Unmarshal(m[field], &text)
		b, _ := base64.StdEncoding.DecodeString(text)
		b[0] ^= 1
		return bytes.Replace(raw, []byte(text), []byte(base64.StdEncoding.EncodeToString(b)), 1)
	}
}

func TestLoad_changedFile_damagedAndKept(t *testing.T) {
	t.Parallel()
	tests := map[string]func(raw []byte) []byte{
		"empty":            func([]byte) []byte { return nil },
		"half":             func(raw []byte) []byte { return raw[:len(raw)/2] },
		"last byte gone":   func(raw []byte) []byte { return bytes.TrimRight(raw, "}\n") },
		"not JSON":         func([]byte) []byte { return []byte("<html>") },
		"another object":   func([]byte) []byte { return []byte(`{"header":{}}`) },
		"header edited":    replaceIn("accounts.payu.in", "accounts.evil.in"),
		"header reordered": replaceIn(`{"version":1,"kind":"keychain"`, `{"kind":"keychain","version":1`),
		"version zero":     replaceIn(`"version":1`, `"version":0`),
		"unknown kind":     replaceIn(`"kind":"keychain"`, `"kind":"usbstick"`),
		"other profile":    replaceIn(`"profile":"default"`, `"profile":"another"`),
		"nonce":            flip("nonce"),
		"ciphertext":       flip("ct"),
		"short nonce": func(raw []byte) []byte {
			return bytes.Replace(raw, []byte(`"nonce":"`), []byte(`"nonce":"AAAA","x":"`), 1)
		},
		"huge": func(raw []byte) []byte { return append(raw, bytes.Repeat([]byte(" "), 9<<20)...) },
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, r := stateDir(t), newRing()
			raw := damage(t, dir, r, f)
			s := open(t, options(dir, r))
			_, err := s.Load(t.Context())
			if !errors.Is(err, keychain.ErrDamaged) || hint.Of(err) == "" || strings.Contains(err.Error(), "good") {
				t.Errorf("error %v, hint %q", err, hint.Of(err))
			}
			if !bytes.Equal(raw, readFile(t, sealedPath(dir))) {
				t.Error("the file was changed")
			}
			// A sign-in heals it and keeps the old file aside.
			must(t, s.Update(t.Context(), func(_ context.Context, cur *keychain.Record) (*keychain.Record, error) {
				if cur != nil {
					t.Error("a damaged record was handed out")
				}
				return rec("new"), nil
			}))
			wantSecret(t, s, "new")
			if !bytes.Equal(raw, readFile(t, filepath.Join(dir, base+".aside"))) {
				t.Error("the damaged file is not aside")
			}
		})
	}
}

func TestLoad_fileOfAnotherProfile_damaged(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	o := options(dir, r)
	o.Profile = "shop-2"
	put(t, open(t, o), "theirs")
	names, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	must(t, os.WriteFile(sealedPath(dir), readFile(t, names[0]), 0o600))
	// Even with the right key in our place.
	for _, v := range maps.Clone(r.items) {
		r.items[item(dir)] = v
	}
	_, err := open(t, options(dir, r)).Load(t.Context())
	if !errors.Is(err, keychain.ErrDamaged) || !strings.Contains(err.Error(), "another profile") {
		t.Errorf("error %v", err)
	}
	if _, _, err := keychain.Peek(dir, profile, resource); !errors.Is(err, keychain.ErrDamaged) {
		t.Errorf("peek: %v", err)
	}
}

func TestUpdate_newerVersion_neverOverwritten(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	raw := []byte(`{"header":{"version":2,"shape":"new"},"boxes":[]}`)
	must(t, os.Mkdir(dir, 0o700), os.WriteFile(sealedPath(dir), raw, 0o600))
	s := open(t, options(dir, r))
	_, loadErr := s.Load(t.Context())
	_, _, peekErr := keychain.Peek(dir, profile, resource)
	ran := false
	updateErr := s.Update(t.Context(), func(context.Context, *keychain.Record) (*keychain.Record, error) {
		ran = true
		return rec("x"), nil
	})
	for _, err := range []error{loadErr, peekErr, updateErr, s.Prepare(t.Context()), s.Remove(t.Context())} {
		if !errors.Is(err, keychain.ErrNewerVersion) || hint.Of(err) == "" {
			t.Errorf("error %v", err)
		}
	}
	if ran || !bytes.Equal(raw, readFile(t, sealedPath(dir))) {
		t.Error("fn ran, or the file was changed")
	}
}

func TestLoad_keyGoneOrOther_keyMissingAndFileKept(t *testing.T) {
	t.Parallel()
	tests := map[string]func(r *ring){
		"gone":    func(r *ring) { clear(r.items) },
		"other":   func(r *ring) { r.replace(base64.StdEncoding.EncodeToString(make([]byte, 32))) },
		"garbage": func(r *ring) { r.replace("hunter2") },
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, r := stateDir(t), newRing()
			put(t, open(t, options(dir, r)), "good")
			raw := readFile(t, sealedPath(dir))
			r.set(f)
			s := open(t, options(dir, r))
			for range 5 {
				_, err := s.Load(t.Context())
				if !errors.Is(err, keychain.ErrKeyMissing) || hint.Of(err) == "" || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("error %v", err)
				}
			}
			if gets := r.getCalls(); gets != 3 { // Get, read-back; then one for five Loads
				t.Errorf("%d gets", gets)
			}
			if !bytes.Equal(raw, readFile(t, sealedPath(dir))) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestUpdate_keyMissing_fnGetsNilAndFileGoesAside(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	put(t, open(t, options(dir, r)), "good")
	raw := readFile(t, sealedPath(dir))
	r.set(func(r *ring) { clear(r.items) })
	s := open(t, options(dir, r))
	// A refresher that finds nothing changes nothing.
	must(t, s.Update(t.Context(), func(_ context.Context, cur *keychain.Record) (*keychain.Record, error) { return cur, nil }))
	if !bytes.Equal(raw, readFile(t, sealedPath(dir))) {
		t.Error("the file was changed")
	}
	put(t, s, "new")
	wantSecret(t, open(t, options(dir, r)), "new")
	if !bytes.Equal(raw, readFile(t, filepath.Join(dir, base+".aside"))) {
		t.Error("the old file is not aside")
	}
	must(t, s.Remove(t.Context()))
	if dirNames(t, dir) != ".lock" {
		t.Errorf("files after removal: %q", dirNames(t, dir))
	}
}

// A file whose header was edited must not talk the next sign-in into a weaker
// place for the key.
func TestUpdate_editedKind_keyStaysInKeychain(t *testing.T) {
	t.Parallel()
	dir, r := stateDir(t), newRing()
	damage(t, dir, r, replaceIn(`"kind":"keychain"`, `"kind":"file"`))
	s := open(t, options(dir, r))
	put(t, s, "new")
	if strings.Contains(dirNames(t, dir), ".key") || s.Kind() != keychain.KindKeychain {
		t.Errorf("files %q, kind %q", dirNames(t, dir), s.Kind())
	}
}
