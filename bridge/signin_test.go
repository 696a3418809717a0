package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// signedOut refuses everything until in is set.
func signedOut(in *atomic.Bool) *fake {
	return &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if in.Load() {
			return echo(ctx, m, h)
		}
		if h.Sent != nil {
			h.Sent()
		}
		return &remote.Error{Kind: remote.KindSignIn, Status: 401, Err: fmt.Errorf("%w: bare", remote.ErrSignIn)}
	}}
}

func TestSignIn_initializeWaits_theRestIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var in atomic.Bool
		done := make(chan struct{})
		up := signedOut(&in)
		h := start(t, bridge.Config{Remote: up, SignIn: func(context.Context) error {
			<-done
			in.Store(true)
			return nil
		}})
		h.send(initialize, `{"id":1,"method":"ping"}`)
		time.Sleep(3 * time.Minute) // fake time: initialize may wait that long in this build
		if got := up.sent(); len(got) != 1 {
			t.Error(got)
		}
		close(done)
		h.expect(`{"id":0,"result":{}}`, `{"id":1,"result":{}}`)
		h.eof()
	})
}

func TestSignIn_toolCall_sentAgainOnlyWithin20Seconds(t *testing.T) {
	t.Parallel()
	for wait, sent := range map[time.Duration]int{19 * time.Second: 2, 21 * time.Second: 1} {
		synctest.Test(t, func(t *testing.T) {
			var in atomic.Bool
			up := signedOut(&in)
			h := start(t, bridge.Config{Remote: up, SignIn: func(context.Context) error {
				time.Sleep(wait)
				in.Store(true)
				return nil
			}})
			h.send(slow)
			if sent == 2 {
				h.expect(`{"id":1,"result":{}}`)
			} else if f := h.nextFault(); f.Error.Data.Kind != "not_sent" || f.Error.Data.Hint != "repeat the request" {
				t.Errorf("%+v", f)
			}
			h.eof()
			if n := len(up.sent()); n != sent {
				t.Errorf("after %s it was sent %d times", wait, n)
			}
		})
	}
}

func TestSignIn_fails_saidWithItsHintAndTriedAgain(t *testing.T) {
	t.Parallel()
	var in atomic.Bool
	tries := 0
	h := start(t, bridge.Config{Remote: signedOut(&in), SignIn: func(context.Context) error {
		if tries++; tries == 2 {
			in.Store(true)
			return nil
		}
		return hint.With(errors.New("no browser"), "open the link")
	}})
	h.send(slow)
	if f := h.nextFault(); f.Error.Data.Kind != "sign_in" || f.Error.Data.Hint != "open the link" || f.Error.Code != -32603 {
		t.Errorf("%+v", f)
	}
	h.send(slow)
	h.expect(`{"id":1,"result":{}}`)
}

func TestSignIn_refusedAgainAfterwards_saidOnce(t *testing.T) {
	t.Parallel()
	var in atomic.Bool
	up := signedOut(&in)
	h := start(t, bridge.Config{Remote: up, SignIn: func(context.Context) error { return nil }})
	h.send(slow)
	if f := h.nextFault(); f.Error.Data.Kind != "sign_in" || f.Error.Data.Status != 401 {
		t.Errorf("%+v", f)
	}
	if n := len(up.sent()); n != 2 {
		t.Errorf("sent %d times", n)
	}
}

func TestSignIn_notificationsAndNilSignIn_startNone(t *testing.T) {
	t.Parallel()
	var in atomic.Bool
	up := signedOut(&in)
	h := start(t, bridge.Config{Remote: up, SignIn: func(context.Context) error {
		t.Error("a sign-in was started")
		return nil
	}})
	h.send(inited, `{"method":"notifications/n"}`, `{"id":1,"result":{}}`)
	h.eof()
	h = start(t, bridge.Config{Remote: up})
	h.send(slow)
	if f := h.nextFault(); f.Error.Data.Kind != "sign_in" {
		t.Errorf("%+v", f)
	}
}

func TestSignIn_cancelledByTheHost_endsItAndSendsNothing(t *testing.T) {
	t.Parallel()
	var in atomic.Bool
	up := signedOut(&in)
	open, ended := make(chan struct{}), make(chan struct{})
	h := start(t, bridge.Config{Remote: up, SignIn: func(ctx context.Context) error {
		close(open)
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}})
	h.send(slow)
	<-open
	h.send(cancel)
	<-ended
	if _, rest := h.eof(); len(rest) != 0 || len(up.sent()) != 1 {
		t.Error(rest, up.sent())
	}
}

func TestSignIn_openAtEOF_endsAtOnceWithAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var in atomic.Bool
		h := start(t, bridge.Config{Remote: signedOut(&in), SignIn: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		h.send(initialize, slow)
		synctest.Wait()
		took, rest := h.eof()
		if took != 0 || len(rest) != 2 {
			t.Errorf("after %s: %q", took, rest)
		}
	})
}
