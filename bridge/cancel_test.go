package bridge_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	slow   = `{"id":1,"method":"tools/call","params":{"name":"slow"}}`
	cancel = `{"method":"notifications/cancelled","params":{"requestId":1}}`
)

func TestCancel_beforeTheRequestIsWritten_postedAfterwards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		write := make(chan struct{})
		var ended time.Time
		up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method != "tools/call" {
				return echo(ctx, m, h)
			}
			<-write
			h.Sent()
			<-ctx.Done()
			ended = time.Now()
			return &remote.Error{Kind: remote.KindUnknownOutcome}
		}}
		h := start(t, bridge.Config{Remote: up})
		h.send(slow)
		synctest.Wait() // it is on its way
		h.send(cancel, `{"id":2,"method":"ping"}`)
		h.expect(`{"id":2,"result":{}}`)
		synctest.Wait()
		if slices.Contains(up.sent(), cancel) {
			t.Error("the cancellation overtook its request")
		}
		close(write)
		synctest.Wait()
		if !slices.Contains(up.sent(), cancel) {
			t.Error("no cancellation was sent")
		}
		begun := time.Now()
		time.Sleep(6 * time.Second) // fake time
		synctest.Wait()
		if grace := ended.Sub(begun); grace != 5*time.Second {
			t.Errorf("the request was ended after %s", grace)
		}
		if _, rest := h.eof(); len(rest) != 0 {
			t.Errorf("answers to a cancelled request: %q", rest)
		}
	})
}

func TestCancel_lateAnswer_swallowed(t *testing.T) {
	t.Parallel()
	begun, cancelled := make(chan struct{}), make(chan struct{})
	up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "notifications/cancelled" {
			close(cancelled)
			return nil
		}
		if m.Method == "tools/call" {
			h.Sent()
			close(begun)
			<-cancelled
		}
		return echo(ctx, m, h)
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(slow)
	<-begun
	h.send(cancel)
	<-cancelled
	h.send(`{"id":2,"method":"ping"}`)
	h.expect(`{"id":2,"result":{}}`)
	if took, rest := h.eof(); len(rest) != 0 || took > time.Second {
		t.Error(rest, took)
	}
}

func TestCancel_heldRequest_isNeverSent(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "initialize" {
			<-release
		}
		return echo(ctx, m, h)
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(initialize, slow, cancel, `{"id":2,"method":"x"}`)
	close(release)
	h.expect(`{"id":0,"result":{}}`, `{"id":2,"result":{}}`)
	h.eof()
	if diff := cmp.Diff([]string{initialize, `{"id":2,"method":"x"}`}, up.sent()); diff != "" {
		t.Error(diff)
	}
}

func TestCancel_nothingInFlight_notSent(t *testing.T) {
	t.Parallel()
	up := &fake{}
	h := start(t, bridge.Config{Remote: up})
	h.send(cancel, `{"method":"notifications/cancelled"}`)
	h.eof()
	if got := up.sent(); len(got) != 0 {
		t.Error(got)
	}
}

// A call that met a 401 and was cancelled meanwhile must not go out again.
func TestCancel_betweenTwoTries_secondIsNotSent(t *testing.T) {
	t.Parallel()
	first, second := make(chan struct{}), make(chan bool, 1)
	cancelled := make(chan struct{})
	up := &fake{on: func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "notifications/cancelled" {
			close(cancelled)
			return nil
		}
		h.Sent()
		close(first)
		<-cancelled
		second <- h.Start("")
		return &remote.Error{Kind: remote.KindCancelled}
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(slow)
	<-first
	h.send(cancel)
	if <-second {
		t.Error("it may be sent again")
	}
	if _, rest := h.eof(); len(rest) != 0 {
		t.Error(rest)
	}
}
