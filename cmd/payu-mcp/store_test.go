package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// openStore opens the store as a process of its own would.
func openStore(tb testing.TB, dir string, now func() time.Time) *credentialStore {
	tb.Helper()
	s, err := keychain.Open(keychain.Options{Dir: dir, Profile: "default", Resource: "https://mcp.example/mcp", Kind: keychain.KindFile, Now: now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return &credentialStore{sealed: s, log: slog.New(slog.DiscardHandler)}
}

func save(tb testing.TB, s *credentialStore, next *auth.Credential) {
	tb.Helper()
	err := s.Update(tb.Context(), func(context.Context, *auth.Credential) (*auth.Credential, error) { return next, nil })
	if err != nil {
		tb.Fatal(err)
	}
}

func load(tb testing.TB, s *credentialStore) *auth.Credential {
	tb.Helper()
	c, err := s.Load(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestCredentialStore_loadAgain_sameUntilAnotherProcessChangesIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	ours, theirs := openStore(t, dir, time.Now), openStore(t, dir, time.Now)
	save(t, theirs, &auth.Credential{AccessToken: "one", RefreshToken: "r"})
	first := load(t, ours)
	if first == nil || first.AccessToken != "one" || load(t, ours) != first {
		t.Error("an unchanged record was decoded again")
	}
	for _, token := range []redact.Secret{"two", "three"} { // a refresh each
		save(t, theirs, &auth.Credential{AccessToken: token, RefreshToken: "r"})
		if c := load(t, ours); c == nil || c.AccessToken != token {
			t.Errorf("got %v, want %q", c, token.Reveal())
		}
	}
	save(t, theirs, nil) // a logout
	if c := load(t, ours); c != nil {
		t.Errorf("signed in after the logout: %v", c)
	}
	save(t, theirs, &auth.Credential{AccessToken: "four"})
	if c := load(t, ours); c == nil || c.AccessToken != "four" {
		t.Errorf("got %v after the new sign-in", c)
	}
}

// Whoever waits for a sign-in loads again and again.
func TestCredentialStore_damaged_toldOnceEachTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	s := openStore(t, dir, time.Now)
	var said bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&said, nil))
	for times := 1; times <= 2; times++ {
		save(t, s, &auth.Credential{AccessToken: "one"})
		if c := load(t, s); c == nil {
			t.Fatal("nothing was stored")
		}
		if err := os.WriteFile(keychain.Path(dir, "default", "https://mcp.example/mcp"), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if c := load(t, s); c != nil {
				t.Errorf("loaded %v from a damaged file", c)
			}
		}
		if n := strings.Count(said.String(), "cannot be used any more"); n != times {
			t.Errorf("told %d times, want %d:\n%s", n, times, said.String())
		}
	}
}

// A process killed between the two leaves a login without its catalogue, and
// never a catalogue without its login.
func TestCredentialStore_delete_whatMustNotOutliveTheLoginGoesFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	s, other := openStore(t, dir, time.Now), openStore(t, dir, time.Now)
	var seen []*auth.Credential
	s.beforeDelete = func() { seen = append(seen, load(t, other)) }
	save(t, s, &auth.Credential{AccessToken: "one"})
	save(t, s, &auth.Credential{AccessToken: "two"})
	if len(seen) != 0 {
		t.Errorf("called %d times before anything was deleted", len(seen))
	}
	save(t, s, nil)
	if len(seen) != 1 || seen[0] == nil || seen[0].AccessToken != "two" || load(t, other) != nil {
		t.Errorf("at the time of the call: %v; afterwards %v", seen, load(t, other))
	}
}

// BenchmarkLoad is what each request pays to know its token.
func BenchmarkLoad(b *testing.B) {
	later := func() time.Time { return time.Now().Add(time.Minute) } // the file has settled
	s := openStore(b, b.TempDir()+"/state", later)
	save(b, s, &auth.Credential{Resource: "https://mcp.example/mcp", AccessToken: "one", RefreshToken: "r", Scopes: []string{"a", "b"}, ObtainedAt: time.Now()})
	b.ReportAllocs()
	for b.Loop() {
		load(b, s)
	}
}
