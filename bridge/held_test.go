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

func wantsMore() error {
	return &remote.Error{Kind: remote.KindSignIn, Status: 403, Err: fmt.Errorf("%w: more scope", remote.ErrSignIn)}
}

// The 20 seconds count from when the host began to wait, over all sign-ins.
func TestCall_twoSignIns_20SecondsInAll(t *testing.T) {
	t.Parallel()
	for each, sent := range map[time.Duration]int{9 * time.Second: 2, 15 * time.Second: 1} {
		synctest.Test(t, func(t *testing.T) {
			d := atDoor(t, page, bridge.Config{})
			var visits atomic.Int32
			d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
				visits.Add(1)
				v := newVisit()
				time.AfterFunc(each, func() { v.end(nil) })
				return v.invitation(page), nil
			})
			d.up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
				if visits.Load() == 1 {
					return wantsMore()
				}
				return echo(ctx, m, h)
			}
			d.send(slow)
			if sent == 2 {
				d.expect(`{"id":1,"result":{}}`)
			} else {
				d.expectText("You are signed in", nothing)
			}
			d.eof()
			if n := d.calls(); n != sent { // the first one met the 403
				t.Errorf("%s each: sent %d times", each, n)
			}
		})
	}
}

// So does the time that the server takes to make the session of the new sign-in.
func TestCall_slowSessionAfterTheSignIn_notSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.up.on = scripted(10*time.Second, map[string]string{"initialize": okay(savedOpen), "tools/call": okay("{}")}).on
		d.send(initialize, inited)
		d.next()
		d.send(slow)
		time.Sleep(15 * time.Second)
		d.signIn()
		d.expectText("You are signed in", nothing)
		d.eof()
		if n := d.calls(); n != 0 {
			t.Errorf("sent %d times", n)
		}
	})
}

// A server that is silent about its lists does not hold a result back: the host
// would give up, and ask again for what has run.
func TestSignIn_listsHang_resultComesAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, page, bridge.Config{})
		d.send(initialize, inited, `{"jsonrpc":"2.0","id":5,"method":"prompts/list"}`)
		d.next()
		d.next()
		answer := d.up.on
		d.up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method == "prompts/list" {
				<-ctx.Done()
				return &remote.Error{Kind: remote.KindCancelled}
			}
			return answer(ctx, m, h)
		}
		d.send(slow)
		synctest.Wait()
		begun := time.Now()
		d.signIn()
		d.expect(`{"id":1,"result":{}}`)
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("after %s", took)
		}
		d.eof()
	})
}

// Who says no to the page has not asked for the call: it is not sent, whoever
// has signed in meanwhile.
func TestDialog_modernHost_saidNoAfterASignIn_notSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := atDoor(t, payu, bridge.Config{})
		d.send(modernCall("1", ""))
		state := lookup(d.next(), "result", "requestState")
		d.signIn()
		synctest.Wait()
		before := d.calls()
		d.send(modernCall("2", `,"inputResponses":{"payu_sign_in":{"action":"decline"}},"requestState":`+state))
		d.expectText("You are signed in", nothing)
		d.eof()
		if n := d.calls() - before; n != 0 {
			t.Errorf("sent %d times", n)
		}
	})
}

// A modern host whose call needs a second sign-in is asked to show that one too,
// and what comes back is what it said first.
func TestDialog_modernHost_stepUp_isShownToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const earlier = `,"inputResponses":{"k":{"x":1.0}},"requestState":"server's"`
		d := atDoor(t, payu, bridge.Config{})
		var more atomic.Bool
		d.send(modernCall("1", earlier))
		state := lookup(d.next(), "result", "requestState")
		answer := d.up.on
		d.up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method == "tools/call" && d.in.Load() && !more.Load() {
				return wantsMore()
			}
			return answer(ctx, m, h)
		}
		first := d.visit
		d.visit = newVisit()
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
			if first != nil && isDone(first) {
				return d.visit.invitation(payu), nil
			}
			return first.invitation(payu), nil
		})
		back := func(id string) string {
			return modernCall(id, `,"inputResponses":{"payu_sign_in":{"action":"accept"}},"requestState":`+state)
		}
		d.send(back("2"))
		synctest.Wait()
		d.in.Store(true)
		d.login.stand(bridge.StandingSignedIn)
		first.end(nil)
		l := d.next()
		if lookup(l, "result", "resultType") != `"input_required"` {
			t.Fatal(l)
		}
		state = lookup(l, "result", "requestState")
		more.Store(true)
		d.visit.end(nil)
		d.send(back("3"))
		d.expect(`{"id":3,"result":{}}`)
		sent := d.up.sent()
		if got, want := lookup(sent[len(sent)-1], "params"), lookup(modernCall("3", earlier), "params"); !sameMembers(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
		d.eof()
	})
}

func isDone(v *visit) bool {
	select {
	case <-v.done:
		return true
	default:
		return false
	}
}
