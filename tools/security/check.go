package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
)

// check returns everything that is wrong, one line each.
func check(root string, claims []claim, seen seen) []string {
	var problems []string
	have := map[string]bool{}
	for _, c := range claims {
		have[c.row] = true
		if c.file == "" {
			continue
		}
		if _, err := c.changed(root); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", c.where(), err))
		}
	}
	for _, r := range requirements {
		if !have[r.row] {
			problems = append(problems, fmt.Sprintf("%s: no test claims it (%s)", r.row, r.text))
		}
	}
	return append(append(problems, checkNames(root)...), checkTable(root, claims, seen)...)
}

var (
	declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	named    = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
)

// checkNames finds tests that the page names and nobody has.
func checkNames(root string) []string {
	have := map[string]bool{}
	err := testFiles(root, func(_ string, data []byte) {
		for _, m := range declared.FindAllSubmatch(data, -1) {
			have[string(m[1])] = true
		}
	})
	is, readErr := os.ReadFile(page(root))
	if err = errors.Join(err, readErr); err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, m := range named.FindAllSubmatch(is, -1) {
		if name := string(m[1]); !have[name] {
			problems = append(problems, "docs/security.md names a test that is not there: "+name)
		}
	}
	return problems
}

func checkTable(root string, claims []claim, seen seen) []string {
	is, err := os.ReadFile(page(root))
	if err != nil {
		return []string{err.Error()}
	}
	should, err := withTable(string(is), table(root, claims, seen))
	if err != nil {
		return []string{err.Error()}
	}
	if string(is) != should {
		return []string{"docs/security.md: the table is out of date: run go run -C tools ./security -write"}
	}
	return nil
}
