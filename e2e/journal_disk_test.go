package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// A disk that takes no line of the journal holds up no tool that only reads. A
// write is told so before anything of it goes to PayU, and runs when there is room.
func TestJournal_diskFails_readsGoOnWritesAreToldBefore(t *testing.T) {
	t.Parallel()
	for name, c := range troubles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.smallDisk()
			sb := startSandbox(t, sandbox.Options{})
			w.visitor()
			w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
			h := w.ready()
			cure := c.cause(w)
			refused := w.writesUntilRefused(h)
			for _, part := range []string{"This computer", "nothing was sent to PayU", c.says, "--no-journal"} {
				if !strings.Contains(refused, part) {
					t.Errorf("the answer lacks %q: %s", part, refused)
				}
			}
			h.works() // what only reads
			sent := sb.Log().Count(sandbox.Query{Tool: create})
			if r := h.call(create, linkArguments("INV-FULL")); !r.IsError || sb.Log().Count(sandbox.Query{Tool: create}) != sent || sb.Executions(create, "INV-FULL") != 0 {
				t.Errorf("a write reached the server: %+v", r)
			}
			cure()
			if r := h.call(create, linkArguments("INV-ROOM")); r.IsError {
				t.Errorf("with room: %+v", r)
			}
			h.end()
			r := w.journal()
			done := strings.Count(r.outcomes(), " done")
			if done != sent+1 || done != len(r.Entries)-1 || !strings.HasSuffix(r.outcomes(), "INV-ROOM done") || r.Unknown != 0 {
				t.Errorf("%d calls were sent, and the journal has %d: %s", sent+1, done, r.outcomes())
			}
			w.nothingLeft()
		})
	}
}

// writesUntilRefused makes payment links until the journal takes no more: the last
// page of a file may have room for some on a disk that is full.
func (w *world) writesUntilRefused(h *host) (answer string) {
	w.t.Helper()
	for n := range 50 {
		var r toolResult
		h.get("tools/call", linkCall(fmt.Sprintf("INV-%d", n)), &r)
		if r.IsError {
			return r.Content[0].Text
		}
	}
	w.t.Error("no write was refused")
	return ""
}

// Without a journal, by the person's own word, the same disk stops nothing.
func TestJournal_off_writesGoOnUnnoted(t *testing.T) {
	t.Parallel()
	w, sb := shopkeeper(t, sandbox.Options{})
	w.must(w.payu("login", "--no-journal"), 0)
	h := w.ready()
	if r := h.call(create, linkArguments("INV-1")); r.IsError || sb.Executions(create, "INV-1") != 1 {
		t.Errorf("%+v", r)
	}
	h.end()
	if r := w.must(w.payu("status"), 0); !strings.Contains(r.stdout, "journal       off (--no-journal)") {
		t.Errorf("status says\n%s", r.stdout)
	}
	if r := w.journal(); len(r.Entries) != 0 {
		t.Errorf("%+v", r)
	}
	w.must(w.payu("login", "--no-journal=false"), 0)
	h = w.ready()
	h.call(create, linkArguments("INV-2"))
	h.end()
	if r := w.journal(); r.outcomes() != "INV-2 done" {
		t.Error(r.outcomes())
	}
}

// Two bridges of one profile write to one journal.
func TestJournal_twoBridges_oneJournal(t *testing.T) {
	t.Parallel()
	w, sb := shopkeeper(t, sandbox.Options{})
	hosts := []*host{w.ready(), w.ready()}
	const each = 12
	var answers []<-chan message
	for n := range each {
		for i, h := range hosts {
			answers = append(answers, h.begin("tools/call", linkCall(fmt.Sprintf("INV-%d-%d", i, n))))
		}
	}
	for _, a := range answers {
		var r toolResult
		if m := <-a; json.Unmarshal(m.Result, &r) != nil || r.IsError {
			t.Errorf("%s%s", m.Result, m.Error)
		}
	}
	// While they run, as afterwards.
	for range 2 {
		r := w.journal()
		if r.Damaged != 0 || len(r.Entries) != 2*each+2 || strings.Count(r.outcomes(), "done") != 2*each {
			t.Errorf("%d damaged lines, %s", r.Damaged, r.outcomes())
		}
		for i := range hosts {
			for n := range each {
				if invoice := fmt.Sprintf("INV-%d-%d", i, n); strings.Count(r.outcomes(), invoice+" done") != 1 || sb.Executions(create, invoice) != 1 {
					t.Errorf("%s: %s", invoice, r.outcomes())
				}
			}
		}
		for _, h := range hosts {
			_ = h.stdin.Close()
			<-h.ended
		}
	}
	w.nothingLeft()
}
