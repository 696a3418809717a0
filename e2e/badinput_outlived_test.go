package e2e

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// outlived checks the same after a sign-in that came to nothing: it was sealed
// beside the login and is gone again, so what is left of it in the file are a
// higher generation, a later time and another nonce. That the login inside is
// the old one shows in its use. forgotten: it could be taken out of the file.
func (g *good) outlived(forgotten bool) {
	g.w.t.Helper()
	now := g.w.stored()
	for name, was := range g.files {
		if !strings.Contains(string(was), `"ct"`) {
			if !bytes.Equal(now[name], was) {
				g.w.t.Errorf("%s has changed", name)
			}
			continue
		}
		before, after := unfold(g.w.t, was), unfold(g.w.t, now[name])
		if before.generation >= after.generation {
			g.w.t.Errorf("%s: generation %v after %v: no sign-in was sealed", name, after.generation, before.generation)
		}
		if !reflect.DeepEqual(before.header, after.header) {
			g.w.t.Errorf("%s: the header has changed from %v to %v", name, before.header, after.header)
		}
		if after.open == forgotten || (before.sealed == after.sealed) != forgotten {
			g.w.t.Errorf("%s: a sign-in is open: %v, %d sealed bytes after %d; forgotten should be %v", name, after.open, after.sealed, before.sealed, forgotten)
		}
	}
	g.valid()
	g.serves()
}

// clearPart is what a sealed file shows without its key.
type clearPart struct {
	header     map[string]any // but for what each write changes
	generation float64
	open       bool // a sign-in is
	sealed     int  // bytes
}

func unfold(t *testing.T, raw []byte) clearPart {
	t.Helper()
	var f struct {
		Header map[string]any
		CT     []byte
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatalf("the sealed file: %v", err)
	}
	generation, ok := f.Header["generation"].(float64)
	if !ok || len(f.CT) == 0 {
		t.Fatalf("no sealed file: %s", raw)
	}
	delete(f.Header, "generation")
	delete(f.Header, "saved_at")
	public, _ := f.Header["public"].(map[string]any)
	_, open := public["sign_in_open_until"]
	delete(public, "sign_in_open_until")
	return clearPart{f.Header, generation, open, len(f.CT)}
}

// serves uses the login and has it renewed; nobody signs in.
func (g *good) serves() {
	g.w.t.Helper()
	signIns, before := g.signIns(), g.sb.Log().Len()
	refreshes := func() int { return g.sb.Log().Count(sandbox.Query{Grant: "refresh_token", After: before}) }
	h := g.w.startHost()
	h.initialize()
	h.healthy()
	if n := refreshes(); n != 0 {
		g.w.t.Errorf("%d refreshes, want none: the access token is another", n)
	}
	g.sb.ExpireAccessTokens()
	h.healthy()
	if n := refreshes(); n != 1 {
		g.w.t.Errorf("%d refreshes, want 1", n)
	}
	if code := h.end(); code != 0 {
		g.w.t.Errorf("the bridge ended with %d", code)
	}
	if n := g.signIns() - signIns; n != 0 {
		g.w.t.Errorf("%d new sign-ins", n)
	}
}
