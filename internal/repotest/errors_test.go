package repotest_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

// docs/errors.md has a row for each hint that the source gives somewhere, with the
// message that it comes with: what a person reads on the command line, on the last
// page of a sign-in, and in the host. The table is made from the source.

const (
	tableHead = "| package | message | hint |\n| --- | --- | --- |\n"
	errorsDoc = "../../docs/errors.md"
	// updateVariable writes the table instead of comparing it.
	updateVariable = "UPDATE_DOCS"
)

// row is one message with its hint.
type row struct{ pkg, message, hint string }

func (r row) String() string { return fmt.Sprintf("| `%s` | %s | %s |\n", r.pkg, r.message, r.hint) }

// hintCalls maps the functions that give a hint to the places of message and hint
// among their arguments.
var hintCalls = map[string][2]int{"hint.With": {0, 1}, "usagef": {1, 0}, "privatefile.Unsafe": {1, 2}, "Unsafe": {1, 2}}

func hintRows(t *testing.T, all []source) []row {
	t.Helper()
	constants := map[string]string{} // by package and name
	for _, s := range all {
		for name, text := range stringConstants(s.syntax) {
			constants[s.dir()+"."+name] = text
		}
	}
	found := map[row]bool{}
	for _, s := range all {
		// The bridge's texts have a table of their own, as have the kinds; the sandbox is no product.
		if within(s.dir(), "bridge") || within(s.dir(), "remote") || within(s.dir(), "internal/sandbox") || s.dir() == "internal/hint" {
			continue
		}
		words := wording{s.dir(), constants}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			at, ok := hintCalls[callee(call)]
			if !ok || len(call.Args) <= max(at[0], at[1]) {
				return true
			}
			r := row{s.dir(), cell(words.message(call.Args[at[0]])), cell(words.text(call.Args[at[1]]))}
			if strings.HasSuffix(callee(call), "Unsafe") {
				r.message = "the state folder is not private: … " + r.message
			}
			if strings.Trim(r.hint, "… ") != "" { // passed on from elsewhere, where it is found
				found[r] = true
			}
			return true
		})
	}
	rows := slices.Collect(maps.Keys(found))
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.String(), b.String()) })
	return rows
}

func stringConstants(f *ast.File) map[string]string {
	found := map[string]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			for i := 0; ok && i < min(len(v.Names), len(v.Values)); i++ {
				if text, ok := literal(v.Values[i]); ok {
					found[v.Names[i].Name] = text
				}
			}
		}
	}
	return found
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// wording writes expressions as people read them, with dots for what only a run
// fills in.
type wording struct {
	pkg       string
	constants map[string]string
}

func (w wording) text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if l, ok := literal(e); ok {
			return verb.ReplaceAllString(l, "…")
		}
	case *ast.Ident:
		if c := w.constants[w.pkg+"."+e.Name]; c != "" {
			return c
		}
	case *ast.BinaryExpr:
		return w.text(e.X) + w.text(e.Y)
	case *ast.ParenExpr:
		return w.text(e.X)
	}
	return "…"
}

// message finds the text of the error: in the first literal of what makes it. Of
// one that comes from elsewhere nothing is known here.
func (w wording) message(e ast.Expr) string {
	var parts []ast.Expr
	switch e := e.(type) {
	case *ast.CallExpr:
		parts = e.Args
	case *ast.CompositeLit:
		parts = e.Elts
	case *ast.UnaryExpr:
		return w.message(e.X)
	default:
		return w.text(e)
	}
	for _, p := range parts {
		if text := w.message(p); strings.ContainsFunc(text, unicode.IsLetter) {
			return text
		}
	}
	return "…"
}

// verb is one of fmt's.
var verb = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// cell makes a text fit for a table.
func cell(text string) string {
	return strings.NewReplacer("…: …", "…", "|", `\|`, "\n", " ", "<", "&lt;", "……", "…").Replace(text)
}

func TestErrors_hintsOfTheSource_areInTheDocuments(t *testing.T) {
	t.Parallel()
	table := ""
	for _, r := range hintRows(t, shipped(t, repository())) {
		table += r.String()
	}
	b, err := os.ReadFile(errorsDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(b), tableHead)
	if !found {
		t.Fatalf("docs/errors.md has no table that begins with\n%s", tableHead)
	}
	is, after, _ := strings.Cut(rest, "\n\n")
	switch is = strings.TrimSuffix(is, "\n") + "\n"; {
	case is == table:
	case os.Getenv(updateVariable) != "":
		if after != "" {
			after = "\n" + after
		}
		if err := os.WriteFile(errorsDoc, []byte(before+tableHead+table+after), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		for _, line := range strings.SplitAfter(table, "\n") {
			if !strings.Contains(is, line) {
				t.Errorf("docs/errors.md lacks: %s", line)
			}
		}
		for _, line := range strings.SplitAfter(is, "\n") {
			if !strings.Contains(table, line) {
				t.Errorf("docs/errors.md has what the source does not: %s", line)
			}
		}
		t.Errorf("write it anew: %s=1 go test -run TestErrors ./internal/repotest", updateVariable)
	}
}

func TestErrors_rows_saySourceAsPeopleReadIt(t *testing.T) {
	t.Parallel()
	got := hintRows(t, sources(t, fstest.MapFS{
		"auth/a.go": text("package auth\nconst advice = \"do it\"\nfunc f() {\n" +
			"hint.With(fmt.Errorf(\"reading %q of %s: %w\", a, b, err), \"see \"+name+\" | it\")\n" +
			"hint.With(kind{serverFault(\"it is %d\", n)}, advice)\nhint.With(err, advice)\nhint.With(err, f())\nusagef(\"give it\", \"%q is wrong\", x)\n}\n"),
		"bridge/b.go": text("package bridge\nfunc f() { hint.With(err, \"not here\") }\n"),
	}))
	var all string
	for _, r := range got {
		all += r.String()
	}
	want := "| `auth` | it is … | do it |\n| `auth` | reading … of … | see … \\| it |\n| `auth` | … is wrong | give it |\n| `auth` | … | do it |\n"
	if all != want {
		t.Errorf("the rows are\n%s\nwant\n%s", all, want)
	}
}
