package bridge_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// A call that the server has refused for want of a login, and that is kept back
// after the sign-in because that took too long, has not been sent.
func TestJournal_keptBackAfterATry_notSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		d := atDoor(t, page, bridge.Config{Journal: l})
		visits := 0
		d.login.opening(func(context.Context, bridge.How) (bridge.Invitation, error) {
			visits++
			v := newVisit()
			time.AfterFunc(15*time.Second, func() { v.end(nil) })
			return v.invitation(page), nil
		})
		d.up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if visits == 1 {
				return wantsMore()
			}
			return echo(ctx, m, h)
		}
		d.send(slow)
		d.expectText("You are signed in", nothing)
		d.eof()
		l.is(t, "e1 begin slow  "+fakeRequestID, "e1 not_sent")
	})
}

// An answer that comes on the stream beside it is the answer.
func TestJournal_answerOnTheOtherStream_isItsOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := &ledger{}, newShop(wholeList)
		s.calling(func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			<-ctx.Done()
			return lose(ctx, m, h)
		})
		h := atTill(t, s, l, bridge.Config{})
		h.send(call1("create_link"))
		synctest.Wait()
		const answer = `{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`
		s.mu.Lock()
		deliver := s.changed
		s.mu.Unlock()
		deliver(scan(answer))
		h.expect(answer)
		h.eof()
		l.is(t, "e1 begin create_link  "+fakeRequestID, "e1 done")
	})
}

// A disk that takes longer than a host may wait sends nothing afterwards, when the
// call has waited for a sign-in before.
func TestJournal_slowDiskAfterTheSignIn_notSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{pause: 9 * time.Second}
		d := atDoor(t, page, bridge.Config{Journal: l})
		d.send(slow)
		time.Sleep(15 * time.Second)
		d.signIn()
		d.expectText("You are signed in", nothing)
		d.eof()
		l.is(t, "e1 begin slow  "+fakeRequestID, "e1 not_sent")
		if n := d.calls(); n != 0 {
			t.Errorf("sent %d times", n)
		}
	})
}
