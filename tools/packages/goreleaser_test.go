package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// goreleaser refuses a key that it does not know. It takes many minutes to build,
// so its own check runs where packages are made only; here the keys are compared
// with the types that it reads them into, in the source of the pinned version.

const goreleaser = "github.com/goreleaser/goreleaser/v2"

// goreleaserSource fetches the one module, by the checksum in go.sum, and returns its folder.
func goreleaserSource(t *testing.T) string {
	t.Helper()
	mod, err := os.ReadFile("../release/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(string(mod), goreleaser+" v")
	version, _, _ = strings.Cut(version, " ")
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-modfile=tools/release/go.mod", "-json", goreleaser+"@v"+version)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if decoding := json.Unmarshal(out, &module); decoding != nil || module.Dir == "" {
		t.Fatalf("fetching goreleaser: %v, %v, %s", err, decoding, module.Error)
	}
	return module.Dir
}

// configTypes are the types of goreleaser's configuration by their name.
func configTypes(t *testing.T, dir string) map[string]ast.Expr {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "pkg", "config", "config.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]ast.Expr{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			types[spec.Name.Name] = spec.Type
		}
		return true
	})
	return types
}

// keys compares YAML with Go types, without what other packages declare.
type keys struct{ types map[string]ast.Expr }

// unknown lists the keys below a node, whose place is at, that of has no field for.
func (k keys) unknown(at string, n *yaml.Node, of ast.Expr) []string {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch of := of.(type) {
	case *ast.Ident:
		if declared, ok := k.types[of.Name]; ok {
			return k.unknown(at, n, declared)
		}
	case *ast.StarExpr:
		return k.unknown(at, n, of.X)
	case *ast.ArrayType:
		if n.Kind != yaml.SequenceNode {
			return k.unknown(at, n, of.Elt) // one for a list of one
		}
		return each(n.Content, 1, func(i int) []string { return k.unknown(at, n.Content[i], of.Elt) })
	case *ast.StructType:
		if n.Kind == yaml.MappingNode {
			fields := k.fields(of)
			return each(n.Content, 2, func(i int) []string {
				name := at + "." + n.Content[i].Value
				if field, ok := fields[n.Content[i].Value]; ok {
					return k.unknown(name, n.Content[i+1], field)
				}
				return []string{fmt.Sprintf("line %d: %s", n.Content[i].Line, name)}
			})
		}
	}
	return nil
}

func each(nodes []*yaml.Node, by int, do func(i int) []string) []string {
	var found []string
	for i := 0; i < len(nodes); i += by {
		found = append(found, do(i)...)
	}
	return found
}

// fields are those of a struct by their key, those of embedded ones among them.
func (k keys) fields(of *ast.StructType) map[string]ast.Expr {
	found := map[string]ast.Expr{}
	for _, f := range of.Fields.List {
		if f.Tag == nil {
			continue
		}
		name, options, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml"), ",")
		if embedded, ok := f.Type.(*ast.Ident); ok && options == "inline" {
			if s, ok := k.types[embedded.Name].(*ast.StructType); ok {
				maps.Copy(found, k.fields(s))
			}
			continue
		}
		found[name] = f.Type
	}
	return found
}

func unknownKeys(t *testing.T, k keys, file []byte) []string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil {
		t.Fatal(err)
	}
	return k.unknown("", document.Content[0], k.types["Project"])
}

func TestGoreleaser_everyKey_isKnownToThePinnedVersion(t *testing.T) {
	t.Parallel()
	k := keys{configTypes(t, goreleaserSource(t))}
	file, err := os.ReadFile("../../goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := unknownKeys(t, k, file); len(got) > 0 {
		t.Errorf("goreleaser does not know: %q", got)
	}
	const bad = "builds:\n  - id: x\n    mod_time: x\n    hooks: {after: x}\narchives: [{files: [{info: {owners: x}}]}]\nnfpms: [{binddir: x, rpm: {summaries: x}}]\n" +
		"release: {draft: true, github: {owner: x, repo: y}}\nwinget: [{repository: {pull_request: {base: {org: x}}}}]\nscoop: {}\n"
	want := []string{
		"line 3: .builds.mod_time", "line 4: .builds.hooks.after", "line 5: .archives.files.info.owners", "line 6: .nfpms.binddir", "line 6: .nfpms.rpm.summaries",
		"line 7: .release.github.repo", "line 8: .winget.repository.pull_request.base.org", "line 9: .scoop",
	}
	if got := unknownKeys(t, k, []byte(bad)); !slices.Equal(got, want) {
		t.Errorf("of a bad sample it does not know %q, want %q", got, want)
	}
}
