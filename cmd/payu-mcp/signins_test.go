package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// askedRing is a keychain that counts how often it is asked for a key.
type askedRing struct {
	mu    sync.Mutex
	items map[string]string
	gets  int
}

func (r *askedRing) Get(_, account string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gets++
	if text, ok := r.items[account]; ok {
		return text, nil
	}
	return "", keychain.ErrItemNotFound
}

func (r *askedRing) Set(_, account, secret string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items[account] = secret
	return nil
}

func (r *askedRing) Delete(string, string) error { return nil }

func (r *askedRing) asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gets
}

// process is the store of one process, and its sign-ins.
func (r *askedRing) process(t *testing.T, dir string) (*credentialStore, *signIns) {
	t.Helper()
	const endpoint = "https://mcp.example/mcp"
	sealed, err := keychain.Open(keychain.Options{Dir: dir, Profile: "default", Resource: endpoint, Keyring: keychain.NewKeyring(r, time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sealed.Close() })
	store := &credentialStore{sealed: sealed, log: slog.New(slog.DiscardHandler)}
	client, err := auth.New(auth.Config{Resource: endpoint, HTTP: http.DefaultClient, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	o := &options{}
	o.stateDir, o.profile = dir, "default"
	return store, &signIns{parts: &parts{endpoint: endpoint, auth: client, store: sealed}, o: o}
}

// A keychain may show a person a prompt each time that it is asked.
func TestSignIns_await_asksTheKeychainOnlyForALogin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	synctest.Test(t, func(t *testing.T) {
		ring := &askedRing{items: map[string]string{}}
		theirs, _ := ring.process(t, dir)
		save(t, theirs, &auth.Credential{Registration: auth.Registration{ClientID: "c", Dynamic: true}}) // of a denied sign-in
		_, ours := ring.process(t, dir)
		before := ring.asked()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		found := make(chan error, 1)
		go func() { found <- ours.Await(ctx) }()
		time.Sleep(time.Minute)
		if n := ring.asked() - before; n != 0 {
			t.Errorf("asked %d times while there was nothing to read", n)
		}
		save(t, theirs, &auth.Credential{AccessToken: "one", RefreshToken: "r"})
		if err := <-found; err != nil {
			t.Errorf("the login of another process was not seen: %v", err)
		}
	})
}

// Somebody was asked to sign in here once; by now the server wants nobody to.
func TestSignIns_serverWantsNoLoginAnyMore_isReached(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct{ ID json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&m)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}`, m.ID)
	}))
	t.Cleanup(server.Close)
	o := &options{profile: "default", stateDir: t.TempDir() + "/state", login: settings{URL: server.URL, Store: "file"}}
	e := env{getenv: func(string) string { return "" }}
	p, err := wire(o, e, slog.New(slog.DiscardHandler), storeUse{keyring: keychain.NewKeyring(nil, time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.close(context.WithoutCancel(t.Context())) })
	inv, err := (&signIns{parts: p, o: o}).Open(t.Context(), bridge.How{HandOut: true})
	if err != nil {
		t.Fatal(err)
	}
	if <-inv.Done; inv.Err() != nil || inv.Elsewhere {
		t.Error(inv.Err(), inv.Elsewhere)
	}
}
