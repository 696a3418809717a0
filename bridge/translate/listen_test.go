package translate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	toolsOnly = `"params":{"_meta":{` + meta + `},"notifications":{"toolsListChanged":true}}}`
	ack       = `{"method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true}}}`
	changed   = `{"method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"x"}}}`
)

// listening is a server whose streams a test scripts: on is called in the
// goroutine of each, with its number from 1.
func listening(on func(ctx context.Context, n int, m jsonmsg.Message, h remote.Hooks) error) *fake {
	n := make(chan int, 1)
	n <- 0
	return &fake{on: modern(func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method != "subscriptions/listen" {
			return answer(m, h, `{"id":%s,"result":{}}`)
		}
		i := <-n + 1
		n <- i
		return on(ctx, i, m, h)
	})}
}

// held acknowledges and stays open.
func held(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
	_ = answer(m, h, ack)
	<-ctx.Done()
	return &remote.Error{Kind: remote.KindCancelled}
}

// listen runs Listen until the test ends; the channel closes when it has
// returned.
func (h *host) listen() <-chan struct{} {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.tr.Listen(ctx, func(m jsonmsg.Message) { h.lines <- string(m.Raw) })
	}()
	h.t.Cleanup(func() {
		cancel()
		<-done
	})
	return done
}

// streams are the subscriptions/listen that were sent.
func streams(up *fake) []string {
	var all []string
	for _, s := range up.sent() {
		if scan(s).Method == "subscriptions/listen" {
			all = append(all, s)
		}
	}
	return all
}

func TestListen_declaredCapabilities_streamIsOpenedAndPassedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := listening(func(ctx context.Context, _ int, m jsonmsg.Message, h remote.Hooks) error {
			_ = answer(m, h, ack)
			_ = answer(m, h, changed)
			_ = answer(m, h, `{"id":1,"method":"sampling/createMessage"}`)
			<-ctx.Done()
			return nil
		})
		h := open(t, up)
		h.listen()
		synctest.Wait()
		all := streams(up)
		if len(all) != 1 || !strings.HasSuffix(all[0], toolsOnly) || !scan(all[0]).Modern() {
			t.Errorf("opened %v", all)
		}
		if len(h.lines) != 1 || <-h.lines != changed {
			t.Error("the notification, and nothing else, should have come")
		}
	})
}

func TestListen_streamEnds_openedAgainSlowerAndSlower(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		up := listening(func(ctx context.Context, n int, m jsonmsg.Message, h remote.Hooks) error {
			at = append(at, time.Since(begin))
			if n < 20 {
				return &remote.Error{Kind: remote.KindUnreachable}
			}
			return held(ctx, m, h)
		})
		h := open(t, up)
		h.listen()
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(at) != 20 {
			t.Fatalf("opened %d times", len(at))
		}
		if first := at[1] - at[0]; first < time.Second || first > 11*time.Second {
			t.Errorf("first pause %v", first)
		}
		if last := at[19] - at[18]; last < 30*time.Second || last > time.Minute {
			t.Errorf("last pause %v", last)
		}
	})
}

func TestListen_streamThatWorkedEnds_openedAgainSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := listening(func(_ context.Context, _ int, m jsonmsg.Message, h remote.Hooks) error {
			_ = answer(m, h, ack)
			time.Sleep(time.Minute)
			return answer(m, h, `{"id":%s,"result":{"resultType":"complete"}}`)
		})
		h := open(t, up)
		h.listen()
		time.Sleep(640 * time.Second) // streams of a minute, with pauses of 1 to 11 s
		if n := len(streams(up)); n < 10 || n > 11 {
			t.Errorf("opened %d times", n)
		}
	})
}

func TestListen_serverHasNone_noSecondTry(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]func(m jsonmsg.Message, h remote.Hooks) error{
		"unknown method": func(m jsonmsg.Message, h remote.Hooks) error {
			return answer(m, h, `{"id":%s,"error":{"code":-32601,"message":"m"}}`)
		},
		"refused": func(jsonmsg.Message, remote.Hooks) error { return &remote.Error{Kind: remote.KindRefused} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				up := listening(func(_ context.Context, _ int, m jsonmsg.Message, h remote.Hooks) error { return on(m, h) })
				h := open(t, up)
				<-h.listen()
				since := time.Now()
				h.ask(`{"id":1,"method":"resources/subscribe","params":{"uri":"a:b"}}`)
				if time.Since(since) > 0 || len(streams(up)) != 1 {
					t.Error("subscribing waited for a stream that never comes", streams(up))
				}
			})
		})
	}
}

