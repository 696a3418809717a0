package journal

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/logfile"
)

// FuzzRead holds the reader against whatever stands in two files: each line tells
// at most one thing, a file that is met twice counts once, and nothing acts
// on a terminal.
func FuzzRead(f *testing.F) {
	var whole []byte
	for _, r := range []record{
		{Event: begun, Tool: "create", InvoiceNumber: "INV-1", RequestID: "r-1"},
		{Event: again, RequestID: "r-2"},
		{Event: ended, Outcome: Unknown},
		{Event: checked},
	} {
		r.ID, r.Run, r.At = "7k3f9q", "000000000001", time.Unix(1, 0)
		line, err := r.line()
		if err != nil {
			f.Fatal(err)
		}
		whole = append(whole, line...)
	}
	f.Add(whole, []byte{})
	f.Add(whole[:len(whole)/2], whole[len(whole)/2:])
	f.Add(bytes.ReplaceAll(whole, []byte("INV"), []byte(`\u001b`)), whole)
	f.Add([]byte("{}\n\x00\nnull\n[]\n\"\n"), []byte(`{"event":"begun","id":"000000"}`))
	f.Fuzz(func(t *testing.T, older, newer []byte) {
		l := listingOf([]logfile.Content{{Lines: older}, {Lines: newer}})
		if most := bytes.Count(older, []byte("\n")) + bytes.Count(newer, []byte("\n")) + 2; len(l.Entries)+l.Damaged > most {
			t.Errorf("%d entries and %d damaged lines of %d", len(l.Entries), l.Damaged, most)
		}
		for _, e := range l.Entries {
			for _, s := range []string{e.ID, e.Tool, e.InvoiceNumber, e.RequestID, string(e.Outcome)} {
				if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x202e }) {
					t.Errorf("%q", s)
				}
			}
			if !isName(e.ID, idLength) || !isName(e.run, runLength) || e.Begun.IsZero() {
				t.Errorf("%+v", e)
			}
		}
		if twice := listingOf([]logfile.Content{{Lines: older}, {Lines: newer}, {Lines: newer}}); len(twice.Entries) != len(l.Entries) {
			t.Errorf("a file that is met twice makes %d entries of %d", len(twice.Entries), len(l.Entries))
		}
	})
}
