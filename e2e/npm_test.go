package e2e

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// shop is an npm registry on loopback that has our packages and no others, and
// notes which of them were fetched.
type shop struct {
	*httptest.Server

	tarballs map[string]string // by name of the package

	mu      sync.Mutex
	fetched []string
}

func openShop(w *world, folder string) *shop {
	w.t.Helper()
	s := &shop{tarballs: map[string]string{}}
	for _, pattern := range []string{"payu-mcp", "@payu-mcp/*"} {
		found, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, dir := range found {
			name, err := filepath.Rel(folder, dir)
			if err != nil {
				w.t.Fatal(err)
			}
			file := strings.ReplaceAll(strings.TrimPrefix(name, "@"), string(filepath.Separator), "-") + "-" + packagesVersion + ".tgz"
			s.tarballs[filepath.ToSlash(name)] = filepath.Join(filepath.Dir(folder), "tarballs", file)
		}
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { s.serve(folder, rw, r) }))
	w.t.Cleanup(s.Close)
	for name, value := range map[string]string{"registry": s.URL, "audit": "false", "fund": "false", "update_notifier": "false"} {
		w.setenv("npm_config_"+name, value)
	}
	return s
}

func (s *shop) serve(folder string, rw http.ResponseWriter, r *http.Request) {
	name, isTarball := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".tgz")
	file, ok := s.tarballs[name]
	if !ok {
		http.NotFound(rw, r)
		return
	}
	if isTarball {
		s.mu.Lock()
		s.fetched = append(s.fetched, name)
		s.mu.Unlock()
		http.ServeFile(rw, r, file)
		return
	}
	data, err := os.ReadFile(file)
	text, err2 := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name), "package.json"))
	var about map[string]any
	if err3 := json.Unmarshal(text, &about); err != nil || err2 != nil || err3 != nil {
		http.Error(rw, "broken package", http.StatusInternalServerError)
		return
	}
	sum := sha512.Sum512(data)
	about["dist"] = map[string]any{
		"tarball":   s.URL + "/" + name + ".tgz",
		"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{
		"name": name, "dist-tags": map[string]any{"latest": packagesVersion},
		"versions": map[string]any{packagesVersion: about},
	})
}

func (s *shop) sold() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.fetched))
}

// in is a command line that starts a program in a folder.
func in(dir string, args ...string) []string { return append([]string{"env", "-C", dir}, args...) }

// installed is a clean folder that payu-mcp was installed into.
func (w *world) installed(more ...string) (dir string, s *shop) {
	w.t.Helper()
	folder := filepath.Join(packages(w.t), "npm")
	s = openShop(w, folder)
	dir = w.path("clean")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	line := in(dir, append([]string{"npm", "install", "payu-mcp"}, more...)...)
	w.must(w.run(line[0], line[1:]...), 0)
	return dir, s
}

func (w *world) runIn(dir string, args ...string) result {
	w.t.Helper()
	line := in(dir, args...)
	return w.run(line[0], line[1:]...)
}

func TestNPM_pack_sameBytes(t *testing.T) {
	t.Parallel()
	dir := packages(t)
	first, second := checksums(t, filepath.Join(dir, "tarballs")), checksums(t, filepath.Join(dir, "again", "tarballs"))
	if len(first) != 7 {
		t.Errorf("%d tarballs", len(first))
	}
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("two runs gave two %s", name)
		}
	}
}

// A stranger's computer: one command, and only this platform's program comes.
func TestNPM_cleanFolder_installsAndRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, s := w.installed()
	if sold := s.sold(); !slices.Equal(sold, []string{"@payu-mcp/linux-x64", "payu-mcp"}) {
		t.Errorf("fetched: %q", sold)
	}
	empty := w.path("empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	if r := w.must(w.runIn(empty, "npx", "-y", "payu-mcp", "install", "--yes"), exitError); !strings.Contains(r.stderr, "a place that will be gone") {
		t.Errorf("npx's cache was taken for a place to stay: %s", r.stderr)
	}
	s.Close() // from here on nothing comes from anywhere
	if r := w.must(w.runIn(dir, "npx", "payu-mcp", "version"), 0); !strings.HasPrefix(r.stdout, "payu-mcp v"+packagesVersion+" ") {
		t.Errorf("it says %q", r.stdout)
	}
	w.must(w.runIn(dir, "npx", "payu-mcp", "status"), exitSignedOut)
	w.must(w.runIn(dir, "npx", "payu-mcp", "no-such-command"), exitUsage)

	// npx does not pass SIGTERM on; killed, it leaves a shell behind, between it and
	// us, and then only the end of the input tells.
	for name, end := range map[string]func(*host){
		"EOF":     func(h *host) { _ = h.stdin.Close() },
		"SIGTERM": func(h *host) { _ = h.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGKILL": func(h *host) { _ = h.cmd.Process.Kill(); _ = h.stdin.Close() },
	} {
		line := in(dir, "npx", "payu-mcp", "--url", "http://127.0.0.1:9/mcp")
		h := w.startBehind(line[0], line[1:]...)
		h.initialize()
		if n := len(w.processes()); n != 1 {
			t.Errorf("%s: %d bridges", name, n)
		}
		end(h)
		h.gone(goneRefresh)
		w.nothingLeft()
	}
}

// npm was told to leave out what is optional, or there is nothing for this
// computer: the person reads why.
func TestNPM_noProgram_saysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, s := w.installed("--omit=optional")
	if sold := s.sold(); !slices.Equal(sold, []string{"payu-mcp"}) {
		t.Fatalf("fetched: %q", sold)
	}
	script := filepath.Join(dir, "node_modules", "payu-mcp", "bin", "payu-mcp.js")
	odd := w.path("odd.cjs")
	if err := os.WriteFile(odd, []byte(`Object.defineProperty(process, "arch", { value: "mips" });`), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, line := range map[string][]string{
		"the package @payu-mcp/linux-x64 is not installed": {script, "version"},
		"there is no program for linux-mips on npm":        {"-r", odd, script, "version"},
	} {
		r := w.must(w.run(node, line...), exitError)
		if !strings.HasPrefix(r.stderr, "payu-mcp: error: "+says+"\npayu-mcp: hint: ") || r.stdout != "" {
			t.Errorf("it says %q %q", r.stderr, r.stdout)
		}
	}
}