func TestListen_serverGrantsNothing_waitsForAnotherFilter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := listening(func(ctx context.Context, n int, m jsonmsg.Message, h remote.Hooks) error {
			if n > 1 {
				return held(ctx, m, h)
			}
			_ = answer(m, h, `{"method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":false,"resourceSubscriptions":[]}}}`)
			return answer(m, h, `{"id":%s,"result":{}}`)
		})
		h := open(t, up)
		h.listen()
		time.Sleep(time.Hour)
		if n := len(streams(up)); n != 1 {
			t.Errorf("opened %d times", n)
		}
		h.ask(`{"id":1,"method":"resources/subscribe","params":{"uri":"a:b"}}`)
		if n := len(streams(up)); n != 2 {
			t.Errorf("opened %d times", n)
		}
	})
}

func TestListen_tokenMissing_opensAfterTheNextAnswerOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := listening(func(ctx context.Context, n int, m jsonmsg.Message, h remote.Hooks) error {
			if n == 1 {
				return &remote.Error{Kind: remote.KindSignIn, Err: remote.ErrSignIn}
			}
			return held(ctx, m, h)
		})
		h := open(t, up)
		h.listen()
		time.Sleep(time.Hour)
		if n := len(streams(up)); n != 1 {
			t.Errorf("opened %d times without a token", n)
		}
		h.ask(`{"id":1,"method":"tools/list"}`)
		synctest.Wait()
		if n := len(streams(up)); n != 2 {
			t.Errorf("opened %d times", n)
		}
	})
}

func TestSubscribe_newStreamIsOpenBeforeTheAnswerAndTheEndOfTheOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		open2, over := make(chan struct{}), make(chan int, 9)
		up := listening(func(ctx context.Context, n int, m jsonmsg.Message, h remote.Hooks) error {
			if n == 2 {
				<-open2
			}
			defer func() { over <- n }()
			return held(ctx, m, h)
		})
		h := open(t, up)
		h.listen()
		synctest.Wait()
		done := h.goes(t.Context(), `{"id":1,"method":"resources/subscribe","params":{"uri":"b:\u00e9"}}`)
		synctest.Wait()
		if len(over) > 0 || len(h.lines) > 0 {
			t.Error("the old stream has ended, or the host has its answer, before the new one is open")
		}
		close(open2)
		if err := <-done; err != nil || <-h.lines != `{"jsonrpc":"2.0","id":1,"result":{}}` || <-over != 1 {
			t.Error(err)
		}
		h.ask(`{"id":2,"method":"resources/subscribe","params":{"uri":"a:b"}}`)
		h.ask(`{"id":3,"method":"resources/subscribe","params":{"uri":"a:b"}}`) // known already
		h.ask(`{"id":4,"method":"resources/unsubscribe","params":{"uri":"b:é"}}`)
		var filters []string
		for _, s := range streams(up) {
			filters = append(filters, string(jsonmsg.Lookup([]byte(s), "params", "notifications", "resourceSubscriptions")))
		}
		if got := fmt.Sprint(filters); got != `[ ["b:é"] ["a:b","b:é"] ["a:b"]]` {
			t.Error(got)
		}
	})
}

func TestSubscribe_noAcknowledgement_answeredAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := listening(func(ctx context.Context, _ int, _ jsonmsg.Message, _ remote.Hooks) error {
			<-ctx.Done()
			return nil
		})
		h := open(t, up)
		h.listen()
		since := time.Now()
		h.ask(`{"id":1,"method":"resources/subscribe","params":{"uri":"a:b"}}`)
		if took := time.Since(since); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestSubscribe_notPossible_refusedHere(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	h := open(t, up)
	if f := faultOf(t, h.ask(`{"id":1,"method":"resources/subscribe","params":{"uri":7}}`)); f.Error.Code != -32602 {
		t.Errorf("%+v", f)
	}
	up.on = func(_ context.Context, m jsonmsg.Message, hk remote.Hooks) error {
		return answer(m, hk, strings.Replace(discovered, `"subscribe":true`, `"subscribe":false`, 1))
	}
	h.ask(initialize)
	if f := faultOf(t, h.ask(`{"id":1,"method":"resources/subscribe","params":{"uri":"a:b"}}`)); f.Error.Code != -32601 {
		t.Errorf("%+v", f)
	}
}
