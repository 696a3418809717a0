package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const memoryLimit = 25 << 10 // KiB, issue of the first end-to-end way

// visitAs is visit by the user that its first argument names. The page that it ends
// at may be an error.
func visitAs(args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	if _, err := (sandbox.Visitor{User: args[0]}).Visit(ctx, args[1]); err != nil {
		return 1
	}
	return 0
}

// visit is an opener without a browser: the sandbox's visitor.
func visit(args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	page, err := sandbox.Visitor{}.Visit(ctx, args[0])
	if err != nil || page.Status != http.StatusOK {
		return 1
	}
	return 0
}

// visitor makes the sandbox's visitor the opener.
func (w *world) visitor() {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	w.setenv("PAYU_MCP_BROWSER", fmt.Sprintf("%q visit", self))
}

// residentKiB is the most memory that a process ever held, in KiB.
func residentKiB(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(data)
	if err != nil || m == nil {
		t.Fatalf("reading the memory of the bridge: %v", err)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What a short life of the bridge costs at the remote end and here.
func TestBudget_shortLife_takesFiveRequestsAndLittleMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Sessions: true, Get: sandbox.GetStream, DeleteAllowed: true}}})
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	before := sb.Log().Len()

	h := w.startHost()
	h.initialize()
	if n := len(h.tools()); n != 13 {
		t.Errorf("%d tools, want 13", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := sb.Log().WaitFor(ctx, func(e sandbox.Entry) bool { return e.N > before && e.Method == http.MethodGet }); err != nil {
		t.Errorf("no GET stream: %v", err)
	}
	kib := residentKiB(t, h.cmd.Process.Pid)
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}

	got, sessions := map[string]int{}, map[string]int{}
	for _, e := range sb.Log().Find(sandbox.Query{After: before}) {
		got[string(e.Role)+" "+e.Method]++
		if s := e.Header.Get("Mcp-Session-Id"); s != "" {
			sessions[s]++
		}
	}
	if want := map[string]int{"RS POST": 3, "RS GET": 1, "RS DELETE": 1}; !maps.Equal(got, want) {
		t.Errorf("requests: %v, want %v", got, want)
	}
	if ids := slices.Collect(maps.Keys(sessions)); len(ids) != 1 {
		t.Errorf("%d sessions, want 1", len(ids))
	}
	t.Logf("resident memory: %d KiB", kib)
	if os.Getenv("E2E_RACE") == "" && kib > memoryLimit {
		t.Errorf("the bridge held %d KiB, limit %d", kib, memoryLimit)
	}
}

// What is downloaded is what goreleaser.yaml builds: stripped.
func TestBudget_program_isSmall(t *testing.T) {
	t.Parallel()
	const most = 15_000_000 // bytes, as the shipping issue has it
	program := filepath.Join(t.TempDir(), "payu-mcp")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", program, "./cmd/payu-mcp")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building it: %v\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MB", float64(info.Size())/1e6)
	if info.Size() > most {
		t.Errorf("the stripped program has %d bytes; html/template and its like keep all methods (docs/decisions.md)", info.Size())
	}
}
