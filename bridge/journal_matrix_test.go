package bridge_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const showUnknown = "payu-mcp journal --unknown"

// newJournal is a journal in a folder of its own.
func newJournal(t testing.TB) (state string, j *journal.Journal) {
	t.Helper()
	state = filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	j = journal.Open(state, "default", slog.New(slog.DiscardHandler))
	t.Cleanup(func() { j.Close(time.Minute) })
	return state, j
}

// entries are what a reader finds in a journal.
func entries(t testing.TB, state string) []journal.Entry {
	t.Helper()
	l, err := journal.Read(state, "default")
	if err != nil || l.Damaged > 0 {
		t.Fatalf("%d damaged lines, %v", l.Damaged, err)
	}
	return l.Entries
}

// outcomes is what the journal must say of a call that got this verdict.
func outcomes(verdict string) journal.Outcome {
	switch verdict {
	case succeeds:
		return journal.Done
	case unknown, "ran_unreadable":
		return journal.Unknown
	case "unreachable":
		return journal.NotSent
	}
	return journal.Failed
}

// noted holds the journal against what the host was told: each write call has one
// entry, whatever became of it, and no other request has one.
func (c cell) noted(s *stage, got reply) {
	s.t.Helper()
	s.calls.Close(cellLimit) // then nothing is under way
	want := map[string]journal.Outcome{"INV-NEXT": journal.Done}
	if c.asked == askedCall {
		want["INV-CUT"] = outcomes(got.verdict())
	}
	found := slices.DeleteFunc(entries(s.t, s.state), func(e journal.Entry) bool {
		// On a busy machine the list may come too late: then nobody knows that it only reads.
		return c.asked == askedTool && !s.listed && e.Tool == readTool && e.Outcome == outcomes(got.verdict())
	})
	if len(found) != len(want) {
		s.t.Errorf("%d entries, want %d: %+v", len(found), len(want), found)
	}
	for _, e := range found {
		if want[e.InvoiceNumber] != e.Outcome || e.Tool != createTool {
			s.t.Errorf("%s is %q in the journal: %+v", e.InvoiceNumber, e.Outcome, got.raw)
		}
		c.hasItsRequest(s, e)
		if told := strings.Contains(got.raw, "`"+showUnknown+"`, entry "+e.ID); told != (e.Outcome == journal.Unknown) {
			s.t.Errorf("the host was told %s", got.raw)
		}
	}
}

// hasItsRequest fails unless the server knows the request of an entry, as far as
// it has heard of it at all.
func (c cell) hasItsRequest(s *stage, e journal.Entry) {
	s.t.Helper()
	calls := s.sandbox.Log().Find(sandbox.Query{Tool: createTool})
	if s.sandbox.Executions(createTool, e.InvoiceNumber) == 0 || e.Outcome != journal.Done {
		return
	}
	if !slices.ContainsFunc(calls, func(call sandbox.Entry) bool { return call.Header.Get("X-Request-Id") == e.RequestID }) {
		s.t.Errorf("nothing at the server has the request id %s of %s", e.RequestID, e.InvoiceNumber)
	}
}
