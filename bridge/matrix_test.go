package bridge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	faults "github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// The matrix of RELAY section 6: one request is cut at one point, everything
// else is in order. Whatever happens, a payment call runs at most once, each
// request gets one answer, and the next call works.

// asked is which request meets the cut.
type asked int

const (
	askedCall asked = iota // a payment link is made
	askedRead              // tools/list
	askedTool              // a tool that says readOnlyHint: true
)

func (a asked) String() string { return [...]string{"call", "list", "read-only tool"}[a] }

// cell is one field of the matrix.
type cell struct {
	faults.Shape

	cut   faults.Cut
	asked asked
}

func (c cell) name() string {
	words := []string{"HTTP1", "JSON", "legacy"}
	for i, is := range []bool{c.HTTP2, c.SSE, c.Modern} {
		if is {
			words[i] = [...]string{"HTTP2", "SSE", "modern"}[i]
		}
	}
	return strings.ReplaceAll(fmt.Sprintf("%s %s/%s/%s", c.cut.Row, c.cut.Name, c.asked, strings.Join(words, " ")), " ", "_")
}

// cells are the fields that exist: no session is lost where there are none.
func cells() []cell {
	var all []cell
	for _, cut := range faults.Cuts() {
		for i := range 8 {
			s := faults.Shape{HTTP2: i&1 != 0, SSE: i&2 != 0, Modern: i&4 != 0}
			for _, a := range []asked{askedCall, askedRead, askedTool} {
				if cut.Fits(s) {
					all = append(all, cell{s, cut, a})
				}
			}
		}
	}
	return all
}

// fate is what a row promises to a request that the cut hit: it succeeds, or
// fails with one of these kinds. "server" is the server's own error.
type fate []string

const (
	succeeds = "success"
	servers  = "server"
	unknown  = "unknown_outcome"
)

// fates is the matrix: for a call that may not be repeated, and for a read.
var fates = map[string]struct{ call, read fate }{
	"R1":      {fate{succeeds}, fate{succeeds}},
	"R2":      {fate{succeeds}, fate{succeeds}},
	"R3":      {fate{succeeds}, fate{succeeds}},
	"R4":      {fate{unknown}, fate{succeeds}},
	"B2":      {fate{unknown}, fate{"timeout"}}, // after minutes: the host has given up itself
	"R5":      {fate{succeeds}, fate{succeeds}},
	"R7":      {fate{"forbidden"}, fate{"forbidden"}},
	"R8":      {fate{succeeds}, fate{succeeds}},
	"R9":      {fate{"rate_limited", "server_error"}, fate{succeeds}},
	"R10":     {fate{unknown}, fate{succeeds}},
	"R11":     {fate{succeeds}, fate{succeeds}},
	"R11 405": {fate{unknown}, fate{succeeds}},
	"R12":     {fate{unknown}, fate{succeeds}},
	"R13":     {fate{succeeds}, fate{succeeds}},
	"R14":     {fate{"redirect"}, fate{"redirect"}},
	"R15":     {fate{"ran_unreadable", unknown}, fate{succeeds}},
	"F4":      {fate{servers}, fate{servers}},
}

// fate of a read-only tool: R9 may repeat it, the other rows treat it as a
// call; to be kinder is allowed, because it does no harm.
func (c cell) fate() fate {
	f := fates[c.cut.Row]
	switch {
	case c.asked == askedRead, c.asked == askedTool && c.cut.Row == "R9":
		return f.read
	case c.asked == askedTool:
		return slices.Compact(slices.Concat(f.call, f.read))
	}
	return f.call
}

func TestMatrix_requestCutAtEveryPoint_neverDoubled(t *testing.T) {
	t.Parallel()
	var ran atomic.Int64
	var plays sync.WaitGroup
	all, room := cells(), make(chan struct{}, atOnce)
	for _, c := range all {
		room <- struct{}{}
		plays.Go(func() {
			defer func() { <-room }()
			t.Run(c.name(), func(t *testing.T) {
				c.play(t)
				ran.Add(1)
			})
		})
	}
	plays.Wait()
	t.Logf("%d cells of %d, %d cut points", ran.Load(), len(all), len(faults.Cuts()))
}

