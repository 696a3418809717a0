package keychain_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/keychain"
)

const (
	profile  = "default"
	resource = "https://api.payu.in/mcp"
	// The golden name: a change of it loses every stored login (STYLE D1).
	base = "credential-c2772cab97f6ae72c4fc319c446b21d0"
)

// ring is a keychain in memory that records calls and can misbehave.
type ring struct {
	mu      sync.Mutex
	items   map[string]string
	gets    int
	sets    int
	deletes int

	err      error           // every call fails
	hang     <-chan struct{} // calls wait for it
	entered  chan struct{}   // gets a token when a call hangs
	dropSets bool            // Set says yes and stores nothing (OAUTH K9)
	dropDels bool
	boom     bool
}

func newRing() *ring { return &ring{items: map[string]string{}, entered: make(chan struct{}, 100)} }

func (r *ring) enter(count *int) error {
	r.mu.Lock()
	*count++
	hang, err, boom := r.hang, r.err, r.boom
	r.mu.Unlock()
	if hang != nil {
		r.entered <- struct{}{}
		<-hang
	}
	if boom {
		panic("nil signal")
	}
	return err
}

func (r *ring) Get(service, account string) (string, error) {
	if err := r.enter(&r.gets); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.items[service+"/"+account]
	if !ok {
		return "", keychain.ErrItemNotFound
	}
	return v, nil
}

func (r *ring) Set(service, account, secret string) error {
	if err := r.enter(&r.sets); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.dropSets {
		r.items[service+"/"+account] = secret
	}
	return nil
}

func (r *ring) Delete(service, account string) error {
	if err := r.enter(&r.deletes); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.items[service+"/"+account]; !ok {
		return keychain.ErrItemNotFound
	}
	if !r.dropDels {
		delete(r.items, service+"/"+account)
	}
	return nil
}

// replace gives every item another value. The caller holds the mutex.
func (r *ring) replace(v string) {
	for name := range r.items {
		r.items[name] = v
	}
}

// item names the key of the state folder dir in the keychain.
func item(dir string) string {
	sum := sha256.Sum256([]byte("payu-mcp/folder/1" + dir))
	return "payu-mcp/" + base + "-" + hex.EncodeToString(sum[:4])
}

func (r *ring) set(f func(r *ring)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r)
}

func (r *ring) calls() (gets, sets, deletes, items int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gets, r.sets, r.deletes, len(r.items)
}

func (r *ring) getCalls() int {
	gets, _, _, _ := r.calls() //nolint:dogsled // the one place
	return gets
}

// disk is a file writer that can fail.
type disk struct {
	mu  sync.Mutex
	err error
}

func (d *disk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *disk) write(path string, data []byte, perm fs.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: d.err}
	}
	return atomicfile.Write(path, data, perm)
}

func options(dir string, r *ring) keychain.Options {
	return keychain.Options{
		Dir: dir, Profile: profile, Resource: resource,
		Keyring: keychain.NewKeyring(r, 5*time.Second),
	}
}

func open(t *testing.T, o keychain.Options) *keychain.Store {
	t.Helper()
	s, err := keychain.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func stateDir(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state")
}

func rec(secret string) *keychain.Record {
	return &keychain.Record{Public: json.RawMessage(`{"issuer":"https://accounts.payu.in"}`), Secret: []byte(secret)}
}

func put(t *testing.T, s *keychain.Store, secret string) {
	t.Helper()
	if err := tryPut(t.Context(), s, secret); err != nil {
		t.Fatal(err)
	}
}

func tryPut(ctx context.Context, s *keychain.Store, secret string) error {
	return s.Update(ctx, func(context.Context, *keychain.Record) (*keychain.Record, error) {
		return rec(secret), nil
	})
}

func wantSecret(t *testing.T, s *keychain.Store, want string) {
	t.Helper()
	r, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("loading: %v", err)
	}
	switch {
	case r == nil && want != "":
		t.Fatalf("nothing is stored, want %q", want)
	case r != nil && string(r.Secret) != want:
		t.Fatalf("stored %q, want %q", r.Secret, want)
	}
}

func dirNames(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimPrefix(e.Name(), base))
	}
	return strings.Join(names, " ")
}

func sealedPath(dir string) string { return filepath.Join(dir, base+".json") }

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// capture returns a logger and what it logged.
func capture() (*slog.Logger, func() string) {
	var w lockedBuilder
	return slog.New(slog.NewTextHandler(&w, &slog.HandlerOptions{Level: slog.LevelDebug})), w.String
}

type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
