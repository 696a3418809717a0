package repotest_test

import (
	"fmt"
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

// What the documents say about each other and about the source: links and their
// anchors lead somewhere, each document can be found, and what they name is there.
// The command lines in them are run by cmd/payu-mcp's TestDocs.

// page is one document, without its fenced blocks.
type page struct{ path, text string }

func (p page) dir() string { return path.Dir(p.path) }

// pages are the documents of tree, in whatever folder.
func pages(t *testing.T, tree fs.FS) []page {
	t.Helper()
	all, err := paths(tree)
	if err != nil {
		t.Fatal(err)
	}
	var found []page
	for _, p := range all {
		if path.Ext(p) == ".md" {
			found = append(found, page{p, fenced.ReplaceAllString(contents(t, tree, p), "")})
		}
	}
	return found
}

var (
	fenced     = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	linked     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
)

// anchors are the places in a document that links can name, as GitHub makes them.
func (p page) anchors() map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(p.text, -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, linked.ReplaceAllString(m[1], ""))
		found[slug] = true
	}
	return found
}

// targets are the files of the repository that p links to, each with its anchor.
func (p page) targets() [][2]string {
	var found [][2]string
	for _, m := range linked.FindAllStringSubmatch(inlineCode.ReplaceAllString(p.text, ""), -1) {
		if strings.Contains(m[1], ":") {
			continue // an address
		}
		file, anchor, _ := strings.Cut(m[1], "#")
		if file == "" {
			file = path.Base(p.path)
		}
		found = append(found, [2]string{path.Join(p.dir(), file), anchor})
	}
	return found
}

func deadLinks(t *testing.T, tree fs.FS) []string {
	t.Helper()
	byPath := map[string]page{}
	all := pages(t, tree)
	for _, p := range all {
		byPath[p.path] = p
	}
	var breaches []string
	for _, p := range all {
		for _, to := range p.targets() {
			if _, err := fs.Stat(tree, to[0]); err != nil {
				breaches = append(breaches, fmt.Sprintf("%s links to %s, which is not there", p.path, to[0]))
			} else if to[1] != "" && !byPath[to[0]].anchors()[to[1]] {
				breaches = append(breaches, fmt.Sprintf("%s links to %s#%s: there is no such heading", p.path, to[0], to[1]))
			}
		}
	}
	return breaches
}

// lost finds documents that no list of documents names: README.md, or one that is
// called so in the document's own folder.
func lost(t *testing.T, tree fs.FS) []string {
	t.Helper()
	all := pages(t, tree)
	named := map[string]bool{"README.md": true}
	for _, p := range all {
		for _, to := range p.targets() {
			index := p.path == "README.md" || path.Base(p.path) == "README.md" && path.Dir(to[0]) == p.dir()
			named[to[0]] = named[to[0]] || index
		}
	}
	var breaches []string
	for _, p := range all {
		if (p.dir() == "." || within(p.dir(), "docs")) && !named[p.path] {
			breaches = append(breaches, "no README.md links to "+p.path)
		}
	}
	return breaches
}

// names finds files, folders, tests and exported names in inline code that are
// not in the source.
func names(t *testing.T, tree fs.FS) []string {
	t.Helper()
	all, err := paths(tree)
	if err != nil {
		t.Fatal(err)
	}
	known := declared(t, tree)
	var breaches []string
	for _, p := range pages(t, tree) {
		if p.path == "CHANGELOG.md" {
			continue // tells of what was
		}
		for _, m := range inlineCode.FindAllStringSubmatch(p.text, -1) {
			if !isThere(m[1], all, known) {
				breaches = append(breaches, fmt.Sprintf("%s names %s, which is not in the source", p.path, m[1]))
			}
		}
		for _, m := range namesInFile.FindAllStringSubmatch(p.text, -1) {
			for _, name := range inlineCode.FindAllStringSubmatch(m[1], -1) {
				if !known[m[2]+" "+name[1]] {
					breaches = append(breaches, fmt.Sprintf("%s names %s in %s, which does not declare it", p.path, name[1], m[2]))
				}
			}
		}
	}
	return breaches
}

// namesInFile is "`a`, `b` in `folder/file.go`".
var namesInFile = regexp.MustCompile("((?:`\\w+`(?:,\\s+|\\s+and\\s+)?)+)\\s+in\\s+`([\\w./-]+\\.go)`")

