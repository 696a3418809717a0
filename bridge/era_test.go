package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// A host of the modern era.
const (
	meta     = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	probe    = `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`
	modern   = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow",` + meta + `}}`
	watching = `{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{` + meta + `}}`
)

func era(e remote.Era) func() remote.Era { return func() remote.Era { return e } }

// answers returns an upstream that answers every request in the same way.
func answers(body string) *fake {
	return &fake{on: func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
		h.Sent()
		h.Deliver(scan(fmt.Sprintf(body, m.ID)))
		return nil
	}}
}

// TestDiscover_states is the table of RELAY M3 to M5: what the host hears, and
// whether the server was asked.
func TestDiscover_states(t *testing.T) {
	t.Parallel()
	const complete = `{"id":%s,"result":{"supportedVersions":["2026-07-28"]}}`
	const unsupported = `{"id":%s,"error":{"code":-32022,"message":"m","data":{"supported":["2027-01-01"]}}}`
	const unknown = `{"id":%s,"error":{"code":-32601,"message":"no"}}`
	for name, c := range map[string]struct {
		era   remote.Era
		up    *fake
		raw   string // the server's words; "" = fall back
		asked bool
	}{
		"legacy":                      {remote.EraLegacy, answers(complete), "", false},
		"modern":                      {remote.EraModern, answers(complete), complete, true},
		"modern, any error":           {remote.EraModern, answers(unknown), unknown, true},
		"dual":                        {remote.EraDual, answers(complete), complete, true},
		"unknown, modern answer":      {remote.EraUnknown, answers(complete), complete, true},
		"unknown, modern error":       {remote.EraUnknown, answers(unsupported), unsupported, true},
		"unknown, legacy error":       {remote.EraUnknown, answers(unknown), "", true},
		"unknown, 401":                {remote.EraUnknown, failingWith(&remote.Error{Kind: remote.KindSignIn, Err: remote.ErrSignIn}), "", true},
		"unknown, out of reach":       {remote.EraUnknown, failingWith(&remote.Error{Kind: remote.KindUnreachable}), "", true},
		"unknown, silence for 700 ms": {remote.EraUnknown, silent(), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := start(t, bridge.Config{Remote: c.up, Era: era(c.era), Login: noSignIn(t)})
				begun := time.Now()
				h.send(probe)
				if c.raw != "" {
					h.expect(fmt.Sprintf(c.raw, "1"))
				} else if f := h.nextFault(); f.Error.Code != jsonmsg.CodeMethod || f.id() != "1" {
					t.Errorf("%+v", f)
				}
				if took := time.Since(begun); took > 700*time.Millisecond {
					t.Errorf("the host waited for %s", took)
				}
				if asked := len(c.up.sent()) == 1; asked != c.asked {
					t.Errorf("the server got %v", c.up.sent())
				}
				// The host may use the id again.
				c.up.on = echo
				h.send(`{"id":1,"method":"x"}`)
				if l := h.next(); scan(l).Kind != jsonmsg.Response || jsonmsg.Key(scan(l).ID) != "n1" {
					t.Error(l)
				}
			})
		})
	}
}

func failingWith(err error) *fake {
	return &fake{on: func(_ context.Context, _ jsonmsg.Message, h remote.Hooks) error {
		if h.Sent != nil {
			h.Sent()
		}
		return err
	}}
}

func silent() *fake {
	return &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "x" {
			return echo(ctx, m, h)
		}
		h.Sent()
		<-ctx.Done()
		return ctx.Err()
	}}
}

func TestModernHost_notificationsAndAnswers_notPosted(t *testing.T) {
	t.Parallel()
	up := &fake{}
	h := start(t, bridge.Config{Remote: up})
	h.send(strings.Replace(modern, "slow", "quick", 1))
	h.expect(`{"id":2,"result":{}}`)
	h.send(inited, `{"method":"notifications/roots/list_changed"}`, `{"id":"srv","result":{}}`, `{"id":9,"method":"ping"}`)
	h.expect(`{"id":9,"result":{}}`)
	if got := up.sent(); len(got) != 2 {
		t.Errorf("the server got %v", got)
	}
	h.send(initialize, inited) // the same process may turn legacy: then they count
	h.expect(`{"id":0,"result":{}}`)
	h.eof()
	if !slices.Contains(up.sent(), inited) {
		t.Errorf("the server got %v", up.sent())
	}
}

func TestModernCancel_endsTheStream_nothingPostedNothingHeard(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	up := &fake{on: func(ctx context.Context, _ jsonmsg.Message, h remote.Hooks) error {
		h.Sent()
		h.Deliver(scan(`{"method":"notifications/progress"}`))
		h.Deliver(scan(`{"id":"s","method":"elicitation/create"}`)) // a server must not (RELAY T4)
		<-ctx.Done()
		h.Deliver(scan(`{"method":"notifications/progress","params":{"late":true}}`))
		h.Deliver(scan(`{"id":2,"result":{}}`))
		close(ended)
		return nil
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(modern)
	h.expect(`{"method":"notifications/progress"}`)
	h.send(`{"method":"notifications/cancelled","params":{"requestId":2}}`)
	<-ended
	if took, rest := h.eof(); len(rest) != 0 || took > time.Second || len(up.sent()) != 1 {
		t.Errorf("after %s: %q; the server got %v", took, rest, up.sent())
	}
}

func TestSubscription_breaks_hostHearsCancelled(t *testing.T) {
	t.Parallel()
	const ack = `{"method":"notifications/subscriptions/acknowledged"}`
	for name, c := range map[string]struct {
		before, want string
	}{
		"after it began": {ack, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}`},
		"before":         {"", ""},
	} {
		up := &fake{on: func(_ context.Context, _ jsonmsg.Message, h remote.Hooks) error {
			h.Sent()
			if c.before != "" {
				h.Deliver(scan(c.before))
			}
			return &remote.Error{Kind: remote.KindInterrupted}
		}}
		h := start(t, bridge.Config{Remote: up})
		h.send(watching)
		if c.before != "" {
			h.expect(c.before, c.want)
		} else if f := h.nextFault(); f.id() != "3" {
			t.Errorf("%s: %+v", name, f)
		}
		if _, rest := h.eof(); len(rest) != 0 {
			t.Errorf("%s: %q", name, rest)
		}
	}
}

// An open subscription is no work that closing waits for; its host hears that it
// ended.
func TestSubscription_open_doesNotHoldTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const ack = `{"method":"notifications/subscriptions/acknowledged"}`
		up := silent()
		quiet := up.on
		up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method != "ping" {
				h.Deliver(scan(ack))
			}
			return quiet(ctx, m, h)
		}
		h := start(t, bridge.Config{Remote: up})
		h.send(watching)
		h.expect(ack)
		took, rest := h.eof()
		if want := []string{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}`}; took != 0 || !slices.Equal(rest, want) {
			t.Errorf("after %s: %q", took, rest)
		}
	})
}
