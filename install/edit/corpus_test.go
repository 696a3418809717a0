package edit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

// sample is a real-looking file of a host.
type sample struct {
	name    string
	format  edit.Format
	content []byte
}

func corpus(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	formats := map[string]edit.Format{".json": edit.JSON, ".jsonc": edit.JSON, ".toml": edit.TOML, ".yaml": edit.YAML}
	var all []sample
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil || formats[filepath.Ext(path)] == 0 {
			t.Fatal(path, err)
		}
		all = append(all, sample{filepath.Base(path), formats[filepath.Ext(path)], b})
	}
	return all
}

// variants are what editors and systems make of a file.
func (s sample) variants() map[string][]byte {
	lf := strings.ReplaceAll(strings.TrimPrefix(string(s.content), "\ufeff"), "\r\n", "\n")
	v := map[string][]byte{
		"as it is":     s.content,
		"CRLF":         []byte(strings.ReplaceAll(lf, "\n", "\r\n")),
		"BOM":          []byte("\ufeff" + lf),
		"no last line": []byte(strings.TrimRight(lf, "\n")),
		"more at end":  []byte(lf + "\n\n"),
	}
	if s.format == edit.JSON {
		v["tabs"] = []byte(strings.ReplaceAll(lf, "  ", "\t"))
		v["no indent"] = []byte(strings.ReplaceAll(lf, "  ", ""))
	}
	return v
}

// places are where hosts want their entries, and some odder ones.
func places(f edit.Format) []edit.Place {
	switch f {
	case edit.TOML:
		return []edit.Place{{Parent: []string{"mcp_servers"}, Name: "payu"}, {Parent: []string{"mcp_servers"}, Name: "pay u.x"}, {Parent: []string{"x.y", "z"}, Name: "payu"}, {Name: "payu"}}
	case edit.YAML:
		return []edit.Place{{Parent: []string{"extensions"}, Name: "payu"}, {Parent: []string{"mcpServers"}, Name: "payu", List: true}, {Parent: []string{"x", "yes"}, Name: "payu-shop"}, {Name: "payu"}}
	default:
		return []edit.Place{
			{Parent: []string{"mcpServers"}, Name: "payu"},
			{Parent: []string{"servers"}, Name: "payu"},
			{Parent: []string{"context_servers"}, Name: "payu"},
			{Parent: []string{"mcp"}, Name: "payu-shop"},
			{Parent: []string{"amp.mcpServers"}, Name: "payu"},
			{Parent: []string{"projects", "/home/you/shop", "mcpServers"}, Name: "payu"},
			{Name: "\"payu\"\n"},
		}
	}
}

func entries() []edit.Entry {
	return []edit.Entry{
		{{"type", "stdio"}, {"command", `C:\Users\you\payu "mcp".exe`}, {"args", []string{"--profile", "shop é"}}, {"env", map[string]string{}}, {"enabled", true}, {"timeout", 300}},
		{{"command", []string{"/opt/payu-mcp"}}, {"env", map[string]string{"A_B": "1", "c d": "# x: [y]"}}},
		{},
	}
}

func TestEdit_corpus_otherBytesStay(t *testing.T) {
	t.Parallel()
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			done := 0
			for name, content := range s.variants() {
				for i, at := range places(s.format) {
					for j, e := range entries() {
						if name != "as it is" && (i+j)%len(entries()) != 0 {
							continue // one entry for each place is enough
						}
						with := judge(t, s.format, content, at, e)
						if with != nil {
							done++
						}
						if with != nil && j == 0 && (name == "as it is" || name == "CRLF" && i == 0) {
							handEdits(t, s.format, content, with, at)
						}
					}
				}
				if t.Failed() {
					t.Fatalf("%s:\n%q", name, content)
				}
			}
			if done == 0 {
				t.Error("each one was refused")
			}
		})
	}
}

// lacks tells a file that can be read and does not have the entry.
func lacks(f edit.Format, file []byte, at edit.Place) bool {
	entries, err := edit.List(f, file, at)
	_, has := entries[at.Name]
	return err == nil && !has
}

// handEdits changes what a person changes, in the file without and with the entry,
// and wants the first when the entry is removed from the second: a line more before
// and after each line, each line changed, and each line gone.
func handEdits(t *testing.T, f edit.Format, before, with []byte, at edit.Place) {
	t.Helper()
	if !lacks(f, before, at) {
		return
	}
	comment := map[edit.Format]string{edit.JSON: "// by hand\n", edit.TOML: "# by hand\n", edit.YAML: "# by hand\n"}[f]
	head := 0
	for head < len(before) && before[head] == with[head] {
		head++
	}
	tail := 0
	for tail < len(before)-head && before[len(before)-1-tail] == with[len(with)-1-tail] {
		tail++
	}
	end := 0
	for line := range strings.SplitAfterSeq(string(before), "\n") {
		start := end
		end += len(line)
		there := start // in with
		if end > head {
			there += len(with) - len(before)
		}
		if end > head && start < len(before)-tail {
			continue // the edit is here
		}
		if strings.Count(line, "/*") != strings.Count(line, "*/") {
			continue // half a comment: without it the other half makes one of something else
		}
		for _, changed := range []string{line + comment, "\n" + line, "", strings.Replace(line, "e", "ee", 1)} {
			want := slices.Concat(before[:start], []byte(changed), before[end:])
			edited := slices.Concat(with[:there], []byte(changed), with[there+len(line):])
			if len(bytes.TrimSpace(want)) == 0 || !lacks(f, want, at) || lacks(f, edited, at) {
				continue // the edit leaves nothing, or breaks the file, or renames the parent
			}
			got, err := edit.Remove(f, edited, at)
			if errors.Is(err, edit.ErrRefused) {
				continue
			}
			if d := cmp.Diff(string(want), string(got)); err != nil || d != "" {
				t.Fatalf("%v\n%q -> %q\n%s\nfrom:\n%s", err, line, changed, d, edited)
			}
		}
	}
}
