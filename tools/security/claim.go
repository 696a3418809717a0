package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const directive = "//oauth:row "

// claim is one directive: this test shows this row.
type claim struct {
	row      string
	file     string // from the root, with slashes; "" if there is no code to take away
	old, new string // the change
	why      string // instead of a change

	test   string // name of the function
	at     string // file of the test, from the root
	line   int
	source string // of the function, without its doc comment
}

func (c claim) pkg() string   { return path.Dir(c.at) }
func (c claim) where() string { return fmt.Sprintf("%s:%d: %s %s", c.at, c.line, c.row, c.test) }

// hash changes when the directive or its test does.
func (c claim) hash() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{c.row, c.file, c.old, c.new, c.why, c.at, c.source}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// systems says where the test runs, "" for everywhere.
func (c claim) systems(root string) string {
	if strings.HasPrefix(c.at, "e2e/") {
		return "Linux"
	}
	names := map[string]string{"linux": "Linux", "darwin": "macOS", "windows": "Windows"}
	var found []string
	for _, os := range []string{"linux", "darwin", "windows"} {
		at := build.Default
		at.GOOS = os
		if ok, err := at.MatchFile(filepath.Join(root, c.pkg()), path.Base(c.at)); ok && err == nil {
			found = append(found, names[os])
		}
	}
	if len(found) == len(names) {
		return ""
	}
	return strings.Join(found, ", ")
}

// readClaims finds all directives below root. What is wrong with one of them is
// a problem; err means that the tree could not be read.
func readClaims(root string) (claims []claim, problems []string, err error) {
	err = testFiles(root, func(at string, data []byte) {
		found, bad := claimsOf(at, data)
		claims, problems = append(claims, found...), append(problems, bad...)
	})
	slices.SortStableFunc(claims, func(a, b claim) int { return place(a.row) - place(b.row) })
	return claims, problems, err
}

// testFiles reads every test file below root; at is its path from there.
func testFiles(root string, read func(at string, data []byte)) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "node_modules", "testdata", "out", "dist", "tools"}, d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, "_test.go"):
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		at, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		read(filepath.ToSlash(at), data)
		return nil
	})
}

func claimsOf(at string, data []byte) (claims []claim, problems []string) {
	if !strings.Contains(string(data), directive) {
		return nil, nil
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, at, data, parser.ParseComments)
	if err != nil {
		return nil, []string{err.Error()}
	}
	read := 0
	for _, d := range syntax.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Doc == nil || f.Recv != nil || !isTest(f.Name.Name) {
			continue
		}
		for _, c := range f.Doc.List {
			if !strings.HasPrefix(c.Text, directive) {
				continue
			}
			read++
			claim, err := parseDirective(c.Text)
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s: %v", fset.Position(c.Pos()), err))
				continue
			}
			claim.test, claim.at, claim.line = f.Name.Name, at, fset.Position(c.Pos()).Line
			claim.source = string(data[fset.Position(f.Pos()).Offset:fset.Position(f.End()).Offset])
			claims = append(claims, claim)
		}
	}
	if n := strings.Count("\n"+string(data), "\n"+directive); n != read {
		problems = append(problems, fmt.Sprintf("%s: %d of %d directives do not stand in the doc comment of a test function", at, n-read, n))
	}
	return claims, problems
}

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")
}

var errDirective = errors.New(`want: //oauth:row ROW FILE "old" => "new", or: //oauth:row ROW - "why"`)

func parseDirective(text string) (claim, error) {
	row, rest, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(text, directive)), " ")
	c := claim{row: row}
	if _, known := requirement(row); !known {
		return c, fmt.Errorf("no row %q", row)
	}
	file, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	first, rest, err := literal(rest)
	if err != nil {
		return c, err
	}
	if file == "-" {
		if c.why = first; rest != "" || c.why == "" {
			return c, errDirective
		}
		return c, nil
	}
	rest, arrow := strings.CutPrefix(rest, "=>")
	second, rest, err := literal(rest)
	if err != nil || !arrow || rest != "" || !fs.ValidPath(file) {
		return c, errDirective
	}
	c.file, c.old, c.new = file, first, second
	return c, nil
}

// literal takes one Go string literal from the beginning of s.
func literal(s string) (value, rest string, err error) {
	s = strings.TrimSpace(s)
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", errDirective
	}
	value, err = strconv.Unquote(quoted)
	return value, strings.TrimSpace(s[len(quoted):]), err
}

// changed returns the mutated file.
func (c claim) changed(root string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(c.file)))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(data), c.old); n != 1 || c.old == "" {
		return nil, fmt.Errorf("%q occurs %d times in %s, want once", c.old, n, c.file)
	}
	if c.old == c.new {
		return nil, errors.New("the change changes nothing")
	}
	return []byte(strings.Replace(string(data), c.old, c.new, 1)), nil
}
