package repotest_test

import (
	"fmt"
	"go/ast"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	maxFileLines     = 300 // STYLE section 2
	maxFunctionLines = 60  // STYLE section 2
	maxNolints       = 5   // STYLE section 2
)

// shipped returns the non-test sources of the module.
func shipped(t *testing.T, tree fs.FS) []source {
	t.Helper()
	return slices.DeleteFunc(sources(t, tree), func(s source) bool { return s.isTest() || !s.inShippedModule() })
}

func packageDocs(t *testing.T, tree fs.FS) []string {
	t.Helper()
	docs := map[string]int{}
	for _, s := range shipped(t, tree) {
		docs[s.dir()] += 0
		if doc := s.syntax.Doc.Text(); strings.HasPrefix(doc, "Package ") || strings.HasPrefix(doc, "Command ") {
			docs[s.dir()]++
		}
	}
	var breaches []string
	for dir, n := range docs {
		if n != 1 {
			breaches = append(breaches, fmt.Sprintf("%s has %d package docs, want 1", dir, n))
		}
	}
	return breaches
}

func sizes(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	for _, s := range shipped(t, tree) {
		if n := strings.Count(s.text, "\n"); n > maxFileLines {
			breaches = append(breaches, fmt.Sprintf("%s has %d lines, limit %d", s.path, n, maxFileLines))
		}
		for _, d := range s.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if n := s.line(d.End()) - s.line(d.Pos()) + 1; ok && n > maxFunctionLines {
				breaches = append(breaches, fmt.Sprintf("%s: %s has %d lines, limit %d", s.at(d.Pos()), f.Name.Name, n, maxFunctionLines))
			}
		}
	}
	return breaches
}

// calls returns where s calls one of names: "panic" or "os.Exit".
func calls(s source, names ...string) []string {
	var found []string
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && slices.Contains(names, callee(c)) {
			found = append(found, s.at(c.Pos())+": "+callee(c))
		}
		return true
	})
	return found
}

func callee(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if pkg, ok := f.X.(*ast.Ident); ok {
			return pkg.Name + "." + f.Sel.Name
		}
	}
	return ""
}

func exits(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var inMain, breaches []string
	for _, s := range shipped(t, tree) {
		found := calls(s, "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "syscall.Exit")
		if s.path == "cmd/payu-mcp/main.go" {
			inMain = found
			continue
		}
		breaches = append(breaches, found...)
	}
	if len(inMain) > 1 {
		breaches = append(breaches, inMain[1:]...)
	}
	return breaches
}

func panicsAndInits(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	for _, s := range shipped(t, tree) {
		breaches = append(breaches, calls(s, "panic", "log.Panic", "log.Panicf")...)
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				breaches = append(breaches, s.at(f.Pos())+": init()")
			}
		}
	}
	return breaches
}

// patternsAtStart finds regular expressions that each start of the program compiles.
func patternsAtStart(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	for _, s := range shipped(t, tree) {
		for _, d := range s.syntax.Decls {
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl, *ast.FuncLit:
					return false
				case *ast.CallExpr:
					if strings.HasPrefix(callee(n), "regexp.") {
						breaches = append(breaches, s.at(n.Pos())+": compiled at each start")
					}
				}
				return true
			})
		}
	}
	return breaches
}

// rootContexts finds contexts that no caller can end and that do not say why.
func rootContexts(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var breaches []string
	for _, s := range shipped(t, tree) {
		lines := strings.Split(s.text, "\n")
		for i, line := range lines {
			if !strings.Contains(line, "context.Background()") && !strings.Contains(line, "context.WithoutCancel(") && !strings.Contains(line, "context.TODO()") {
				continue
			}
			above := i > 0 && strings.HasPrefix(strings.TrimSpace(lines[i-1]), "//")
			if !above && !strings.Contains(line, "//") {
				breaches = append(breaches, fmt.Sprintf("%s:%d: say in a comment why no caller may end this context", s.path, i+1))
			}
		}
	}
	return breaches
}

func nolints(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var found []string
	for _, s := range shipped(t, tree) {
		for _, group := range s.syntax.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//nolint") {
					found = append(found, s.at(c.Pos())+": "+c.Text)
				}
			}
		}
	}
	if len(found) <= maxNolints {
		return nil
	}
	return found[maxNolints:]
}

func TestCode_packages_haveOneDoc(t *testing.T) {
	t.Parallel()
	holds(t, packageDocs, fstest.MapFS{
		"none/a.go":   text("package none\n"),
		"two/a.go":    text("// Package two is.\npackage two\n"),
		"two/b.go":    text("// Package two is, again.\npackage two\n"),
		"one/a.go":    text("// Package one is.\npackage one\n"),
		"one/b.go":    text("package one\n"),
		"e2e/a/a.go":  text("package a\n"),
		"t/a_test.go": text("package t\n"),
	}, 2)
}

func TestCode_files_areShort(t *testing.T) {
	t.Parallel()
	holds(t, sizes, fstest.MapFS{
		"a/long.go":     text("package a\n" + strings.Repeat("//\n", maxFileLines)),
		"a/function.go": text("package a\nfunc f() {\n" + strings.Repeat("_ = 1\n", maxFunctionLines-1) + "}\n"),
		"a/fits.go":     text("package a\nfunc g() {\n" + strings.Repeat("_ = 1\n", maxFunctionLines-2) + "}\n"),
		"a/a_test.go":   text("package a\n" + strings.Repeat("//\n", maxFileLines)),
	}, 2)
}

func TestCode_process_endsInMainOnly(t *testing.T) {
	t.Parallel()
	holds(t, exits, fstest.MapFS{
		"cmd/payu-mcp/main.go": text("package main\nfunc main() { os.Exit(1); os.Exit(2) }\n"),
		"auth/a.go":            text("package auth\nfunc f() { os.Exit(1) }\n"),
		"remote/a.go":          text("package remote\nfunc f() { log.Fatal(1) }\n"),
	}, 3)
}

func TestCode_panicAndInit_areAbsent(t *testing.T) {
	t.Parallel()
	holds(t, panicsAndInits, fstest.MapFS{
		"a/a.go":      text("package a\nfunc init() {}\nfunc (x T) init() {}\nfunc f() { panic(1) }\n"),
		"a/a_test.go": text("package a\nfunc init() { panic(1) }\n"),
	}, 2)
}

func TestCode_patterns_areCompiledWhenNeeded(t *testing.T) {
	t.Parallel()
	holds(t, patternsAtStart, fstest.MapFS{
		"a/bad.go":  text("package a\nvar p = regexp.MustCompile(``)\nvar (\n\tq = T{regexp.MustCompile(``)}\n)\n"),
		"a/good.go": text("package a\nvar p = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(``) })\nfunc f() { regexp.MustCompile(``) }\n"),
	}, 2)
}

func TestCode_rootContexts_areExplained(t *testing.T) {
	t.Parallel()
	holds(t, rootContexts, fstest.MapFS{
		"a/bad.go":  text("package a\nvar c = context.Background()\nvar d = context.WithoutCancel(c)\n"),
		"a/good.go": text("package a\n// The process itself.\nvar c = context.Background()\nvar d = context.TODO() // because\n"),
	}, 2)
}

func TestCode_nolints_areFew(t *testing.T) {
	t.Parallel()
	holds(t, nolints, fstest.MapFS{
		"a/a.go": text("package a\n" + strings.Repeat("var _ = 1 //nolint:x // because\n", maxNolints+1)),
	}, 1)
}