// atOnce is how many cells are played at a time. Most of them wait most of the
// time, so it is more than t.Parallel would allow on a small machine.
const atOnce = 16

func TestMatrix_everyCut_hasItsCellsAndARow(t *testing.T) {
	t.Parallel()
	calls := map[string]int{}
	for _, c := range cells() {
		if c.asked == askedCall {
			calls[c.cut.Name]++
		}
		if fates[c.cut.Row].call == nil {
			t.Errorf("%s: no row %s", c.cut.Name, c.cut.Row)
		}
		if first := c.fate()[0]; c.cut.Sure && first != succeeds {
			t.Errorf("%s surely did not run, and is told %s", c.cut.Name, first)
		}
	}
	if len(calls) < 14 || len(calls) != len(faults.Cuts()) {
		t.Errorf("%d cut points", len(calls))
	}
}

// play runs one cell.
func (c cell) play(t *testing.T) {
	t.Helper()
	s := newStage(t, c)
	s.handshake()
	fired, err := c.cut.Arm(s.ctx, s.scene(func(r faults.Request) bool { return r.ID == "100" }))
	if err != nil {
		t.Fatal(err)
	}
	got := s.ask("100", c.request("INV-CUT"))
	if n := fired(); n != 1 {
		t.Errorf("the cut happened %d times", n)
	}
	if f := c.fate(); !slices.Contains(f, got.verdict()) {
		t.Errorf("got %q, want %q: %s", got.verdict(), f, got.raw)
	}
	if next := s.ask("101", createCall("INV-NEXT")); next.verdict() != succeeds {
		t.Errorf("the next call: %s", next.raw)
	}
	s.end()
	c.executions(t, s.sandbox)
	c.noted(s, got)
	if n := s.sandbox.Log().Count(sandbox.Query{Role: sandbox.RoleForeign}); n != 0 {
		t.Errorf("%d requests went to a foreign origin", n)
	}
}

// executions compares what ran with what the cut says of itself.
func (c cell) executions(t *testing.T, sb *sandbox.Sandbox) {
	t.Helper()
	want := 0
	if c.asked == askedCall && (c.cut.Sure || c.cut.Ran == faults.RanYes) {
		want = 1
	}
	for invoice, want := range map[string]int{"INV-CUT": want, "INV-NEXT": 1} {
		if n := sb.Executions(createTool, invoice); n != want {
			t.Errorf("%s ran %d times, want %d", invoice, n, want)
		}
	}
}

const (
	createTool = "payLinks_paymentLink_create"
	readTool   = "list_available_team_accounts"
)

// request is the method and the params of the request that is cut.
func (c cell) request(invoice string) call {
	switch c.asked {
	case askedRead:
		// A page: no list that is known from before stands in for it.
		return call{method: "tools/list", params: `"cursor":"1"`}
	case askedTool:
		return call{method: "tools/call", params: `"name":"` + readTool + `"`}
	case askedCall:
	}
	return createCall(invoice)
}

// call is a request without what its era adds.
type call struct{ method, params string }

func createCall(invoice string) call {
	return call{"tools/call", `"name":"` + createTool + `","arguments":{"invoiceNumber":"` + invoice + `","amount":1}`}
}

// reply is what the host got for a request.
type reply struct {
	ID     json.RawMessage
	Method string
	Result *struct{ IsError bool }
	Error  *struct {
		Data struct{ Source, Kind string }
	}
	raw string
}

// verdict is success, server, or the kind of our own error.
func (r reply) verdict() string {
	switch {
	case r.Error != nil && r.Error.Data.Source == "payu-mcp":
		return r.Error.Data.Kind
	case r.Error != nil:
		return servers
	case r.Result == nil || r.Result.IsError:
		return "failed"
	}
	return succeeds
}
