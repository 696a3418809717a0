package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// spoil changes the sealed file of the login and returns its new content.
func (g *good) spoil(change func(raw []byte) []byte) (file string, raw []byte) {
	g.w.t.Helper()
	files := g.w.sealed()
	if len(files) != 1 {
		g.w.t.Fatalf("sealed files: %q, want one", files)
	}
	was, err := os.ReadFile(files[0])
	if err == nil {
		raw = change(was)
		err = os.WriteFile(files[0], raw, 0o600)
	}
	if err != nil || bytes.Equal(was, raw) {
		g.w.t.Fatalf("the file is not changed: %v", err)
	}
	return files[0], raw
}

func swap(old, changed string) func([]byte) []byte {
	return func(raw []byte) []byte { return bytes.Replace(raw, []byte(old), []byte(changed), 1) }
}

// turn changes one character of a base64 member.
func turn(member string) func([]byte) []byte {
	return func(raw []byte) []byte {
		raw = bytes.Clone(raw)
		at := bytes.Index(raw, []byte(`"`+member+`":"`)) + len(member) + 4
		if raw[at] == 'A' {
			raw[at] = 'B'
		} else {
			raw[at] = 'A'
		}
		return raw
	}
}

func half(raw []byte) []byte { return raw[:len(raw)/2] }

// neighbour signs in for another profile and returns that one's file.
func (g *good) neighbour([]byte) []byte {
	g.w.t.Helper()
	g.w.must(g.w.payu("login", "--profile", "shop", "--url", g.sb.Endpoint(), "--store=file"), 0)
	for name, data := range g.w.stored() {
		if strings.Contains(string(data), `"profile":"shop"`) {
			g.log = g.sb.Log().Len()
			g.files = map[string][]byte{name: data}
			return data
		}
	}
	g.w.t.Fatal("no file of the other profile")
	return nil
}

// A file that cannot be trusted is not used: no token in it is sent, the next
// sign-in replaces it and keeps it aside.
func TestBadInput_sealedFileDamaged_notUsedAndSetAside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*good) func([]byte) []byte
		says   string
	}{
		"empty":              {func(*good) func([]byte) []byte { return func([]byte) []byte { return nil } }, "only a part of one"},
		"truncated":          {func(*good) func([]byte) []byte { return half }, "only a part of one"},
		"not ours":           {func(*good) func([]byte) []byte { return func([]byte) []byte { return []byte("<html>") } }, "not a sealed file"},
		"endpoint edited":    {func(*good) func([]byte) []byte { return swap(`/mcp"`, `/mcq"`) }, "another profile or endpoint"},
		"of another profile": {func(g *good) func([]byte) []byte { return g.neighbour }, "another profile or endpoint"},
		"expiry edited":      {func(*good) func([]byte) []byte { return swap(`"expiry":"20`, `"expiry":"21`) }, "changed after it was written"},
		"nonce edited":       {func(*good) func([]byte) []byte { return turn("nonce") }, "changed after it was written"},
		"ciphertext edited":  {func(*good) func([]byte) []byte { return turn("ct") }, "changed after it was written"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := goodLogin(t, w, sandbox.Options{})
			file, raw := g.spoil(c.change(g))
			w.fails(w.payu("status"), exitError, c.says)
			w.signsInAgain(g, c.says)

			aside, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".aside")
			if err != nil || !bytes.Equal(aside, raw) {
				t.Errorf("the file is not set aside as it was (%v)", err)
			}
			if name == "of another profile" {
				now := w.stored()
				for other, was := range g.files {
					if filepath.Base(file) != other && !bytes.Equal(now[other], was) {
						t.Error("the other profile's file has changed")
					}
				}
				w.must(w.payu("status", "--profile", "shop"), 0)
			}
			w.must(w.payu("status"), 0)
			w.nothingLeft()
			w.noLeaks(g.sb.Secrets())
		})
	}
}

// signsInAgain runs a bridge on a file that it must not use: a call leads to a
// sign-in.
func (w *world) signsInAgain(g *good, says string) {
	w.t.Helper()
	signIns := g.signIns()
	h := w.startHost()
	h.initialize()
	h.lists(13)
	if n := g.signIns(); n != signIns {
		w.t.Errorf("%d sign-ins before a call", n-signIns)
	}
	h.works()
	if code := h.end(); code != 0 {
		w.t.Errorf("the bridge ended with %d", code)
	}
	if first := g.sb.Log().Find(sandbox.Query{Path: "/mcp", After: g.log})[0]; first.Authorization != "" {
		w.t.Errorf("the first request carried %q", first.Authorization)
	}
	if n := g.sb.Log().Count(sandbox.Query{Grant: "authorization_code", After: g.log}); n != 1 {
		w.t.Errorf("%d sign-ins, want 1", n)
	}
	if log := w.bridgeSaid(); !strings.Contains(log, says) {
		w.t.Errorf("the log does not say %q:\n%s", says, log)
	}
}

// bridgeSaid is what the bridges of this world wrote to stderr.
func (w *world) bridgeSaid() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all strings.Builder
	for name, b := range w.sinks {
		if strings.HasPrefix(name, "stderr of the bridge") {
			all.WriteString(b.String())
		}
	}
	return all.String()
}

// localError checks that a request failed on this computer, with a hint.
func (w *world) localError(m message, says string) {
	w.t.Helper()
	var e struct {
		Message string
		Data    struct{ Kind, Hint string }
	}
	if json.Unmarshal(m.Error, &e) != nil || e.Data.Kind != "token" || e.Data.Hint == "" || !strings.Contains(e.Message, says) {
		w.t.Errorf("the answer is %s%s, want an error that says %q, with a hint", m.Error, m.Result, says)
	}
}

// An older payu-mcp leaves alone what a newer one wrote.
func TestBadInput_sealedFileOfNewerVersion_leftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := goodLogin(t, w, sandbox.Options{})
	file, raw := g.spoil(swap(`"version":1`, `"version":2`))
	const says = "written by a newer payu-mcp (file version 2, this one reads up to 1)"
	w.fails(w.payu("status"), exitError, says)
	w.fails(w.payu("login"), exitError, says)
	h := w.startHost()
	h.initialize()
	h.lists(13)
	w.localError(h.ask("tools/call", healthCheck()), says)
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	w.payu("logout") // whatever it says
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, raw) {
		t.Errorf("the file has changed (%v)", err)
	}
	if n := g.sb.Log().Count(sandbox.Query{Role: sandbox.RoleAccounts, After: g.log}); n > 0 {
		t.Errorf("%d requests at the authorization server", n)
	}
	w.nothingLeft()
	w.noLeaks(g.sb.Secrets())
}
