package bridge_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// What the host hears of one call goes up, also when a dialog was in between.
func TestDialog_progress_goesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, payu, bridge.Config{Catalogue: full()})
		d.send(shows, inited)
		d.next()
		d.send(progress)
		id := d.dialog()
		last := 0.0
		hear := func() {
			t.Helper()
			var value float64
			l := d.next()
			if _, err := fmt.Sscan(lookup(l, "params", "progress"), &value); err != nil || value <= last {
				t.Errorf("after %f: %s", last, l)
			}
			last = value
		}
		hear()
		hear()
		d.decide(id, accept)
		hear()
		hear()
		d.send(cancel)
		synctest.Wait()
		d.eof()
	})
}

// Without a Login a call fails, and the next one too.
func TestCall_noLogin_failsEachTime(t *testing.T) {
	t.Parallel()
	var in atomic.Bool
	h := start(t, bridge.Config{Remote: signedOutServer(&in)})
	for range 2 {
		h.send(slow)
		if f := h.nextFault(); f.Error.Data.Kind != "sign_in" {
			t.Errorf("%+v", f)
		}
	}
	h.eof()
}

// The way to the page and the wait for the person are 50 seconds in all (HOSTS P7).
func TestCall_slowToFindThePage_50SecondsInAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		inv := d.visit.invitation(page)
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
			time.Sleep(30 * time.Second)
			return inv, nil
		})
		begun := time.Now()
		d.send(slow)
		d.expectText("still open")
		if took := time.Since(begun); took != 50*time.Second {
			t.Errorf("after %s", took)
		}
		d.eof()
	})
}

// A step-up that fails takes nothing from a login that the disk does not show:
// without a keychain it is in memory only.
func TestCall_failedStepUp_leavesTheLoginAsItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.send(slow)
		synctest.Wait()
		d.in.Store(true)
		d.visit.end(nil)
		d.expect(`{"id":1,"result":{}}`)
		answer, v := d.up.on, newVisit()
		d.up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method == "tools/call" {
				return wantsMore()
			}
			return answer(ctx, m, h)
		}
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) { return v.invitation(page), nil })
		d.send(slow)
		synctest.Wait()
		v.end(errAny)
		d.expectText("did not succeed")
		synctest.Wait()
		d.send(`{"id":2,"method":"resources/read"}`)
		d.expect(`{"id":2,"result":{}}`)
		d.eof()
	})
}
