package remote

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// A kind without its row in the documents, or a row with other words, is a fault of
// one of them.
func TestPhrases_areInTheDocuments(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, doc, found := strings.Cut(string(b), "\n| kind | side | text | hint |\n| --- | --- | --- | --- |\n")
	if !found {
		t.Fatal("docs/errors.md has no table of kinds")
	}
	table, _, _ := strings.Cut(doc, "\n\n")
	var want []string
	for kind, p := range phrases {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |", kind, p.side, p.what, p.hint))
	}
	slices.Sort(want)
	if got := strings.Split(table, "\n"); !slices.Equal(got, want) {
		t.Errorf("the table must be\n%s\nand is\n%s", strings.Join(want, "\n"), table)
	}
}
