package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const (
	wine64     = "/usr/lib/wine/wine64"
	wineserver = "/usr/lib/wine/wineserver64"
)

// windows is what runs under Wine: programs cross-built for Windows, in the
// prefix that wine/install.sh has made. Files, locks, the Credential Manager and
// processes are those of Wine; the network is this computer's.
type windows struct {
	dir    string // the programs
	prefix string // Wine's own files
	env    []string
}

// A real Windows is not to be had here. This is as near as Linux comes.
func TestWindows(t *testing.T) { //nolint:tparallel // the last one has Wine's one server for itself
	t.Parallel()
	v := startWindows(t)
	t.Run("alone", func(t *testing.T) {
		t.Run("demo", func(t *testing.T) { t.Parallel(); v.demo(t) })
		t.Run("keychain", func(t *testing.T) { t.Parallel(); v.keychainTests(t) })
		t.Run("files", func(t *testing.T) { t.Parallel(); v.fileTests(t) })
		t.Run("credential manager", func(t *testing.T) { t.Parallel(); v.credentialManager(t) })
		t.Run("hosts' files", func(t *testing.T) { t.Parallel(); v.hostFiles(t) })
		t.Run("ends", func(t *testing.T) { t.Parallel(); v.ends(t) })
	})
	t.Run("together", func(t *testing.T) { v.bridges(t) })
}

// startWindows builds the programs and starts Wine's server, or skips the test.
func startWindows(t *testing.T) *windows {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(cache, "payu-mcp-e2e", "wine")
	if _, err := os.Stat(filepath.Join(made, ".made-by-payu-mcp")); err != nil || runtime.GOARCH != "amd64" {
		t.Skipf("no Windows: Wine is not here, or e2e/wine/install.sh did not end well (%v)", err)
	}
	prefix := ownPrefix(t, made)
	v := &windows{dir: filepath.Join(outDir, "windows"), prefix: prefix, env: []string{
		"WINEPREFIX=" + prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=",
	}}
	overlay := v.overlay(t)
	v.build(t, "build", "-overlay", overlay, "-o", v.exe("payu-mcp"), "./cmd/payu-mcp")
	v.build(t, "test", "-overlay", overlay, "-c", "-o", v.exe("keychain.test"), "./keychain")
	v.build(t, "test", "-overlay", overlay, "-c", "-o", v.exe("atomicfile.test"), "./internal/atomicfile")
	v.build(t, "test", "-overlay", overlay, "-c", "-o", v.exe("logfile.test"), "./internal/logfile")
	v.startServer(t)
	return v
}

// ownPrefix copies a prefix, since two runs of the tests must not have one. The
// files are links, but for the registry: Wine replaces a file that it changes, but
// writes a linked one where it is, and whoever reads it then finds half of it.
func ownPrefix(t *testing.T, made string) string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(made), "run") //nolint:usetesting // links go no further than their disk
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	prefix := filepath.Join(dir, "wine")
	const copying = `cp -al "$1" "$2" && rm "$2"/*.reg && cp -p "$1"/*.reg "$2"`
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", copying, "sh", made, prefix).CombinedOutput(); err != nil {
		t.Fatalf("copying the prefix: %v\n%s", err, out)
	}
	return prefix
}

func (v *windows) exe(name string) string { return filepath.Join(v.dir, name+".exe") }

// overlay mends one place of the standard library for Wine 8.0: to delete a
// file, Go tries a newer call first, and does not know Wine's way to say that it
// has none. Everything else is built as it is shipped.
func (v *windows) overlay(t *testing.T) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(strings.TrimSpace(string(root)), "src", "internal", "syscall", "windows", "at_windows.go")
	text, err := os.ReadFile(file)
	const was, is = "STATUS_NOT_SUPPORTED:", "STATUS_NOT_SUPPORTED, NTStatus(0xC0000002):" // STATUS_NOT_IMPLEMENTED
	if err != nil || strings.Count(string(text), was) != 1 {
		t.Fatalf("%s is not what it was: %v", file, err)
	}
	mended, list := filepath.Join(v.dir, "at_windows.go.txt"), filepath.Join(v.dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: mended}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(v.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{mended: []byte(strings.Replace(string(text), was, is, 1)), list: replace} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func (v *windows) build(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "GOOS=windows", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building for Windows: %v\n%s", err, out)
	}
}

// startServer keeps Wine and its services up. Else each program would start
// them anew, and leave them its pipes.
func (v *windows) startServer(t *testing.T) {
	t.Helper()
	shell := exec.CommandContext(t.Context(), wine64, "cmd")
	shell.Env = append(os.Environ(), v.env...)
	stdin, err1 := shell.StdinPipe()
	stdout, err2 := shell.StdoutPipe()
	if err := errors.Join(err1, err2, shell.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's context is over when a clean-up runs.
		end := exec.CommandContext(context.WithoutCancel(t.Context()), wineserver, "--kill")
		end.Env = append(os.Environ(), v.env...)
		_ = end.Run()
		_ = stdin.Close()
		_ = stdout.Close() // Wait would wait for the services
		_ = shell.Wait()
	})
	if _, err := bufio.NewReader(stdout).ReadString('>'); err != nil { // the prompt
		t.Fatalf("starting Wine: %v", err)
	}
}

