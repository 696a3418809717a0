package bridge_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// A network that is away for a moment does not cost the session what follows
// initialize, nor the host what the server says unasked.
func TestLink_initializedNotDelivered_saidByTheNext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want []string // what the server gets for a call
	}{
		"no way":  {&remote.Error{Kind: remote.KindUnreachable}, []string{initialize, inited, inited, slow}},
		"refused": {&remote.Error{Kind: remote.KindRefused, Status: 400}, []string{initialize, inited, slow}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				failed, listened := false, false
				up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
					if m.Method == "notifications/initialized" && !failed {
						failed = true
						return c.err
					}
					return echo(ctx, m, h)
				}}
				up.listen = func(ctx context.Context, _ func(jsonmsg.Message)) { listened = true; <-ctx.Done() }
				h := start(t, bridge.Config{Remote: up})
				h.send(initialize)
				h.next()
				h.send(inited)
				synctest.Wait()
				h.send(slow)
				h.expect(`{"id":1,"result":{}}`)
				synctest.Wait()
				if got := up.sent(); !slices.Equal(got, c.want) || listened != (len(c.want) == 4) {
					t.Errorf("%q, listens: %t", got, listened)
				}
				h.eof()
			})
		})
	}
}

// A call that has waited too long for the session is not sent behind its host's
// back, unless its tool only reads.
func TestRelay_sessionTakesLong_lateWriteNotSent(t *testing.T) {
	t.Parallel()
	for took, sent := range map[time.Duration]int{19 * time.Second: 1, 25 * time.Second: 0} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(wholeList)
			serve := s.on
			s.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
				if m.Method == "initialize" {
					time.Sleep(took) // of the bubble's clock
				}
				return serve(ctx, m, h)
			}
			h := start(t, bridge.Config{Remote: s})
			h.send(initialize, inited, call1("create_link"))
			h.next()
			if l := h.next(); (lookup(l, "error", "data", "kind") == `"timeout"`) != (sent == 0) || sent == 0 && !strings.Contains(l, "nothing was sent") {
				t.Errorf("after %v: %s", took, l)
			}
			if calls := s.calls(); len(calls) != sent {
				t.Errorf("after %v the server got %s", took, calls)
			}
			h.eof()
		})
	}
}
