package main

import (
	"fmt"
	"os"
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
	return append(problems, checkTable(root, claims, seen)...)
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
