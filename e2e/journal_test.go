package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// journalReport is what `payu-mcp journal --json` prints.
type journalReport struct {
	File             string
	Entries          []journalEntry
	Unknown, Damaged int
}

type journalEntry struct {
	ID, Tool, Outcome string
	Time              time.Time
	InvoiceNumber     string    `json:"invoice_number"`
	RequestID         string    `json:"request_id"`
	CheckedAt         time.Time `json:"checked_at"`
}

// outcomes are those of the payment links, by invoice number.
func (r journalReport) outcomes() string {
	var all []string
	for _, e := range r.Entries {
		if e.Tool == create {
			all = append(all, e.InvoiceNumber+" "+e.Outcome)
		}
	}
	return strings.Join(all, ", ")
}

// journal reads the journal through the built binary.
func (w *world) journal(args ...string) (r journalReport) {
	w.t.Helper()
	out := w.must(w.payu(append([]string{"journal", "--json"}, args...)...), 0).stdout
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	return r
}

// linkArguments are those of a payment link, with what must stay out of the journal.
func linkArguments(invoice string) map[string]any {
	args := customer()
	args["invoiceNumber"] = invoice
	return args
}

func linkCall(invoice string) map[string]any {
	return map[string]any{"name": create, "arguments": linkArguments(invoice)}
}

// cutAfter lets the tool run and cuts the connection where the answer would be.
func cutAfter(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	next.ServeHTTP(&void{header: http.Header{}}, r)
	panic(http.ErrAbortHandler)
}

// void is a ResponseWriter that nobody reads.
type void struct{ header http.Header }

func (v *void) Header() http.Header         { return v.header }
func (v *void) Write(b []byte) (int, error) { return len(b), nil }
func (v *void) WriteHeader(int)             {}
func (v *void) Flush()                      {}

// shopkeeper is somebody who is signed in, and the sandbox.
func shopkeeper(t *testing.T, o sandbox.Options) (*world, *sandbox.Sandbox) {
	t.Helper()
	w := newWorld(t)
	sb := startSandbox(t, o)
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	return w, sb
}

// ready is a host that has listed the tools and selected an account.
func (w *world) ready(args ...string) *host {
	w.t.Helper()
	h := w.startHost(args...)
	h.initialize()
	h.lists(13)
	if r := h.call(writer, map[string]any{"identifier": "180045"}); r.IsError {
		w.t.Fatalf("selecting an account: %+v", r)
	}
	return h
}

// A bridge that ends, in whatever way, leaves exactly one entry of a call whose
// outcome nobody knows.
func TestJournal_bridgeEnds_oneUnknownEntry(t *testing.T) {
	t.Parallel()
	kill := func(h *host) { _ = h.cmd.Process.Kill() }
	for name, c := range map[string]struct {
		end   func(h *host)
		after bool // the host has had the error
	}{
		"killed while the call runs":        {kill, false},
		"killed right after the error":      {kill, true},
		"its host goes while the call runs": {func(h *host) { _ = h.stdin.Close() }, false},
		"told to end while the call runs":   {func(h *host) { _ = h.cmd.Process.Signal(syscall.SIGTERM) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var inj fault.Injector
			w, sb := shopkeeper(t, sandbox.Options{Wrap: inj.Wrap})
			h := w.ready()
			if r := h.call(create, linkArguments("INV-1")); r.IsError {
				t.Fatalf("%+v", r)
			}
			isCall := func(r fault.Request) bool { return r.RPC == "tools/call" }
			var answer message
			if c.after {
				fired := inj.AddIf(isCall, 1, cutAfter)
				answer = h.ask("tools/call", linkCall("INV-2"))
				if fired() != 1 || !strings.Contains(string(answer.Error), "unknown_outcome") {
					t.Fatalf("%s%s", answer.Result, answer.Error)
				}
				c.end(h)
			} else {
				release := sb.Hold(func(e sandbox.Entry) bool { return e.Tool == create })
				h.begin("tools/call", linkCall("INV-2"))
				w.eventually("the call is at the server", answerLimit, func() bool { return sb.Log().Count(sandbox.Query{Tool: create}) == 2 })
				if r := w.journal(); r.outcomes() != "INV-1 done, INV-2 running" || r.Unknown != 0 {
					t.Errorf("while it runs: %+v", r)
				}
				c.end(h)
				<-h.ended
				release()
			}
			<-h.ended
			r := w.journal("--unknown")
			if len(r.Entries) != 1 || r.Unknown != 1 || r.Damaged != 0 {
				t.Fatalf("%+v", r)
			}
			e := r.Entries[0]
			if e.Outcome != "unknown" || e.InvoiceNumber != "INV-2" || e.Tool != create || time.Since(e.Time) > commandLimit {
				t.Errorf("%+v", e)
			}
			if calls := sb.Log().Find(sandbox.Query{Tool: create}); len(calls) != 2 || calls[1].Header.Get("X-Request-Id") != e.RequestID {
				t.Errorf("the journal has the request %s", e.RequestID)
			}
			if said := string(answer.Error); c.after && (!strings.Contains(said, "`payu-mcp journal --unknown --state-dir") && !strings.Contains(said, "`payu-mcp journal --unknown`") || !strings.Contains(said, "entry "+e.ID) || !strings.Contains(said, `"entry":"`+e.ID+`"`)) {
				t.Errorf("the host was told %s", said)
			}
			if all := w.journal(); all.outcomes() != "INV-1 done, INV-2 unknown" || len(all.Entries) != 3 {
				t.Errorf("%+v", all)
			}
			text, err := os.ReadFile(r.File)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range secretsOf(customer()) {
				if strings.Contains(string(text), secret) {
					t.Errorf("the journal has %q", secret)
				}
			}
		})
	}
}

// secretsOf are the arguments but the invoice number.
func secretsOf(args map[string]any) (all []string) {
	for name, v := range args {
		if text, ok := v.(string); ok && name != "invoiceNumber" {
			all = append(all, text)
		}
	}
	return append(all, "description", "customerEmail", "subAmount")
}