var (
	aTest   = regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)[A-Z]\w*$`)
	aSource = regexp.MustCompile(`^[\w./*-]+\.go$`)
	aPath   = regexp.MustCompile(`^[\w.-]+(?:/[\w.*-]+)+/?$`)
	aName   = regexp.MustCompile(`^([a-z]+)\.([A-Z]\w*)(?:\.\w+)*(?:\(.*\))?$`)
)

// isThere judges one piece of inline code; what looks like nothing of ours passes.
func isThere(code string, all []string, known map[string]bool) bool {
	first, _, _ := strings.Cut(code, "/")
	switch m := aName.FindStringSubmatch(strings.TrimPrefix(code, "internal/")); {
	case code == "tools/call" || code == "tools/list" || slices.ContainsFunc(strings.Split(code, "/"), skipped):
		return true // methods of MCP, and what a run leaves behind
	case m != nil && known[m[1]]:
		return known[m[1]+"."+m[2]]
	case aTest.MatchString(code):
		return known[code]
	case aSource.MatchString(code):
		return slices.ContainsFunc(all, func(p string) bool { return matchesEnd(p, code) })
	case aPath.MatchString(code) && slices.ContainsFunc(all, func(p string) bool { return strings.HasPrefix(p, first+"/") }):
		code = strings.TrimSuffix(strings.TrimSuffix(code, "*"), "/")
		return slices.ContainsFunc(all, func(p string) bool { return strings.HasPrefix(p, code+"/") || matchesEnd(p, code) })
	}
	return true
}

// matchesEnd tells whether the last elements of p are those of pattern.
func matchesEnd(p, pattern string) bool {
	elements := strings.Split(p, "/")
	n := strings.Count(pattern, "/") + 1
	if len(elements) < n {
		return false
	}
	ok, err := path.Match(pattern, strings.Join(elements[len(elements)-n:], "/"))
	return ok && err == nil
}

// declared are the packages of tree by their last element, package.Name of what
// they declare at the top, and the names of tests.
func declared(t *testing.T, tree fs.FS) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, s := range sources(t, tree) {
		pkg := path.Base(s.dir())
		known[pkg] = true
		for _, name := range topLevel(s.syntax) {
			known[pkg+"."+name], known[s.path+" "+name] = true, true
			if s.isTest() && aTest.MatchString(name) {
				known[name] = true
			}
		}
	}
	return known
}

// topLevel are the names that a file declares at its top, methods among them.
func topLevel(f *ast.File) []string {
	var found []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			found = append(found, d.Name.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					found = append(found, spec.Name.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						found = append(found, name.Name)
					}
				}
			}
		}
	}
	return found
}

func TestDocs_links_leadSomewhere(t *testing.T) {
	t.Parallel()
	holds(t, deadLinks, fstest.MapFS{
		"README.md": text("# A b\n[ok](docs/a.md), [ok](#a-b), [ok](docs/a.md#what-it-does-payu-mcp), [ok](https://x.example/y), `[not](one)`\n" +
			"[bad](docs/b.md) [bad](docs/a.md#nothing)\n```\n[not](a-link)\n```\n"),
		"docs/a.md": text("# What it does: `payu-mcp`\n[ok](../README.md) [bad](README.md)\n"),
	}, 3)
}

func TestDocs_documents_canBeFound(t *testing.T) {
	t.Parallel()
	holds(t, lost, fstest.MapFS{
		"README.md":              text("[a](docs/a.md) [clients](docs/clients/README.md)\n"),
		"docs/a.md":              text("[b](b.md)\n"),
		"docs/b.md":              text("lost: only a document names it\n"),
		"docs/clients/README.md": text("[x](x.md) [b](../b.md)\n"),
		"docs/clients/x.md":      text("\n"),
		"docs/clients/y.md":      text("lost\n"),
		"LOST.md":                text("\n"),
		"e2e/README.md":          text("[c](../docs/c.md)\n"),
		"docs/c.md":              text("lost\n"),
	}, 4)
}

func TestDocs_names_areInTheSource(t *testing.T) {
	t.Parallel()
	holds(t, names, fstest.MapFS{
		"auth/signin.go":      text("package auth\ntype Client struct{}\nfunc (Client) Token() {}\n"),
		"auth/signin_test.go": text("package auth\nfunc TestSignIn_works(t *testing.T) {}\n"),
		"docs/a.md": text("`auth/signin.go` `signin.go` `auth/*.go` `auth/` `TestSignIn_works` `auth.Client.Token` `internal/auth.Client` `tools/call` `e2e/out/x.md` `os.Exit` `text/plain` `a/b`\n" +
			"`auth/gone.go` `gone.go` `auth/gone` `TestGone_works` `auth.Gone`\n" +
			"`Client`, `Token` in `auth/signin.go`, `Gone` and `Token` in `auth/signin.go`\n"),
	}, 6)
}
