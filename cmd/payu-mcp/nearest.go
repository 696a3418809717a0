package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
)

// nearest returns the names that somebody may have meant, the nearest first. The
// names are the server's: only those are shown that look like one.
func nearest(name string, tools []shellTool) []string {
	const most, far = 3, 4
	type candidate struct {
		name string
		far  int
	}
	var all []candidate
	wanted := strings.ToLower(name)
	for _, t := range tools {
		has := strings.ToLower(t.name)
		d := distance(wanted, has)
		if len(wanted) >= far && strings.Contains(has, wanted) {
			d = 1
		}
		if d <= far && policy.Plain(t.name) {
			all = append(all, candidate{t.name, d})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.far, b.far) })
	var names []string
	for _, c := range all[:min(len(all), most)] {
		names = append(names, c.name)
	}
	return names
}

// distance is how many letters have to be changed, put in or taken out (that of
// Levenshtein). Long names are too far from everything.
func distance(a, b string) int {
	const long = 128
	if len(a) > long || len(b) > long {
		return long
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
