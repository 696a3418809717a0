package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const (
	// callPatience is how long a call may have to wait for a keychain that hangs:
	// the bridge's deadline of 3 s, and a moment.
	callPatience = 4500 * time.Millisecond
	// firstPatience is how long initialize or a list may have to wait for whatever
	// hangs: the second that the server has, and a moment.
	firstPatience = 2 * time.Second
)

// keychainLogin signs in with the key in a mock of the Secret Service.
func keychainLogin(t *testing.T) (*good, *secretStore) {
	t.Helper()
	w := newWorld(t)
	w.startBus()
	s := w.startSecrets()
	sb := startSandbox(t, sandbox.Options{})
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint()), 0)
	if s.calls("CreateItem") != 1 || len(w.sealed()) != 1 {
		t.Fatalf("the key is not in the keychain, or the login not in its file: %d, %q", s.calls("CreateItem"), w.sealed())
	}
	return &good{w: w, sb: sb, files: w.stored(), log: sb.Log().Len()}, s
}

// A keychain that cannot be used costs neither a browser nor the stored login.
func TestBadInput_keychainFails_loginSaysSoAndKeepsTheLogin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		does map[string]manner
		says string
	}{
		"unlock dismissed":         {map[string]manner{"Unlock": isDismissed}, "it is locked"},
		"vanishes at unlock":       {map[string]manner{"Unlock": vanishes}, "the system keychain cannot be used"},
		"vanishes while it asks":   {map[string]manner{"Unlock": isDismissed, "Prompt": vanishes}, "the system keychain cannot be used"},
		"vanishes with the secret": {map[string]manner{"GetSecret": vanishes}, "the system keychain cannot be used"},
		"makes no sense":           {map[string]manner{"Unlock": babbles}, "makes no sense"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, s := keychainLogin(t)
			s.set(c.does)
			g.w.fails(g.w.payu("login"), exitNoKeychain, c.says)
			if n := g.sb.Log().Len() - g.log; n > 0 {
				t.Errorf("%d requests were sent", n)
			}
			g.kept()
			g.w.nothingLeft()
			g.w.noLeaks(g.sb.Secrets())
		})
	}
}

// A login whose key is not to be had cannot be revoked, so it stays until it can
// be; a key that cannot be removed is told.
func TestBadInput_keychainFails_logoutSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		does map[string]manner
		says string
		left bool
	}{
		"locked":           {map[string]manner{"Unlock": isDismissed}, "it is locked", true},
		"delete dismissed": {map[string]manner{"Delete": isDismissed}, "its key is still in the keychain", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, s := keychainLogin(t)
			s.set(c.does)
			g.w.fails(g.w.payu("logout"), exitNoKeychain, c.says)
			if c.left {
				g.kept()
			} else if n := g.sb.Log().Count(sandbox.Query{Path: "/oauth/revoke"}); n != 2 || len(g.w.sealed()) > 0 {
				t.Errorf("%d tokens were revoked, stored: %q; want 2 and nothing", n, g.w.sealed())
			}
			g.w.nothingLeft()
			g.w.noLeaks(g.sb.Secrets())
		})
	}
}

// Whoever says "stored" and did not store is found out before the browser.
func TestBadInput_keychainKeepsNothing_loginSaysSo(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]manner{"prompt dismissed": isDismissed, "forgets": forgetsLater} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.startBus()
			w.startSecrets().set(map[string]manner{"CreateItem": m})
			sb := startSandbox(t, sandbox.Options{})
			w.visitor()
			w.fails(w.payu("login", "--url", sb.Endpoint()), exitNoKeychain, "it said that it stored the key, but did not")
			if n := sb.Log().Len(); n > 0 || len(w.sealed()) > 0 {
				t.Errorf("%d requests were sent, %q stored", n, w.sealed())
			}
			w.must(w.payu("status", "--url", sb.Endpoint()), exitSignedOut)
			w.nothingLeft()
		})
	}
}

// Somebody who answers the prompts is not told of any trouble.
func TestBadInput_keychainAsks_answeredSignsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startBus()
	w.startSecrets().set(map[string]manner{"Unlock": isAnswered, "CreateItem": isAnswered})
	sb := startSandbox(t, sandbox.Options{})
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint()), 0)
	w.relays(&good{w: w, sb: sb}, 0)
	w.noLeaks(sb.Secrets())
}

// A person in front of a keychain that hangs has 60 s to find its prompt, and
// Ctrl-C; nothing is asked of the server before.
func TestBadInput_keychainHangs_loginCanBeInterrupted(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]map[string]manner{
		"unlock hangs": {"Unlock": hangs},
		"prompt never": {"Unlock": promptsOnly},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, s := keychainLogin(t)
			before := s.calls("Unlock")
			s.set(does)
			cmd := exec.CommandContext(t.Context(), binary, "login")
			cmd.Env, cmd.Stderr = g.w.env, g.w.sink("stderr of login")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			g.w.eventually("login asks the keychain", answerLimit, func() bool { return s.calls("Unlock") > before })
			start := time.Now()
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code, took := cmd.ProcessState.ExitCode(), time.Since(start); code != 130 || took > 2*time.Second {
				t.Errorf("it ended with %d after %v, want 130 at once", code, took)
			}
			if n := g.sb.Log().Len() - g.log; n > 0 {
				t.Errorf("%d requests were sent", n)
			}
			g.kept()
			g.w.nothingLeft()
			g.w.noLeaks(g.sb.Secrets())
		})
	}
}

