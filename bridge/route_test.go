package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

func TestRun_messages_passUntouchedBothWays(t *testing.T) {
	t.Parallel()
	back := `{"x":1.0,"id":9007199254740993,"result":{"s":"\u00e9"}}`
	up := &fake{on: func(_ context.Context, _ jsonmsg.Message, h remote.Hooks) error {
		h.Deliver(scan(`{"method":"notifications/progress","params":{"progressToken":1.0}}`))
		h.Deliver(scan(`{"id":"srv-1","method":"elicitation/create","params":{}}`))
		h.Deliver(scan(back))
		return nil
	}}
	h := start(t, bridge.Config{Remote: up})
	line := `{"z":1.0,"id":9007199254740993, "method":"tools/call","params":{"name":"a","n":1e2,"s":"\u00e9"},"jsonrpc":"2.0"}`
	h.send("  "+line+" \r", "", "\r")
	h.expect(`{"method":"notifications/progress","params":{"progressToken":1.0}}`, `{"id":"srv-1","method":"elicitation/create","params":{}}`, back)
	h.eof()
	if diff := cmp.Diff([]string{line}, up.sent()); diff != "" {
		t.Error(diff)
	}
}

func TestRun_badLines_answeredAndSurvived(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: &fake{}})
	for _, c := range []struct {
		line string
		code int
		id   string
	}{
		{`{"id":1,"method":`, -32700, "null"},
		{"\ufeff{\"id\":1,\"method\":\"x\"}", -32700, "null"},
		{"{\"id\":1,\"method\":\"\xff\"}", -32700, "null"},
		{"\x00", -32700, "null"},
		{`[{"id":1,"method":"x"},{"method":"y"}]`, -32700, "null"},
		{`{"id":1,"id":2,"method":"x"}`, -32600, "null"},
		{`{"id":1,"method":"x","method":"y"}`, -32600, "1"},
		{`{"id":null,"method":"x"}`, -32600, "null"},
		{`{"id":"a"}`, -32600, "null"},
		{`{"id":"d","method":"x","params":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`, -32600, `"d"`},
	} {
		h.send(c.line)
		if f := h.nextFault(); f.Error.Code != c.code || f.id() != c.id {
			t.Errorf("%.50s: %+v", c.line, f)
		}
	}
	h.send(`{"id":"ok","method":"ping"}`)
	h.expect(`{"id":"ok","result":{}}`)
}

func TestRun_overlongLine_skippedAndAnsweredIfItIsARequest(t *testing.T) {
	t.Parallel()
	up := &fake{}
	h := start(t, bridge.Config{Remote: up})
	long := strings.Repeat("x", 65<<20)
	h.send(`{"method":"tools/call","params":{"id":5,"a":"`+long+`"},"jsonrpc":"2.0","id":"last"}`,
		`{"id":7,"result":"`+long+`"}`, `{"id":8,"method":"ping"}`)
	if f := h.nextFault(); string(f.ID) != `"last"` || f.Error.Code != -32600 {
		t.Errorf("%+v", f)
	}
	h.expect(`{"id":8,"result":{}}`)
	if n := len(up.sent()); n != 1 {
		t.Errorf("%d messages were sent", n)
	}
}

