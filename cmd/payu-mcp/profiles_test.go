package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Two profiles that nobody is signed in to are used at the same moment: each signs
// in at its own server, alone, and nothing of the one is the other's.
func TestProfiles_twoAtOnce_shareNothing(t *testing.T) {
	t.Parallel()
	shop, uat := newComputer(t, sandbox.Options{}), newComputer(t, sandbox.Options{})
	uat.home = shop.home // one person, two profiles
	hosts := map[string]*computer{"shop": shop, "uat": uat}
	running := map[string]*demoHost{}
	for name, c := range hosts {
		running[name], _ = c.host("--profile", name, "--url", c.sandbox.Endpoint())
	}
	var calls sync.WaitGroup
	for name, h := range running {
		calls.Go(func() {
			handshake(t, h)
			works(t, name, h)
		})
	}
	calls.Wait()
	for name, c := range hosts {
		if n := c.sandbox.Log().Count(sandbox.Query{Grant: "authorization_code"}); n != 1 {
			t.Errorf("%s: %d sign-ins", name, n)
		}
		for _, e := range c.sandbox.Log().Find(sandbox.Query{}) {
			if e.Authorization == "other" { // a token, but none of this server's
				t.Errorf("%s got a secret of the other: %s %s", name, e.Method, e.Path)
			}
		}
		text, err := os.ReadFile(filepath.Join(shop.home, "state", "logs", name+".log"))
		for other, o := range hosts {
			if err != nil || strings.Contains(string(text), o.sandbox.Endpoint()) != (other == name) {
				t.Errorf("the log of %s, and the endpoint of %s (%v):\n%s", name, other, err, text)
			}
		}
	}
	for _, kind := range []string{"credential-*.json", "credential-*.lock", "credential-*.login", "era-*", "catalogue-*", "logs/*.log"} {
		if files, err := filepath.Glob(filepath.Join(shop.home, "state", kind)); err != nil || len(files) < 2 || len(files)%2 != 0 {
			t.Errorf("%s: %q, %v; want as many for each", kind, files, err)
		}
	}

	// The end of the one is not the other's.
	if out, err := shop.command("logout", "--profile", "shop").CombinedOutput(); err != nil {
		t.Fatalf("logout: %v\n%s", err, out)
	}
	works(t, "uat", running["uat"])
	states := map[string]bool{}
	var report struct{ Profiles []statusProfile }
	out, err := shop.command("status", "--json").Output()
	if err := errors.Join(err, json.Unmarshal(out, &report)); err != nil {
		t.Fatalf("status: %v\n%s", err, out)
	}
	for _, p := range report.Profiles {
		states[p.Profile+" "+p.Endpoint] = p.SignedIn
	}
	// Of one that a bridge alone has used, nothing is left.
	if len(states) != 2 || !states["uat "+uat.sandbox.Endpoint()] {
		t.Errorf("the profiles are %v", states)
	}
	for name, h := range running {
		if err := h.stop(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// works lets a host make a call.
func works(t *testing.T, name string, h *demoHost) {
	t.Helper()
	a, err := h.ask(t.Context(), "tools/call", map[string]any{"name": "health_check", "arguments": map[string]any{}})
	if err != nil || !strings.Contains(a.text(), "running") {
		t.Errorf("%s: the call gave %v, %+v", name, err, a)
	}
}
