package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Exit codes (HOSTS C2).
const (
	exitError       = 1
	exitUsage       = 2
	exitSignedOut   = 3
	exitNotFinished = 4
	exitNoKeychain  = 5
	exitServer      = 6
)

// good is a login that is stored, and whole: bad input must not cost it.
type good struct {
	w     *world
	sb    *sandbox.Sandbox
	files map[string][]byte // of the state folder, by name
	log   int               // requests until then
}

// goodLogin signs in at a new sandbox with --store=file.
func goodLogin(t *testing.T, w *world, o sandbox.Options) *good {
	t.Helper()
	sb := startSandbox(t, o)
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	return &good{w: w, sb: sb, files: w.stored(), log: sb.Log().Len()}
}

// stored reads the state folder but for the locks, whose notes may change.
func (w *world) stored() map[string][]byte {
	w.t.Helper()
	names, err := os.ReadDir(w.state)
	if err != nil {
		w.t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, n := range names {
		if strings.HasSuffix(n.Name(), ".lock") || n.IsDir() { // the folder of the logs
			continue
		}
		if files[n.Name()], err = os.ReadFile(filepath.Join(w.state, n.Name())); err != nil {
			w.t.Fatal(err)
		}
	}
	return files
}

// kept checks that the login is as it was, still good, and not revoked.
func (g *good) kept() {
	g.w.t.Helper()
	now := g.w.stored()
	for name, was := range g.files {
		if !bytes.Equal(now[name], was) && (!strings.HasPrefix(name, "credential-") || !sameLogin(was, now[name])) {
			g.w.t.Errorf("%s has changed", name)
		}
	}
	g.valid()
}

// forgetCatalogue takes away what was saved of the server's answers.
func (g *good) forgetCatalogue() {
	g.w.t.Helper()
	for name := range g.files {
		if !strings.HasPrefix(name, "catalogue-") {
			continue
		}
		delete(g.files, name)
		if err := os.Remove(filepath.Join(g.w.state, name)); err != nil {
			g.w.t.Fatal(err)
		}
	}
}

// valid checks that the login is good and was not revoked.
func (g *good) valid() {
	g.w.t.Helper()
	if r := g.w.must(g.w.payu("status"), 0); !strings.Contains(r.stdout, "login         valid") {
		g.w.t.Errorf("the login is no longer valid: %s", r.stdout)
	}
	if n := g.sb.Log().Count(sandbox.Query{Path: "/oauth/revoke", After: g.log}); n > 0 {
		g.w.t.Errorf("%d tokens were revoked", n)
	}
}

// sameLogin tells whether two sealed files hold the same login as far as their
// clear part tells: a sign-in that came to nothing was written into the file, and
// out of it.
func sameLogin(a, b []byte) bool {
	type file struct {
		Header struct {
			Kind, Profile, Resource string
			KeyID                   string `json:"key_id"`
			Public                  map[string]any
		}
	}
	var was, now file
	if json.Unmarshal(a, &was) != nil || json.Unmarshal(b, &now) != nil {
		return false
	}
	delete(now.Header.Public, "sign_in_open_until") // it is past, or cannot be written on a full disk
	return reflect.DeepEqual(was, now)
}

// fails checks how a command fails: its exit code, one error line that says
// text, one hint line, and nothing else on stderr but the log.
func (w *world) fails(r result, code int, text string) {
	w.t.Helper()
	w.must(r, code)
	var errorLines, hints, others []string
	for line := range strings.Lines(r.stderr) {
		switch {
		case strings.HasPrefix(line, "payu-mcp: error: "):
			errorLines = append(errorLines, line)
		case strings.HasPrefix(line, "payu-mcp: hint: "):
			hints = append(hints, line)
		case !strings.HasPrefix(line, "payu-mcp: warning: "):
			others = append(others, line)
		}
	}
	if len(errorLines) != 1 || len(hints) != 1 || len(others) != 0 {
		w.t.Errorf("%d error lines, %d hints, other lines %q; want 1, 1, none:\n%s", len(errorLines), len(hints), others, r.stderr)
	}
	if !slices.ContainsFunc(errorLines, func(l string) bool { return strings.Contains(l, text) }) {
		w.t.Errorf("the error does not say %q:\n%s", text, r.stderr)
	}
}

// nothingLeft checks that no process of this world's payu-mcp runs any more,
// nobody holds a lock, and no file of a half-done write is there.
func (w *world) nothingLeft() {
	w.t.Helper()
	w.eventually("all processes of payu-mcp end", 5*time.Second, func() bool { return len(w.processes()) == 0 })
	locks, _ := filepath.Glob(filepath.Join(w.state, "*.lo*")) // .lock and .login
	for _, path := range locks {
		f, err := os.Open(path)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			w.t.Errorf("%s is still held: %v", filepath.Base(path), err)
		}
		_ = f.Close()
	}
	for _, pattern := range []string{"*.probe*", ".*", "*.tmp*"} {
		if left, _ := filepath.Glob(filepath.Join(w.state, pattern)); len(left) > 0 {
			w.t.Errorf("left in the state folder: %q", left)
		}
	}
}

// processes lists those of payu-mcp that belong to this world.
func (w *world) processes() []int {
	var found []int
	for _, pid := range descendants(os.Getpid()) {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		program, _ := os.Readlink(filepath.Join(dir, "exe"))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if filepath.Base(program) == filepath.Base(binary) && bytes.Contains(env, []byte("PAYU_MCP_STATE_DIR="+w.state+"\x00")) {
			found = append(found, pid)
		}
	}
	return found
}

// actor is the opener made of this test program in one of its roles.
func (w *world) actor(args ...string) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	var line strings.Builder
	for _, part := range append([]string{self}, args...) {
		fmt.Fprintf(&line, "%q ", part)
	}
	w.setenv("PAYU_MCP_BROWSER", line.String())
}

// initializing is what a host says first.
func initializing() map[string]any {
	return map[string]any{
		"protocolVersion": "2025-11-25",
		"capabilities":    map[string]any{},
		"clientInfo":      map[string]any{"name": "e2e", "version": "1"},
	}
}