// A host gets an answer in time from a bridge whose keychain hangs: what was
// saved, or payu-mcp's own, and to a call what is wrong. No browser opens: the
// login is there, only its key is not to be had (STYLE D4).
func TestBadInput_keychainHangs_bridgeAnswersInTime(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]map[string]manner{
		"collections hang": {"Collections": hangs},
		"unlock hangs":     {"Unlock": hangs},
		"prompt never":     {"Unlock": promptsOnly},
		"secret hangs":     {"GetSecret": hangs},
		"nothing saved":    {"Unlock": hangs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, s := keychainLogin(t)
			want := 13
			if name == "nothing saved" {
				g.forgetCatalogue()
				want = len(ownTools())
			}
			s.set(does)
			h := g.w.startHost()
			g.w.within(firstPatience, func() { h.initialize() })
			g.w.within(firstPatience, func() { h.lists(want) })
			for _, limit := range []time.Duration{callPatience, time.Second, time.Second} {
				g.w.within(limit, func() {
					g.w.localError(h.ask("tools/call", healthCheck()), "the system keychain cannot be used: it does not answer")
				})
			}
			g.kept() // while it hangs
			start := time.Now()
			if code := h.end(); code != 0 || time.Since(start) > 3*time.Second {
				t.Errorf("the bridge ended with %d after %v", code, time.Since(start))
			}
			if n := g.sb.Log().Len() - g.log; n > 0 {
				t.Errorf("%d requests were sent", n)
			}
			g.kept()
			g.w.nothingLeft()
			s.set(nil)
			g.w.relays(g, 0)
			g.w.noLeaks(g.sb.Secrets())
		})
	}
}

// A keychain that asks a person to unlock it is left alone while a bridge waits:
// only a call is worth a prompt. What is stored is no login, but what a denied
// sign-in leaves.
func TestBadInput_keychainLockedNobodySignedIn_askedForACallOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startBus()
	s := w.startSecrets()
	sb := startSandbox(t, sandbox.Options{})
	w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --deny`)
	w.must(w.payu("login", "--url", sb.Endpoint()), exitNotFinished)
	if len(w.sealed()) != 1 {
		t.Fatalf("stored: %q, want the registration", w.sealed())
	}
	s.set(map[string]manner{"Unlock": isDismissed})
	prompts := s.calls("Unlock")
	h := w.startHost("--url", sb.Endpoint())
	h.initialize()
	h.lists(len(ownTools()))
	if n := s.calls("Unlock") - prompts; n != 0 {
		t.Errorf("%d prompts before a call", n)
	}
	if r := h.call("health_check", map[string]any{}); !r.IsError || len(r.Content) == 0 || !strings.Contains(r.Content[0].Text, "it is locked") {
		t.Errorf("the call gave %+v", r)
	}
	if n := s.calls("Unlock") - prompts; n == 0 {
		t.Error("no prompt for a call")
	}
	prompts = s.calls("Unlock")
	h.lists(len(ownTools()))
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	if n := s.calls("Unlock") - prompts; n != 0 {
		t.Errorf("%d prompts after the call", n)
	}
	w.nothingLeft()
}

// Who answers the prompt after the deadline need not restart the host.
func TestBadInput_keychainTooSlow_heals(t *testing.T) {
	t.Parallel()
	g, s := keychainLogin(t)
	s.set(map[string]manner{"GetSecret": hangs})
	h := g.w.startHost()
	h.initialize()
	g.w.localError(h.ask("tools/call", healthCheck()), "it does not answer")
	s.free()
	g.w.eventually("the bridge has its key", 5*time.Second, func() bool {
		return h.ask("tools/call", healthCheck()).Error == nil
	})
	h.works()
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	if n := g.signIns(); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	g.kept()
	g.w.nothingLeft()
	g.w.noLeaks(g.sb.Secrets())
}

// A login that a file keeps needs no keychain, however it hangs.
func TestBadInput_keychainHangsFileStore_isNotAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startBus()
	s := w.startSecrets()
	s.set(map[string]manner{"Unlock": hangs, "Collections": hangs})
	g := goodLogin(t, w, sandbox.Options{})
	before := bytes.Clone(g.files["profile-default.json"])
	w.relays(g, 0)
	w.must(w.payu("logout"), 0)
	if n := s.calls("Unlock") + s.calls("Collections"); n > 0 || !bytes.Equal(before, w.stored()["profile-default.json"]) {
		t.Errorf("the keychain was asked %d times", n)
	}
	w.nothingLeft()
	w.noLeaks(g.sb.Secrets())
}
