package repotest_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// oldestSys is the newest x/sys that is not new enough: what go-keyring and
// pkg/browser select by themselves has a hole (CVE-2026-39824).
const oldestSys = "v0.41.0"

// dependency is one line of a go.mod.
type dependency struct {
	path, version string
	direct        bool
}

var dependencyLine = regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.-]+\.[a-z]+/\S+) (v\S+)( // indirect)?$`)

func dependencies(t *testing.T, tree fs.FS, file string) []dependency {
	t.Helper()
	var found []dependency
	for _, m := range dependencyLine.FindAllStringSubmatch(contents(t, tree, file), -1) {
		found = append(found, dependency{m[1], m[2], m[3] == ""})
	}
	return found
}

func contents(t *testing.T, tree fs.FS, file string) string {
	t.Helper()
	data, err := fs.ReadFile(tree, file)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

// reasons finds direct dependencies that docs/decisions.md gives no reason for, in
// a line of its own, and reasons for what is none.
func reasons(t *testing.T, tree fs.FS) []string {
	t.Helper()
	_, section, _ := strings.Cut(contents(t, tree, "docs/decisions.md"), "## Direct dependencies\n")
	section, _, _ = strings.Cut(section, "\n## ")
	given := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^- `([^`]+)`: \\S").FindAllStringSubmatch(section, -1) {
		given[m[1]] = true
	}
	var breaches []string
	for _, d := range dependencies(t, tree, "go.mod") {
		if d.direct && !given[d.path] {
			breaches = append(breaches, "docs/decisions.md does not say why "+d.path+" is needed")
		}
		if d.direct {
			delete(given, d.path)
		}
	}
	for path := range given {
		breaches = append(breaches, "docs/decisions.md says why "+path+" is needed, which go.mod does not ask for")
	}
	return breaches
}

// pins finds what makes a build take other code than go.mod says: a replacement,
// a missing checksum, or an x/sys with the hole.
func pins(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	if strings.Contains(contents(t, tree, "go.mod"), "\nreplace ") {
		breaches = append(breaches, "go.mod replaces a module")
	}
	sums := contents(t, tree, "go.sum")
	for _, d := range dependencies(t, tree, "go.mod") {
		for _, what := range []string{" h1:", "/go.mod h1:"} {
			if !strings.Contains("\n"+sums, "\n"+d.path+" "+d.version+what) {
				breaches = append(breaches, fmt.Sprintf("go.sum has no %q of %s %s", what, d.path, d.version))
			}
		}
		if d.path == "golang.org/x/sys" && !newer(d.version, oldestSys) {
			breaches = append(breaches, fmt.Sprintf("x/sys %s is not newer than %s", d.version, oldestSys))
		}
	}
	return breaches
}

// newer compares versions without a suffix; with one, nothing is newer.
func newer(version, than string) bool {
	var a, b [3]int
	var tail string
	n, _ := fmt.Sscanf(version, "v%d.%d.%d%s", &a[0], &a[1], &a[2], &tail)
	_, _ = fmt.Sscanf(than, "v%d.%d.%d", &b[0], &b[1], &b[2])
	for i := range a {
		if a[i] != b[i] {
			return n == 3 && a[i] > b[i]
		}
	}
	return false
}

// Few dependencies, each with a reason (their number: TestFiles_goMod_hasFewDirectDependencies).
//
//oauth:row X30 - "it reads go.mod as it lies there; the same rule finds the breaches of a bad sample in the same test"
func TestSupply_dependencies_haveReasons(t *testing.T) {
	t.Parallel()
	holds(t, reasons, fstest.MapFS{
		"go.mod":            text("module m\n\nrequire (\n\texample.com/good v1.0.0\n\texample.com/bad v1.0.0\n\texample.com/far v1.0.0 // indirect\n)\n"),
		"docs/decisions.md": text("# D\n\n`example.com/bad`\n\n## Direct dependencies\n- `example.com/good`: x\n- `example.com/far`: x\n\n## Other\n- `example.com/bad`: x\n"),
	}, 2)
}

//oauth:row X30 - "it reads go.mod and go.sum as they lie there; the same rule finds the breaches of a bad sample in the same test"
func TestSupply_versions_arePinned(t *testing.T) {
	t.Parallel()
	const sys = "golang.org/x/sys v0.41.0"
	holds(t, pins, fstest.MapFS{
		"go.mod": text("module m\n\nrequire (\n\texample.com/a v1.0.0\n\t" + sys + "\n)\n\nreplace example.com/a => ../a\n"),
		"go.sum": text(sys + " h1:x=\n" + sys + "/go.mod h1:x=\nexample.com/a v1.0.0/go.mod h1:x=\nexample.com/a v1.0.1 h1:x=\n"),
	}, 3)
	for version, want := range map[string]bool{"v0.41.0": false, "v0.41.1": true, "v0.42.0": true, "v1.0.0": true, "v0.9.9": false, "v0.42.0-rc.1": false, "x": false} {
		if newer(version, oldestSys) != want {
			t.Errorf("newer(%s) = %v", version, !want)
		}
	}
}
