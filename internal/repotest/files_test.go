package repotest_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	maxReadmeLines  = 200 // STYLE section 4
	maxDirect       = 15  // STYLE section 2
	maxMakeTargets  = 13  // STYLE section 4, and the release
	lockfileAddress = `"resolved":`
)

// machinePath matches absolute paths that exist on somebody's machine only.
// Placeholders such as /home/you/ and /Users/you/ are meant for readers.
var machinePath = regexp.MustCompile(`(?:^|[\s"'=(:` + "`" + `])/(?:work/|root/|tmp/brief|(?:home|Users)/([A-Za-z0-9._-]+)/)`)

func machinePaths(t *testing.T, tree fs.FS) []string {
	t.Helper()
	all, err := paths(tree)
	if err != nil {
		t.Fatal(err)
	}
	var breaches []string
	for _, p := range all {
		if strings.HasPrefix(p, "internal/repotest/") || strings.HasSuffix(p, ".png") {
			continue
		}
		data, err := fs.ReadFile(tree, p)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			if m := machinePath.FindStringSubmatch(line); m != nil && m[1] != "you" {
				breaches = append(breaches, fmt.Sprintf("%s:%d: path of one machine: %s", p, i+1, strings.TrimSpace(m[0])))
			}
			if strings.HasSuffix(p, "package-lock.json") && strings.Contains(line, lockfileAddress) {
				breaches = append(breaches, fmt.Sprintf("%s:%d: names a registry host", p, i+1))
			}
		}
	}
	return breaches
}

// readme checks README.md, which must be there.
func readme(t *testing.T, tree fs.FS) []string {
	t.Helper()
	data, err := fs.ReadFile(tree, "README.md")
	if err != nil {
		return []string{err.Error()}
	}
	if n := strings.Count(string(data), "\n"); n > maxReadmeLines {
		return []string{fmt.Sprintf("README.md has %d lines, limit %d", n, maxReadmeLines)}
	}
	return nil
}

var requirement = regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.-]+\.[a-z]+/\S+) v\S+$`)

func directDependencies(t *testing.T, tree fs.FS) []string {
	t.Helper()
	data, err := fs.ReadFile(tree, "go.mod")
	if err != nil {
		return []string{err.Error()}
	}
	found := requirement.FindAllString(string(data), -1)
	if len(found) <= maxDirect {
		return nil
	}
	return []string{fmt.Sprintf("go.mod requires %d modules directly, limit %d", len(found), maxDirect)}
}

func makefile(t *testing.T, tree fs.FS) []string {
	t.Helper()
	data, err := fs.ReadFile(tree, "Makefile")
	if err != nil {
		return []string{err.Error()}
	}
	targets := 0
	var breaches []string
	for line := range strings.SplitSeq(string(data), "\n") {
		if strings.HasPrefix(line, "\t") {
			breaches = append(breaches, "Makefile: a target of several lines: "+line)
		}
		if strings.Contains(line, ": ;") {
			targets++
		}
	}
	if targets == 0 || targets > maxMakeTargets {
		breaches = append(breaches, fmt.Sprintf("Makefile has %d targets, want 1 to %d", targets, maxMakeTargets))
	}
	return breaches
}

func TestFiles_text_namesNoMachine(t *testing.T) {
	t.Parallel()
	holds(t, machinePaths, fstest.MapFS{
		"docs/a.md":                 text("see /work/main/x\nand `/home/alice/bin`\nnot /home/you/bin or ~/.local\n"),
		"cmd/a.go":                  text("package a\n\nconst p = \"/root/.config\"\n"),
		"docs/url.md":               text("https://example.com/work/a and a/root/b\n"),
		"e2e/npm/package-lock.json": text("{\n\"resolved\": \"https://registry.example/x.tgz\"\n}\n"),
		"node_modules/x/a.md":       text("/work/x\n"),
	}, 4)
}

func TestFiles_readme_fits(t *testing.T) {
	t.Parallel()
	holds(t, readme, fstest.MapFS{"README.md": text(strings.Repeat("line\n", maxReadmeLines+1))}, 1)
}

func TestFiles_goMod_hasFewDirectDependencies(t *testing.T) {
	t.Parallel()
	var mod strings.Builder
	mod.WriteString("module m\n\nrequire (\n")
	for i := range maxDirect + 1 {
		fmt.Fprintf(&mod, "\texample.com/m%d v1.0.0\n", i)
	}
	mod.WriteString("\texample.com/indirect v1.0.0 // indirect\n)\n")
	holds(t, directDependencies, fstest.MapFS{"go.mod": text(mod.String())}, 1)
}

func TestFiles_makefile_hasOneLineTargets(t *testing.T) {
	t.Parallel()
	holds(t, makefile, fstest.MapFS{"Makefile": text("a: ; true\nb:\n\ttrue\n")}, 1)
}
