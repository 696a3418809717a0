package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// computer is a person's computer for one test: a home, a sandbox, and the
// program under its own name on the PATH (testscript.Main puts it there).
type computer struct {
	t       *testing.T
	sandbox *sandbox.Sandbox
	home    string
	opener  string
}

func newComputer(t *testing.T, o sandbox.Options) *computer {
	t.Helper()
	sb, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	})
	return &computer{t: t, sandbox: sb, home: t.TempDir(), opener: "payu-mcp demo-browser"}
}

func (c *computer) command(args ...string) *exec.Cmd {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "payu-mcp", append(args, "--state-dir", filepath.Join(c.home, "state"))...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "USERPROFILE=" + c.home, "PAYU_MCP_BROWSER=" + c.opener, "PAYU_MCP_STORE=file"}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" { // else its end is not silent (tools/cover)
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+dir)
	}
	return cmd
}

func (c *computer) login() {
	c.t.Helper()
	if out, err := c.command("login", "--url", c.sandbox.Endpoint()).CombinedOutput(); err != nil {
		c.t.Fatalf("login: %v\n%s", err, out)
	}
}

func (c *computer) host(args ...string) (*demoHost, *bytes.Buffer) {
	c.t.Helper()
	cmd := c.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	h, err := startHost(c.t.Context(), cmd)
	if err != nil {
		c.t.Fatal(err)
	}
	return h, &stderr
}

func handshake(t *testing.T, h *demoHost) {
	t.Helper()
	params := map[string]any{"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "h", "version": "1"}}
	if _, err := h.ask(t.Context(), "initialize", params); err != nil {
		t.Fatal(err)
	}
	if err := h.notify("notifications/initialized"); err != nil {
		t.Fatal(err)
	}
}

func healthCheck() map[string]any {
	return map[string]any{"name": "health_check", "arguments": map[string]any{}}
}

func sessionsAndStreams() sandbox.Options {
	return sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Sessions: true, Get: sandbox.GetStream, DeleteAllowed: true}}}
}

// With a stored login a whole life takes three POSTs, one GET, one DELETE.
func TestBridge_storedLogin_fiveRequests(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sessionsAndStreams())
	c.login()
	before := c.sandbox.Log().Len()
	h, stderr := c.host()
	handshake(t, h)
	if a, err := h.ask(t.Context(), "tools/list", map[string]any{}); err != nil || len(a.Result.Tools) != 13 {
		t.Fatalf("tools/list: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := c.sandbox.Log().WaitFor(ctx, func(e sandbox.Entry) bool { return e.N > before && e.Method == "GET" && e.Status == 200 }); err != nil {
		t.Fatal(err)
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	sessions := map[string]bool{}
	for _, e := range c.sandbox.Log().Find(sandbox.Query{After: before}) {
		got[e.Method+" "+e.Path]++
		if id := e.Header.Get("Mcp-Session-Id"); id != "" {
			sessions[id] = true
		}
	}
	if len(got) != 3 || got["POST /mcp"] != 3 || got["GET /mcp"] != 1 || got["DELETE /mcp"] != 1 || len(sessions) != 1 {
		t.Errorf("requests %v, %d sessions", got, len(sessions))
	}
	if stderr.Len() != 0 {
		t.Errorf("a good run is silent, but: %s", stderr)
	}
}

// A call without a login leads to the sign-in and is answered after it; an
// opener that makes noise and stays does not get into the protocol.
func TestBridge_noLogin_signsInOnceBesideNoisyBrowser(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.opener = "noisy-browser " + c.home
	h, _ := c.host("--url", c.sandbox.Endpoint())
	handshake(t, h) // every line of standard output is read as JSON
	if n := c.sandbox.Log().Count(sandbox.Query{Path: registerPath}); n != 0 {
		t.Error("a sign-in was begun without a call")
	}
	if a, err := h.ask(t.Context(), "tools/call", healthCheck()); err != nil || !strings.Contains(a.text(), "running") {
		t.Errorf("the call: %v %q", err, a.text())
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	if n := c.sandbox.Log().Count(sandbox.Query{Grant: "authorization_code", Status: 200}); n != 1 {
		t.Errorf("%d sign-ins", n)
	}
	seen, err := os.ReadFile(filepath.Join(c.home, "opener.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(seen), "/start/") || strings.Contains(string(seen), "state=") || strings.Contains(string(seen), "code_challenge") {
		t.Errorf("the opener got: %s", seen)
	}
	for _, secret := range c.sandbox.Secrets() {
		if bytes.Contains(seen, []byte(secret)) {
			t.Error("the opener's arguments or environment hold a secret")
		}
	}
}

func TestBridge_sigterm_endsWellWithDelete(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sessionsAndStreams())
	c.login()
	before := c.sandbox.Log().Len()
	h, _ := c.host()
	handshake(t, h)
	if _, err := h.ask(t.Context(), "tools/call", healthCheck()); err != nil { // the session is there, behind a saved answer
		t.Fatal(err)
	}
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Skip("no SIGTERM on this system: ", err)
	}
	for range h.lines { // until the bridge closes its output
	}
	if err := h.cmd.Wait(); err != nil {
		t.Errorf("the bridge ended with %v", err)
	}
	if n := c.sandbox.Log().Count(sandbox.Query{Method: "DELETE", After: before}); n != 1 {
		t.Errorf("%d DELETE", n)
	}
}

// The revocation of another process's login is seen, and the bridge goes on.
func TestBridge_revokedWhileRunning_nextCallSignsInAgain(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.login()
	h, _ := c.host()
	handshake(t, h)
	c.sandbox.RevokeFromDashboard("B")
	a, err := h.ask(t.Context(), "tools/call", healthCheck())
	if err != nil || !strings.Contains(a.text(), "running") {
		t.Errorf("after the revocation: %v", err)
	}
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	// One registration, unless another program took its port meanwhile (OAUTH A12).
	redirects := map[string]bool{}
	for _, e := range c.sandbox.Log().Find(sandbox.Query{Path: "/oauth/authorize"}) {
		redirects[e.Form.Get("redirect_uri")] = true
	}
	if n := c.sandbox.Log().Count(sandbox.Query{Path: registerPath}); n != len(redirects) || n == 0 {
		t.Errorf("%d registrations for %v", n, redirects)
	}
}

// A host that quits while the sign-in is open does not keep the bridge alive.
func TestBridge_hostQuitsDuringSignIn_ends(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	c.opener = "payu-mcp version" // opens nothing
	h, _ := c.host("--url", c.sandbox.Endpoint())
	if err := h.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": healthCheck()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := c.sandbox.Log().WaitFor(ctx, func(e sandbox.Entry) bool { return e.Path == registerPath && e.Status != 0 }); err != nil {
		t.Fatal(err)
	}
	if err := h.stop(); err != nil {
		t.Error(err)
	}
}