// world is one user's computer with Windows. The prefix is shared.
func (v *windows) world(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.env = append(w.env, v.env...)
	w.setenv("PAYU_MCP_STATE_DIR", windowsPath(w.state))
	w.setenv("PAYU_MCP_BROWSER", fmt.Sprintf(`"%s" demo-browser`, windowsPath(v.exe("payu-mcp")))) // the opener knows no escapes
	return w
}

// windowsPath is how Wine's programs see a path.
func windowsPath(path string) string { return "Z:" + strings.ReplaceAll(path, "/", `\`) }

// payu runs payu-mcp.exe to its end.
func (v *windows) payu(w *world, args ...string) result {
	w.t.Helper()
	return v.run(w, "", append([]string{v.exe("payu-mcp")}, args...)...)
}

// run runs a Windows program to its end, in a folder. Its output goes to files:
// what Wine starts beside it would keep pipes open.
func (v *windows) run(w *world, dir string, args ...string) result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, wine64, args...)
	cmd.Dir, cmd.Env = dir, w.env
	var said [2]string
	for i, to := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		f, err := os.CreateTemp(w.path("logs"), "")
		if err != nil {
			w.t.Fatal(err)
		}
		defer f.Close()
		*to, said[i] = f, f.Name()
	}
	err := cmd.Run()
	for i, name := range said {
		text, readErr := os.ReadFile(name)
		err, said[i] = errors.Join(err, readErr), string(text)
	}
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended || ctx.Err() != nil {
		w.t.Fatalf("running %q: %v, %v\n%s%s", args, err, ctx.Err(), said[0], said[1])
	}
	return result{cmd.ProcessState.ExitCode(), said[0], said[1]}
}

func (v *windows) demo(t *testing.T) {
	w := v.world(t)
	if r := w.must(v.payu(w, "demo"), 0); !strings.Contains(r.stdout, "All of it worked") || r.stderr != "" {
		t.Errorf("the demo said: %s%s", r.stdout, r.stderr)
	}
}

// credentials lists the Credential Manager, which Wine keeps in the registry.
func (v *windows) credentials(w *world) string {
	w.t.Helper()
	return v.run(w, "", "reg", "query", `HKCU\Software\Wine\Credential Manager`, "/s").stdout
}

// The key lies in the Credential Manager, from login to logout; a host has it
// over its pipes.
func (v *windows) credentialManager(t *testing.T) {
	w := v.world(t)
	sb := startSandbox(t, sandbox.Options{})
	before := strings.Count(v.credentials(w), "payu-mcp")
	w.must(v.payu(w, "login", "--url", sb.Endpoint()), 0)
	if n := strings.Count(v.credentials(w), "payu-mcp"); n <= before {
		t.Errorf("the Credential Manager has %d entries, %d before the login", n, before)
	}
	if keys, _ := filepath.Glob(filepath.Join(w.state, "*.key")); len(keys) > 0 {
		t.Errorf("a key lies in a file: %q", keys)
	}
	h := w.startBehind(wine64, v.exe("payu-mcp"))
	h.initialize()
	if tools := h.tools(); len(tools) != 13 || !slices.Contains(tools, "health_check") {
		t.Errorf("tools %q, want PayU's 13", tools)
	}
	if r := h.call("health_check", map[string]any{}); r.IsError || len(r.Content) == 0 {
		t.Errorf("the call gave %+v", r)
	}
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	if n := sb.Log().Count(sandbox.Query{Grant: "authorization_code"}); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	w.must(v.payu(w, "logout"), 0)
	if n := strings.Count(v.credentials(w), "payu-mcp"); n != before {
		t.Errorf("the Credential Manager has %d entries after the logout, %d before the login", n, before)
	}
	w.noLeaks(sb.Secrets())
}

// Eight processes share a login whose key lies in the Credential Manager.
func (v *windows) bridges(t *testing.T) {
	w := v.world(t)
	c := w.crowd(shortTokens(), func() *host { return w.startBehind(wine64, v.exe("payu-mcp")) })
	w.must(v.payu(w, "login", "--url", c.sb.Endpoint()), 0)
	c.pace, c.limit, c.slow = 100*time.Millisecond, time.Minute, true // Wine is not quick
	c.start()
	random, _ := c.run(1, func(m *member) { m.end(byEOF) })
	t.Logf("%v: %d bridges; ended %d at random", crowdTime(t), c.lives, random)
	c.well()
	for _, m := range c.members {
		m.host.end()
	}
	w.must(v.payu(w, "logout"), 0)
}
