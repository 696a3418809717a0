package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sealed lists the files that hold a sealed login.
func (w *world) sealed() []string {
	files, _ := filepath.Glob(filepath.Join(w.state, "*"))
	var found []string
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && strings.Contains(string(data), `"ct"`) {
			found = append(found, f)
		}
	}
	return found
}

func (w *world) browserOpened() bool {
	_, err := os.Stat(w.path("browser", "opener.jsonl"))
	return err == nil
}

func TestKeychain_login_isReadByTheNextProcessAndGoneAfterLogout(t *testing.T) {
	t.Parallel()
	w, s, _ := signedIn(t, "keychain")
	if keys, files := w.keys(), w.sealed(); keys != 1 || len(files) != 1 {
		t.Errorf("after login: %d keys and files %v, want one of each", keys, files)
	}
	if r := w.must(w.payu("status"), 0); !strings.Contains(r.stdout, s.origin(t)) {
		t.Errorf("status does not name the endpoint: %s", r.stdout)
	}
	h := w.startHost()
	h.initialize()
	if len(h.tools()) == 0 {
		t.Error("no tools")
	}
	if r := h.call("echo", map[string]any{"message": "through"}); r.IsError || len(r.Content) == 0 {
		t.Errorf("echo gave %+v", r)
	}
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	if n := len(s.granted("authorization_code")); n != 1 {
		t.Errorf("%d sign-ins, want 1: the next process did not read the login", n)
	}
	w.must(w.payu("logout"), 0)
	if keys, files := w.keys(), w.sealed(); keys != 0 || len(files) != 0 {
		t.Errorf("after logout: %d keys and files %v, want none", keys, files)
	}
	w.noLeaks(s.secrets())
}

func TestKeychain_unusable_loginSaysSoBeforeTheBrowser(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*world){
		"no bus":     func(*world) {},
		"no service": func(w *world) { w.startBus() },
		"locked": func(w *world) {
			w.startBus()
			w.startKeyring(true).stop()
			w.startKeyring(false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			prepare(w)
			s := w.startStack(time.Minute)
			w.chromium("unusable", nil)
			r := w.must(w.payu("login", "--url", s.Endpoint), 5)
			if !strings.Contains(r.stderr, "payu-mcp: hint:") || !strings.Contains(r.stderr, "--store=file") {
				t.Errorf("no hint to --store=file: %s", r.stderr)
			}
			if w.browserOpened() || len(w.sealed()) > 0 {
				t.Error("a browser was opened or something was stored")
			}
		})
	}
}

// A keychain that locks itself is no reason to sign in again, and what is stored
// stays (OAUTH K7, STYLE D4).
func TestKeychain_lockedLater_keepsTheLoginAndOpensNoBrowser(t *testing.T) {
	t.Parallel()
	w, s, k := signedIn(t, "lockedlater")
	before, err := os.ReadFile(w.sealed()[0])
	if err != nil {
		t.Fatal(err)
	}
	k.stop()
	w.startKeyring(false)

	w.must(w.payu("status", "--json"), 0)
	h := w.startHost()
	w.within(firstPatience, func() { h.initialize() })
	w.localError(h.ask("tools/call", map[string]any{"name": "echo", "arguments": map[string]any{"message": "x"}}), "keychain")
	h.end()
	if n := len(s.granted("authorization_code")); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	after, err := os.ReadFile(w.sealed()[0])
	if err != nil || string(after) != string(before) {
		t.Errorf("the sealed login changed (%v)", err)
	}
	w.noLeaks(s.secrets())
}
