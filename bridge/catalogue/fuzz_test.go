package catalogue_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
)

// FuzzLoad reads arbitrary bytes as a file: no panic; what comes out is JSON on
// one line each, and comes out again when it is saved.
func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	s := catalogue.NewShelf(dir, "0123", time.Now)
	if err := s.Save(version, saved()); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(file(dir, version))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{
		good, good[:len(good)/2], nil, []byte("null"), []byte(`{"format":1}`),
		[]byte(`{"format":1,"savedAt":"2026-11-25T00:00:00Z","opening":{"a":[1,` + "\n" + `2]},"lists":{"tools/list":{"tools":[]},"tools/list":{"tools":[{}]}}}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(file(dir, version), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.Load(version)
		if (got == nil) == (err == nil) {
			t.Fatalf("%v, %v", got, err)
		}
		if err != nil {
			return
		}
		for _, v := range append([]json.RawMessage{got.Opening}, values(*got)...) {
			if !json.Valid(v) || bytes.ContainsAny(v, "\r\n") {
				t.Errorf("%q is not JSON on one line", v)
			}
		}
		if err := s.Save(version, *got); err != nil {
			t.Fatal(err)
		}
		again, err := s.Load(version)
		if err != nil {
			t.Fatal(err)
		}
		again.SavedAt = got.SavedAt
		if !equal(*again, *got) {
			t.Errorf("%+v became %+v", got, again)
		}
	})
}

func values(v catalogue.Saved) (all []json.RawMessage) {
	for _, r := range v.Lists {
		all = append(all, r)
	}
	return all
}
