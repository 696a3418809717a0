package repotest_test

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// direction says what the packages under a folder may import of ours, besides
// themselves: the table of packages in the design. "leaves" stands for
// internal/ without the sandbox and this package.
type direction struct {
	under string
	may   []string
}

// Most special first: the first that matches a package holds.
var directions = []direction{
	{"cmd", []string{"auth", "bridge", "install", "keychain", "remote", "internal/sandbox$", "leaves"}},
	{"bridge/catalogue", []string{"remote", "leaves"}},
	{"bridge/translate", []string{"remote", "leaves"}},
	{"bridge/journal", []string{"leaves"}},
	{"bridge/policy", []string{"leaves"}},
	{"bridge", []string{"remote", "leaves"}},
	{"auth/loopback", []string{"leaves"}},
	{"auth", []string{"leaves"}},
	{"remote", []string{"leaves"}},
	{"keychain", []string{"leaves"}},
	{"install/edit", []string{"leaves"}},
	{"install", []string{"leaves"}},
	{"internal/sandbox/fault", []string{"internal/sandbox", "leaves"}},
	{"internal", []string{"leaves"}},
}

// homes names the only folder (or file prefix) that may import a package.
var homes = map[string][]string{
	"github.com/spf13/cobra":        {"cmd/payu-mcp/"},
	"github.com/spf13/pflag":        {"cmd/payu-mcp/"},
	"golang.org/x/term":             {"cmd/payu-mcp/"},
	"github.com/zalando/go-keyring": {"keychain/"},
	"github.com/pkg/browser":        {"auth/browser", "cmd/payu-mcp/browser"},
	"github.com/google/go-cmp/cmp":  {},
	"github.com/tailscale/hujson":   {"install/edit/"},
	"go.yaml.in/yaml/v3":            {"install/edit/"},

	"github.com/pelletier/go-toml/v2":          {"install/edit/"},
	"github.com/pelletier/go-toml/v2/unstable": {"install/edit/"},

	"github.com/modelcontextprotocol/go-sdk/mcp": {}, // tests only: what it brings costs each start (docs/decisions.md)

	module + "/internal/sandbox/fault": {"internal/sandbox/fault/"},
}

func imports(s source) []string {
	var found []string
	for _, spec := range s.syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			found = append(found, p)
		}
	}
	return found
}

func isLeaf(pkg string) bool {
	return strings.HasPrefix(pkg, "internal/") && !strings.HasPrefix(pkg, "internal/sandbox") && pkg != "internal/repotest"
}

func (d direction) allows(pkg string) bool {
	if within(pkg, d.under) && d.under != "internal" {
		return true
	}
	return slices.ContainsFunc(d.may, func(m string) bool {
		exact, isExact := strings.CutSuffix(m, "$")
		return m == "leaves" && isLeaf(pkg) || isExact && pkg == exact || !isExact && within(pkg, m)
	})
}

func within(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

func importDirections(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	for _, s := range sources(t, tree) {
		i := slices.IndexFunc(directions, func(d direction) bool { return within(s.dir(), d.under) })
		if s.isTest() || i < 0 {
			continue
		}
		for _, p := range imports(s) {
			pkg, ours := strings.CutPrefix(p, module+"/")
			if ours && pkg != s.dir() && !directions[i].allows(pkg) {
				breaches = append(breaches, fmt.Sprintf("%s imports %s: the design allows %s only %v", s.path, pkg, directions[i].under, directions[i].may))
			}
		}
	}
	return breaches
}

func importHomes(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	for _, s := range sources(t, tree) {
		if s.isTest() || !s.inShippedModule() {
			continue
		}
		for _, p := range imports(s) {
			at, has := homes[p]
			if has && !slices.ContainsFunc(at, func(h string) bool { return strings.HasPrefix(s.path, h) }) {
				breaches = append(breaches, fmt.Sprintf("%s imports %s: its home is %v", s.path, p, at))
			}
		}
	}
	return breaches
}

// reach returns the packages of ours that the shipped program is built from.
func reach(t *testing.T, tree fs.FS, from string) []string {
	t.Helper()
	graph := map[string][]string{}
	for _, s := range sources(t, tree) {
		for _, p := range imports(s) {
			if pkg, ours := strings.CutPrefix(p, module+"/"); ours && !s.isTest() {
				graph[s.dir()] = append(graph[s.dir()], pkg)
			}
		}
	}
	seen := map[string]bool{}
	for next := []string{from}; len(next) > 0; next = next[1:] {
		if pkg := next[0]; !seen[pkg] {
			seen[pkg] = true
			next = append(next, graph[pkg]...)
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func faultsShipped(t *testing.T, tree fs.FS) []string {
	t.Helper()
	return slices.DeleteFunc(reach(t, tree, "cmd/payu-mcp"), func(pkg string) bool {
		return !within(pkg, "internal/sandbox/fault") && pkg != "internal/repotest"
	})
}

func importing(pkg string) *fstest.MapFile {
	return text("package x\nimport _ \"" + pkg + "\"\n")
}

func TestImports_directions_goDownOnly(t *testing.T) {
	t.Parallel()
	holds(t, importDirections, fstest.MapFS{
		"remote/a.go":           importing(module + "/auth"),
		"auth/a.go":             importing(module + "/keychain"),
		"auth/loopback/a.go":    importing(module + "/auth"),
		"bridge/a.go":           importing(module + "/auth"),
		"bridge/catalogue/a.go": importing(module + "/bridge"),
		"bridge/policy/a.go":    importing(module + "/remote"),
		"internal/hint/a.go":    importing(module + "/internal/sandbox"),
		"keychain/a.go":         importing(module + "/remote"),
		"cmd/payu-mcp/a.go":     importing(module + "/internal/sandbox/fault"),
		"bridge/fine.go":        importing(module + "/remote"),
		"auth/fine.go":          importing(module + "/auth/loopback"),
		"auth/fine_test.go":     importing(module + "/keychain"),
		"cmd/payu-mcp/fine.go":  importing(module + "/internal/sandbox"),
	}, 9)
}

func TestImports_library_hasOneHome(t *testing.T) {
	t.Parallel()
	holds(t, importHomes, fstest.MapFS{
		"auth/keys.go":             importing("github.com/zalando/go-keyring"),
		"remote/a.go":              importing("github.com/spf13/cobra"),
		"auth/open.go":             importing("github.com/pkg/browser"),
		"bridge/a.go":              importing("github.com/google/go-cmp/cmp"),
		"bridge/b.go":              importing("github.com/modelcontextprotocol/go-sdk/mcp"),
		"internal/a/a.go":          importing(module + "/internal/sandbox/fault"),
		"keychain/keyring.go":      importing("github.com/zalando/go-keyring"),
		"auth/browser_unix.go":     importing("github.com/pkg/browser"),
		"bridge/bridge_test.go":    importing("github.com/google/go-cmp/cmp"),
		"cmd/payu-mcp/commands.go": importing("github.com/spf13/cobra"),
	}, 6)
}

func TestImports_faults_areNotShipped(t *testing.T) {
	t.Parallel()
	holds(t, faultsShipped, fstest.MapFS{
		"cmd/payu-mcp/main.go":        importing(module + "/bridge"),
		"bridge/a.go":                 importing(module + "/internal/detour"),
		"internal/detour/a.go":        importing(module + "/internal/sandbox/fault"),
		"internal/sandbox/fault/a.go": text("package fault\n"),
		"internal/other/a.go":         importing(module + "/internal/repotest"),
	}, 1)
}
