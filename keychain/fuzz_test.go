package keychain_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/payu-mcp/payu-mcp/keychain"
)

// FuzzLoad reads arbitrary bytes as a sealed file, with a key at hand: no panic,
// one of the documented errors, the file untouched, and nothing but what was
// sealed comes out.
func FuzzLoad(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "state")
	o := keychain.Options{Dir: dir, Profile: profile, Resource: resource, Kind: keychain.KindFile}
	s, err := keychain.Open(o)
	if err != nil {
		f.Fatal(err)
	}
	if err := tryPut(f.Context(), s, "sealed"); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(sealedPath(dir))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{
		good, good[:len(good)/2], nil, []byte("{}"), []byte("null"), []byte(`{"header":null}`),
		[]byte(`{"header":{"version":9e99}}`), []byte(`{"header":{"version":2}}`),
		[]byte(`{"header":{"version":1,"kind":"file","profile":"default","resource":"https://api.payu.in/mcp"},"nonce":"AAAAAAAAAAAAAAAA","ct":""}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(sealedPath(dir), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := keychain.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Load(t.Context())
		switch {
		case err == nil && string(r.Secret) != "sealed":
			t.Errorf("opened to %q", r.Secret)
		case err != nil && !errors.Is(err, keychain.ErrDamaged) && !errors.Is(err, keychain.ErrKeyMissing) && !errors.Is(err, keychain.ErrNewerVersion) &&
			!errors.Is(err, keychain.ErrUnavailable):
			t.Errorf("error %v", err)
		}
		if _, _, err := keychain.Peek(dir, profile, resource); err != nil && !errors.Is(err, keychain.ErrDamaged) && !errors.Is(err, keychain.ErrNewerVersion) {
			t.Errorf("peek: %v", err)
		}
	})
}
