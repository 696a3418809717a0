package bridge_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// A call that may have run is never sent again after a sign-in, whatever the error
// that its answer got lost by has to say about the login.
func TestCall_lostForWantOfALogin_notSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(wholeList)
		s.calling(func(_ context.Context, _ jsonmsg.Message, h remote.Hooks) error {
			h.Sent()
			return &remote.Error{Kind: remote.KindUnknownOutcome, MayHaveRun: true, Err: fmt.Errorf("%w: gone meanwhile", remote.ErrSignIn)}
		})
		v := newVisit()
		v.end(nil)
		login := opens(v, page)
		login.stand(bridge.StandingSignedIn)
		h := start(t, bridge.Config{Remote: s, Login: login})
		h.send(initialize, inited)
		h.next()
		h.send(call1("create_link"))
		if f := h.nextFault(); f.Error.Data.Kind != "unknown_outcome" {
			t.Errorf("%+v", f)
		}
		h.eof()
		if calls := s.calls(); len(calls) != 1 {
			t.Errorf("the server got %q", calls)
		}
	})
}
