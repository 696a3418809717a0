package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	begin = "<!-- table: made by tools/security, do not edit -->"
	end   = "<!-- end of table -->"

	maxShown = 100 // of the text that was taken away
)

func page(root string) string  { return filepath.Join(root, "docs", "security.md") }
func notes(root string) string { return filepath.Join(root, "docs", "security-red.txt") }

// seen holds the hashes of the claims whose test was seen to pass as it is and
// to fail with the change.
type seen map[string]bool

func readSeen(root string) (seen, error) {
	data, err := os.ReadFile(notes(root))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s := seen{}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		if hash, _, found := strings.Cut(lines.Text(), " "); found && hash != "#" {
			s[hash] = true
		}
	}
	return s, nil
}

func (s seen) learn(r result) {
	switch {
	case r.good():
		s[r.claim.hash()] = true
	case r.verdict != late: // which says more about the machine
		delete(s, r.claim.hash())
	}
}

func (s seen) missing(claims []claim) []claim {
	return slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return s[c.hash()] })
}

// write keeps what is known of the claims that there are.
func (s seen) write(root string, claims []claim) error {
	lines := map[string]bool{}
	for _, c := range claims {
		if s[c.hash()] {
			lines[fmt.Sprintf("%s %s %s %s\n", c.hash(), c.row, c.pkg(), c.test)] = true
		}
	}
	text := "# What `make security-red` has seen: hash of directive and test, row, package, test. Written by tools/security.\n"
	return os.WriteFile(notes(root), []byte(text+strings.Join(slices.Sorted(maps.Keys(lines)), "")), 0o644)
}

func writeTable(root string, claims []claim, seen seen) error {
	is, err := os.ReadFile(page(root))
	if err != nil {
		return err
	}
	should, err := withTable(string(is), table(root, claims, seen))
	if err != nil {
		return err
	}
	return os.WriteFile(page(root), []byte(should), 0o644)
}

// withTable puts t between the two marks.
func withTable(text, t string) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("docs/security.md lacks the line %q or %q", begin, end)
	}
	return before + begin + "\n" + t + end + after, nil
}

func table(root string, claims []claim, seen seen) string {
	var b strings.Builder
	b.WriteString("| row | requirement or attack | test | taken away to see it red | result |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range requirements {
		text, claimed := r.text, false
		for _, c := range claims {
			if c.row != r.row {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.row, text, testCell(root, c), changeCell(c), resultCell(c, seen))
			text, claimed = "", true
		}
		if !claimed {
			fmt.Fprintf(&b, "| %s | %s | none yet | | missing |\n", r.row, text)
		}
	}
	return b.String()
}

func testCell(root string, c claim) string {
	cell := fmt.Sprintf("[`%s`](../%s) in `%s`", c.test, c.at, c.pkg())
	if only := c.systems(root); only != "" {
		cell += ", " + only + " only"
	}
	return cell
}

func changeCell(c claim) string {
	if c.file == "" {
		return "no code to take away: " + strings.ReplaceAll(c.why, "|", `\|`)
	}
	if c.new == "" {
		return fmt.Sprintf("`%s`: without %s", c.file, code(c.old))
	}
	return fmt.Sprintf("`%s`: %s becomes %s", c.file, code(c.old), code(c.new))
}

// code quotes Go source for a cell.
func code(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxShown {
		s = string(r[:maxShown]) + "…"
	}
	s = strings.ReplaceAll(s, "|", `\|`)
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

func resultCell(c claim, seen seen) string {
	switch {
	case !seen[c.hash()]:
		return "not seen since it changed"
	case c.file == "":
		return "passes"
	}
	return "passes; seen red"
}
