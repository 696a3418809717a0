package repotest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/payu-mcp/payu-mcp"

// source is one Go file of the tree.
type source struct {
	path   string // slash-separated, from the root
	text   string
	syntax *ast.File
	fset   *token.FileSet
}

func (s source) dir() string          { return path.Dir(s.path) }
func (s source) isTest() bool         { return strings.HasSuffix(s.path, "_test.go") }
func (s source) line(p token.Pos) int { return s.fset.Position(p).Line }
func (s source) inShippedModule() bool {
	return !strings.HasPrefix(s.path, "e2e/") && !strings.HasPrefix(s.path, "tools/")
}
func (s source) at(p token.Pos) string { return fmt.Sprintf("%s:%d", s.path, s.line(p)) }
func skipped(name string) bool {
	return slices.Contains([]string{".git", "node_modules", "testdata", "out", "dist"}, name)
}
func repository() fs.FS                   { return os.DirFS("../..") }
func text(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }

// paths lists the files of tree, without what is not ours.
func paths(tree fs.FS) ([]string, error) {
	var found []string
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && skipped(d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular() && d.Name() != ".git": // a file in a work tree of its own
			found = append(found, p)
		}
		return nil
	})
	return found, err
}

// sources parses every Go file of tree, for every operating system.
func sources(t *testing.T, tree fs.FS) []source {
	t.Helper()
	all, err := paths(tree)
	if err != nil {
		t.Fatal(err)
	}
	var found []source
	for _, p := range all {
		if !strings.HasSuffix(p, ".go") {
			continue
		}
		data, err := fs.ReadFile(tree, p)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		syntax, err := parser.ParseFile(fset, p, data, parser.ParseComments)
		if err != nil {
			t.Errorf("parsing: %v", err)
			continue
		}
		found = append(found, source{path: p, text: string(data), syntax: syntax, fset: fset})
	}
	return found
}

// rule returns one line for each place that breaks it.
type rule func(*testing.T, fs.FS) []string

// holds runs r on the repository, where it must find nothing, and on bad, where
// it must find exactly as many breaches as want.
func holds(t *testing.T, r rule, bad fstest.MapFS, want int) {
	t.Helper()
	for _, breach := range r(t, repository()) {
		t.Error(breach)
	}
	if got := r(t, bad); len(got) != want {
		t.Errorf("on the bad sample: %d breaches, want %d:\n%s", len(got), want, strings.Join(got, "\n"))
	}
}
