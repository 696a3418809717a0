package journal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
)

// FuzzRead holds the reader against whatever stands in the file: no entry is
// invented out of nothing, and nothing acts on a terminal.
func FuzzRead(f *testing.F) {
	dir := stateDir(f)
	j := open(f, dir)
	id := begin(f, j, "INV-1")
	j.End(id, journal.Unknown)
	if err := journal.Check(dir, profile, id); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(journal.Path(dir, profile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(content))
	f.Add(string(content[:len(content)/2]))
	f.Add(strings.ReplaceAll(string(content), "done", "\\u001b"))
	f.Add("{}\n\x00\nnull\n[]\n\"\n{\"event\":\"begun\",\"id\":\"000000\"}")
	f.Fuzz(func(t *testing.T, text string) {
		dir := stateDir(t)
		path := journal.Path(dir, profile)
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l := read(t, dir)
		if lines := strings.Count(text, "\n") + 1; len(l.Entries)+l.Damaged > lines {
			t.Errorf("%d entries and %d damaged lines of %d", len(l.Entries), l.Damaged, lines)
		}
		for _, e := range l.Entries {
			for _, s := range []string{e.ID, e.Tool, e.InvoiceNumber, e.RequestID, string(e.Outcome)} {
				if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x202e }) {
					t.Errorf("%q", s)
				}
			}
			if len(e.ID) != 6 || e.Begun.IsZero() {
				t.Errorf("%+v", e)
			}
		}
	})
}
