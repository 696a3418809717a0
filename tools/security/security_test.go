package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// repository writes a small repository with one guard, and its test with the
// directives given.
func repository(t *testing.T, directives ...string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26.0\n",
		"a/a.go": "package a\n\n// Guard is the protection.\nfunc Guard(n int) bool { return n > 0 }\n",
		"a/a_test.go": "package a\n\nimport \"testing\"\n\n// TestGuard is one.\n//\n" + strings.Join(directives, "\n") + "\nfunc TestGuard(t *testing.T) {\n\tif Guard(-1) {\n\t\tt.Error(\"let in\")\n\t}\n}\n" +
			"\n// TestSkips does.\n//\n" + directive + "X2 a/a.go \"n > 0\" => \"true\"\nfunc TestSkips(t *testing.T) { t.Skip() }\n",
		"docs/security.md": "# Security\n\n" + begin + "\n" + end + "\n",
	} {
		file := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func tool(t *testing.T, root string, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), append([]string{"-root", root}, args...), &out)
	return out.String(), err
}

func TestCheck_missingRows_areToldAtOnce(t *testing.T) {
	t.Parallel()
	out, err := tool(t, repository(t, directive+`A1 - "why"`), "-check")
	if missing := strings.Count(out, "no test claims it"); missing != 43+30-2 || err == nil {
		t.Errorf("%d rows are told to be missing, want all but A1 and X2; error %v\n%s", missing, err, out)
	}
}

func TestCheck_badDirectives_areTold(t *testing.T) {
	t.Parallel()
	for directives, want := range map[string]string{
		`A1 a/a.go "n > 1" => "true"`:                        "occurs 0 times",
		`A1 a/a.go "a" => "b"`:                               "times in a/a.go, want once",
		`A1 a/a.go "n > 0" => "n > 0"`:                       "changes nothing",
		`A1 a/b.go "n > 0" => "true"`:                        "no such file",
		`A44 a/a.go "n > 0" => "true"`:                       `no row "A44"`,
		`A1 a/a.go "n > 0" "true"`:                           "want: //oauth:row",
		`A1 a/a.go "n > 0" => "true" more`:                   "want: //oauth:row",
		`A1 -`:                                               "want: //oauth:row",
		`A1 ../a.go "n > 0" => "true"`:                       "want: //oauth:row",
		"A1 - \"why\"\nvar x int\n" + directive + `A2 - "y"`: "do not stand in the doc comment",
	} {
		out, err := tool(t, repository(t, directive+directives), "-check")
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: error %v, want %q in:\n%s", directives, err, want, out)
		}
	}
}

func TestRed_verdicts(t *testing.T) {
	t.Parallel()
	root := repository(t,
		directive+`A1 a/a.go "n > 0" => "true"`,
		directive+`A2 a/a.go "the protection" => "a comment"`,
		directive+`A3 a/a.go "n > 0" => "nonsense"`,
		directive+`A4 a/a.go "return n > 0" => "panic(n)"`,
		directive+"A5 a/a.go `return n > 0` => `for { n++ }`",
		directive+`A6 - "nothing"`,
	)
	out, err := tool(t, root, "-red", "-limit", "2s", "-p", "2")
	if err == nil {
		t.Error("no error, though not all were red")
	}
	for row, want := range map[string]string{
		"A1": red, "A2": "STAYS GREEN", "A3": notBuilt, "A4": panicked, "A5": late, "A6": "nothing to take away", "X2": "as it is: " + skipped,
	} {
		if !strings.Contains("\n"+out, "\n"+row+"   "+want) && !strings.Contains(out, row+"   passes, "+want) {
			t.Errorf("%s: want %q in\n%s", row, want, out)
		}
	}
}

func TestRed_afterAChange_isForgotten(t *testing.T) {
	t.Parallel()
	root := repository(t, directive+`A1 a/a.go "n > 0" => "true"`)
	if out, err := tool(t, root, "-red", "-rows", "A1", "-write"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, _ := tool(t, root, "-check"); strings.Contains(out, "out of date") || !strings.Contains(out, "2 claims, of which 1 ") {
		t.Errorf("after -write, -check says\n%s", out)
	}
	page := string(must(t, os.ReadFile, filepath.Join(root, "docs", "security.md")))
	if !strings.Contains(page, "`n > 0` becomes `true` | passes; seen red |") {
		t.Errorf("the table is\n%s", page)
	}
	file := filepath.Join(root, "a", "a_test.go")
	changed := strings.Replace(string(must(t, os.ReadFile, file)), "let in", "came in", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := tool(t, root, "-check"); !strings.Contains(out, "out of date") || !strings.Contains(out, "2 claims, of which 2 ") {
		t.Errorf("after the test changed, -check says\n%s", out)
	}
	if out, _ := tool(t, root, "-red", "-stale", "-rows", "A1"); !strings.Contains(out, "A1   red") {
		t.Errorf("-stale leaves out what changed:\n%s", out)
	}
}

func TestCheck_namedTestGone_isTold(t *testing.T) {
	t.Parallel()
	root := repository(t, directive+`A1 - "why"`)
	page := filepath.Join(root, "docs", "security.md")
	text := "`TestGuard` and `TestGone`\n" + begin + "\n" + end + "\n"
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := tool(t, root, "-check"); !strings.Contains(out, "not there: TestGone") || strings.Contains(out, "not there: TestGuard") {
		t.Errorf("-check says\n%s", out)
	}
}

func must[T any](t *testing.T, f func(string) (T, error), name string) T {
	t.Helper()
	v, err := f(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