func TestRun_lastLineWithoutNewline_counts(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: &fake{}})
	if _, err := h.in.Write([]byte(`{"id":1,"method":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	_, rest := h.eof()
	if diff := cmp.Diff([]string{`{"id":1,"result":{}}`}, rest); diff != "" {
		t.Error(diff)
	}
}

func TestRun_slowRequest_holdsUpNoOther(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	h := start(t, bridge.Config{Remote: &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "slow" {
			<-release
		}
		return echo(ctx, m, h)
	}}})
	h.send(`{"id":1,"method":"slow"}`, `{"id":2,"method":"fast"}`)
	h.expect(`{"id":2,"result":{}}`)
	close(release)
	h.expect(`{"id":1,"result":{}}`)
}

func TestRun_barriers_holdWhatFollows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		step := make(chan struct{})
		up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if strings.Contains(m.Method, "initialize") {
				<-step
			}
			return echo(ctx, m, h)
		}}
		h := start(t, bridge.Config{Remote: up})
		ping, note := `{"id":1,"method":"x"}`, `{"method":"notifications/n"}`
		h.send(initialize, inited, note, ping)
		for _, want := range [][]string{{initialize}, {initialize, inited}} {
			synctest.Wait()
			if diff := cmp.Diff(want, up.sent()); diff != "" {
				t.Fatal(diff)
			}
			step <- struct{}{}
		}
		synctest.Wait()
		if got := up.sent(); len(got) != 4 || !slices.Contains(got, ping) || !slices.Contains(got, note) {
			t.Error(got)
		}
		h.expect(`{"id":0,"result":{}}`, `{"id":1,"result":{}}`)
		h.eof()
	})
}

// A host must never see initialize fail (HOSTS P1).
func TestRun_failedInitialize_answeredHereAndOpensTheBarrier(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "initialize" {
			return &remote.Error{Kind: remote.KindServerError, Status: 500}
		}
		return echo(ctx, m, h)
	}}})
	h.send(initialize, `{"id":1,"method":"x"}`)
	if l := h.next(); !strings.Contains(l, `"id":0,"result":{`) || !strings.Contains(l, `"name":"payu-mcp"`) {
		t.Error(l)
	}
	if f := h.nextFault(); string(f.ID) != "1" || f.Error.Data.Status != 500 {
		t.Errorf("%+v", f)
	}
}

func TestRun_notifications_keepTheirOrder(t *testing.T) {
	t.Parallel()
	up := &fake{}
	h := start(t, bridge.Config{Remote: up})
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprintf(`{"method":"notifications/n","params":{"i":%d}}`, i))
	}
	h.send(want...)
	h.eof()
	if diff := cmp.Diff(want, up.sent()); diff != "" {
		t.Error(diff)
	}
}

func TestRun_secondUseOfAnID_refusedFirstLives(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		<-release
		return echo(ctx, m, h)
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(`{"id":"a","method":"x"}`, `{"id":"\u0061","method":"y"}`)
	if f := h.nextFault(); f.Error.Code != -32600 {
		t.Errorf("%+v", f)
	}
	close(release)
	h.expect(`{"id":"a","result":{}}`)
	h.send(`{"id":"a","method":"again"}`)
	h.expect(`{"id":"a","result":{}}`)
}

func TestRun_moreThan1024InFlight_busy(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	h := start(t, bridge.Config{Remote: &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		<-release
		return echo(ctx, m, h)
	}}})
	for i := range 1025 {
		h.send(fmt.Sprintf(`{"id":%d,"method":"x"}`, i))
	}
	if f := h.nextFault(); string(f.ID) != "1024" || f.Error.Data.Kind != "busy" || f.Error.Code != -32603 {
		t.Errorf("%+v", f)
	}
	close(release)
	for range 1024 {
		h.next()
	}
}

func TestRun_failures_saidWithAllThatHelps(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	up := &fake{on: func(context.Context, jsonmsg.Message, remote.Hooks) error {
		return &remote.Error{Kind: remote.KindUnknownOutcome, Status: 502, RequestID: "rid", RetryAfter: 1500 * time.Millisecond, At: at, Err: errAny}
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(`{"id":1,"method":"tools/call"}`)
	f := h.nextFault()
	d := f.Error.Data
	if f.Error.Code != -32603 || d.Kind != "unknown_outcome" || d.Status != 502 || d.RequestID != "rid" || d.RetryAfter != 2 ||
		d.Hint != "check in PayU before trying again" {
		t.Errorf("%+v", f)
	}
	for _, part := range []string{"PayU: ", "outcome unknown", "2026-01-02T03:04:05Z", "rid"} {
		if !strings.Contains(f.Error.Message, part) {
			t.Errorf("%q lacks %q", f.Error.Message, part)
		}
	}
}

func TestRun_upstreamOddities_stillOneAnswer(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		switch m.Method {
		case "twice":
			_ = echo(ctx, m, h)
			_ = echo(ctx, m, h)
			return errAny
		case "never":
			return nil
		}
		return echo(ctx, m, h)
	}}})
	h.send(`{"id":1,"method":"twice"}`)
	h.expect(`{"id":1,"result":{}}`)
	h.send(`{"id":2,"method":"never"}`)
	if f := h.nextFault(); string(f.ID) != "2" {
		t.Errorf("%+v", f)
	}
	h.send(`{"id":3,"method":"ping"}`)
	h.expect(`{"id":3,"result":{}}`)
	if _, rest := h.eof(); len(rest) != 0 {
		t.Error(rest)
	}
}

func TestRun_stream_openedAfterInitializedAndRelayed(t *testing.T) {
	t.Parallel()
	up := &fake{listen: func(ctx context.Context, deliver func(jsonmsg.Message)) {
		deliver(scan(`{"id":1,"method":"roots/list"}`))
		deliver(scan(`{"id":77,"result":{}}`))          // nobody asked
		deliver(scan(`{"id":null,"error":{"code":1}}`)) // nobody can have
		deliver(scan(`{"method":"notifications/x"}`))
		<-ctx.Done()
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(`{"id":0,"method":"initialize","params":{"capabilities":{"roots":{}}}}`)
	h.expect(`{"id":0,"result":{}}`)
	h.send(inited)
	h.expect(`{"id":1,"method":"roots/list"}`, `{"method":"notifications/x"}`)
	h.send(`{"id":1,"result":{"roots":[]}}`)
	if took, rest := h.eof(); len(rest) != 0 || took > time.Second {
		t.Error(took, rest)
	}
	if got := up.sent(); got[len(got)-1] != `{"id":1,"result":{"roots":[]}}` {
		t.Error(got)
	}
}

func TestRun_answerOnTheStream_isTheAnswer(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	up := &fake{
		on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
			if m.Method != "odd" {
				return echo(ctx, m, h)
			}
			close(asked)
			<-ctx.Done()
			return &remote.Error{Kind: remote.KindCancelled}
		},
		listen: func(_ context.Context, deliver func(jsonmsg.Message)) {
			<-asked
			deliver(scan(`{"id":5,"result":{}}`))
		},
	}
	h := start(t, bridge.Config{Remote: up})
	h.send(inited, `{"id":5,"method":"odd"}`)
	h.expect(`{"id":5,"result":{}}`)
	if _, rest := h.eof(); len(rest) != 0 {
		t.Error(rest)
	}
}

func FuzzInput(f *testing.F) {
	for _, s := range []string{
		"{\"id\":1,\"method\":\"x\"}\n", "\r\n\n {\"method\":\"n\"} \r\n{\"id\":2,\"result\":1}\n", "[]\n{\"id\":3,\"method\":\"y\"}",
		"{\"id\":1,\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}\n{\"method\":\"notifications/cancelled\"}\n", "\x00\xff\n", initialize + "\n" + inited + "\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, input string) {
		up := &fake{}
		h := start(t, bridge.Config{Remote: up})
		h.send(input)
		_, rest := h.eof()
		asked, refused := 0, 0
		for line := range strings.SplitSeq(input, "\n") {
			if line = strings.Trim(line, " \t\r"); line == "" {
				continue
			}
			if m, err := jsonmsg.Scan([]byte(line)); err != nil {
				refused++
			} else if m.Kind == jsonmsg.Request {
				asked++
			}
		}
		if len(rest) != asked+refused && !strings.Contains(input, "cancelled") {
			t.Fatalf("%q: %d requests, %d bad lines, answers %q", input, asked, refused, rest)
		}
		if len(up.sent()) < asked && asked == 1 {
			t.Fatalf("%q: %q was sent", input, up.sent())
		}
	})
}
