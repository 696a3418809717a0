package bridge_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// testLog is a log that a test reads.
type testLog struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newLog() (*testLog, *slog.Logger) {
	sink := &testLog{more: make(chan struct{}, 1000)}
	return sink, slog.New(slog.NewTextHandler(sink, nil))
}

// Write implements io.Writer.
func (sink *testLog) Write(line []byte) (int, error) {
	sink.mu.Lock()
	defer sink.mu.Unlock()
	sink.more <- struct{}{}
	return sink.text.Write(line)
}

// line waits for the line of the request with this id.
func (sink *testLog) line(t *testing.T, id string) string {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		sink.mu.Lock()
		found := regexp.MustCompile(`(?m)^.* msg=request method=\S+ id=` + id + ` .*$`).FindString(sink.text.String())
		sink.mu.Unlock()
		if found != "" {
			return found
		}
		select {
		case <-sink.more:
		case <-limit:
			t.Fatalf("no line for %s in:\n%s", id, sink.text.String())
		}
	}
}

// Each request has its line, with what support needs and nothing of what was
// asked or answered; and it comes after the answer.
//
//oauth:row X18 bridge/logline.go "printable.Word(f.sending().Name)" => "f.sending().Name"
func TestLogLine_eachRequest_oneLine(t *testing.T) {
	t.Parallel()
	const customer = "asha@shop.example"
	up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		switch {
		case h.Head == nil:
		case m.Method == "prompts/get":
			h.Head(503, "r-1")
			h.Head(200, "r-2")
			h.Deliver(scan(fmt.Sprintf(`{"id":%s,"error":{"code":-32099,"message":"of %s"}}`, m.ID, customer)))
			return nil
		case m.Name == "slow":
			<-ctx.Done()
			return &remote.Error{Kind: remote.KindCancelled}
		case m.Method == "resources/read":
			return &remote.Error{Kind: remote.KindRateLimited, Status: 429, RequestID: "r-3", RetryAfter: time.Second}
		default:
			h.Head(200, "r-0")
		}
		return echo(ctx, m, h)
	}}
	sink, log := newLog()
	h := start(t, bridge.Config{Remote: up, Log: log})
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_link","arguments":{"email":"` + customer + `"}}}`
	h.send(call)
	h.expect(`{"id":1,"result":{}}`)
	h.send(`{"jsonrpc":"2.0","id":"b","method":"prompts/get","params":{"name":"` + customer + `"}}`)
	h.next()
	h.send(`{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"x:` + customer + `"}}`)
	fault := h.next()
	h.send(`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"the one for ` + customer + `"}}`)
	h.next()
	h.send(`{"jsonrpc":"2.0","id":"` + customer + `","method":"of ` + customer + `"}`)
	h.next()
	h.send(`{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"slow"}}`)
	h.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":6}}`)
	for id, want := range map[string]string{
		"1": fmt.Sprintf(`method=tools/call id=1 tool=create_link outcome=ok in=%d out=20 ms=[0-9.]+ status=200 request_id=r-0$`, len(call)),
		"b": `method=prompts/get id=b outcome=error .* code=-32099 status=200 request_id=r-2 tries=2$`,
		"3": fmt.Sprintf(`outcome=rate_limited in=\d+ out=%d ms=\S+ status=429 request_id=r-3 error="PayU: .*"$`, len(fault)),
		"4": `tool="\(not shown\)" outcome=ok`,
		"6": `tool=slow outcome=cancelled .* out=0 ms=[0-9.]+$`,
	} {
		if line := sink.line(t, id); !regexp.MustCompile(want).MatchString(line) || !strings.Contains(line, "level=INFO") {
			t.Errorf("the line of %s is\n%s\nwant %s", id, line, want)
		}
	}
	h.eof()
	if text := sink.text.String(); strings.Contains(text, "asha") || strings.Count(text, "msg=request") != 6 || !strings.Contains(text, `method="(not shown)" id="(not shown)"`) {
		t.Errorf("the log is\n%s", text)
	}
}

// What the bridge answers itself says so, and an error of ours its kind.
func TestLogLine_answeredHere_saysSo(t *testing.T) {
	t.Parallel()
	sink, log := newLog()
	up := &fake{on: func(context.Context, jsonmsg.Message, remote.Hooks) error {
		return &remote.Error{Kind: remote.KindSignIn, Status: 401, RequestID: "r-1", Err: remote.ErrSignIn}
	}}
	h := start(t, bridge.Config{Remote: up, Log: log})
	h.send(initialize)
	h.next()
	h.send(`{"jsonrpc":"2.0","id":2,"method":"prompts/get"}`)
	h.next()
	for id, want := range map[string]string{
		"0": `method=initialize id=0 outcome=local in=\d+ out=\d+ ms=\S+$`,
		"2": `outcome=sign_in in=\d+ out=\d+`,
	} {
		if line := sink.line(t, id); !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("the line of %s is\n%s\nwant %s", id, line, want)
		}
	}
}

// A log that hangs holds no answer up: what slog waits for is the writer's, and
// here it is one that waits for the test.
func TestLogLine_logHangs_answersComeAllTheSame(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	defer close(hang)
	h := start(t, bridge.Config{Remote: &fake{}, Log: slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { <-hang; return len(b), nil }), nil))})
	for i := range 5 {
		h.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"x"}}`, i))
		h.expect(fmt.Sprintf(`{"id":%d,"result":{}}`, i))
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
