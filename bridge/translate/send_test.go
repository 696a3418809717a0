package translate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// last is what the upstream got last.
func last(up *fake) string {
	sent := up.sent()
	return sent[len(sent)-1]
}

func TestRequest_anyMethod_onlyMetaIsAdded(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	h := open(t, up)
	for in, want := range map[string]string{
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/list"}`:                                          `{"params":{"_meta":{` + meta + `}},"jsonrpc":"2.0","id":9007199254740993,"method":"tools/list"}`,
		`{"id":"a\u0062", "method":"tools/call","params":{"name":"x","arguments":{"n":1.50, "_meta":{}}},"z":1}`: `{"id":"a\u0062", "method":"tools/call","params":{"_meta":{` + meta + `},"name":"x","arguments":{"n":1.50, "_meta":{}}},"z":1}`,
		`{"id":3,"method":"prompts/get","params":{"_meta":{"progressToken":1e2}}}`:                               `{"id":3,"method":"prompts/get","params":{"_meta":{` + meta + `,"progressToken":1e2}}}`,
		`{"id":4,"method":"resources/read","params":{"uri":"a:b","_meta":{"io.modelcontextprotocol/clientInfo":{"name":"other"}}}}`: `{"id":4,"method":"resources/read","params":{"uri":"a:b","_meta":{` +
			strings.Replace(meta, `"io.modelcontextprotocol/clientInfo":{"name":"host","version":"1.0","x":1e2},`, "", 1) +
			`,"io.modelcontextprotocol/clientInfo":{"name":"host","version":"1.0","x":1e2}}}}`,
		`{"id":5,"method":"tasks/list","params":null}`: `{"id":5,"method":"tasks/list","params":{"_meta":{` + meta + `}}}`,
	} {
		got := h.ask(in)
		if d := cmp.Diff(want, last(up)); d != "" {
			t.Errorf("%s\n%s", in, d)
		}
		if !scan(last(up)).Modern() || jsonmsg.Key(scan(got).ID) != jsonmsg.Key(scan(in).ID) || !strings.Contains(got, `"resultType":"complete"`) {
			t.Errorf("answer %s", got)
		}
	}
}

func TestRequest_paramsIsNoObject_refusedHere(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	h := open(t, up)
	for _, params := range []string{`[1]`, `{"_meta":"x"}`} {
		f := faultOf(t, h.ask(`{"id":1,"method":"tools/list","params":`+params+`}`))
		if f.Error.Code != -32602 || len(up.sent()) != 1 {
			t.Errorf("%+v, sent %v", f, up.sent())
		}
	}
}

func TestRequest_streamOfTheServer_passesInOrder(t *testing.T) {
	t.Parallel()
	progress := `{"method":"notifications/progress","params":{"progressToken":9007199254740993,"progress":1.0}}`
	h := open(t, &fake{on: modern(func(_ context.Context, m jsonmsg.Message, hk remote.Hooks) error {
		_ = answer(m, hk, progress)
		_ = answer(m, hk, `{"id":1,"method":"elicitation/create"}`) // not in this era
		return answer(m, hk, `{"id":%s,"result":{"resultType":"complete","ttlMs":5,"cacheScope":"private"}}`)
	})})
	if got := h.ask(`{"id":7,"method":"tools/call","params":{}}`); got != progress {
		t.Error(got)
	}
	if got := <-h.lines; got != `{"id":7,"result":{"resultType":"complete","ttlMs":5,"cacheScope":"private"}}` || len(h.lines) > 0 {
		t.Error(got)
	}
}

func TestRequest_modernErrors_plainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"code":-32020,"message":"x"}`: "headers",
		`{"code":-32021,"message":"x","data":{"requiredCapabilities":{"sampling":{},"<evil>":{},"elicitation":{}}}}`: "cannot do: sampling, elicitation",
		`{"code":-32022,"message":"x","data":{"supported":["2027-01-01"]}}`:                                          "2027-01-01",
		`{"code":-32602,"message":"x"}`: "",
		`{"code":-32002,"message":"x"}`: "",
	} {
		h := open(t, &fake{on: modern(func(_ context.Context, m jsonmsg.Message, hk remote.Hooks) error {
			return answer(m, hk, `{"id":%s,"error":`+in+`}`)
		})})
		got := h.ask(`{"id":1,"method":"prompts/get","params":{"name":"x"}}`)
		if want == "" {
			if got != `{"id":1,"error":`+in+`}` {
				t.Error(got)
			}
			continue
		}
		if f := faultOf(t, got); f.Error.Code != -32603 || !strings.Contains(f.Error.Message, want) || strings.Contains(got, "evil") || string(f.ID) != "1" {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// Of a call these errors come from Do, with what they say of the call: what is
// delivered counts as the server's.
func TestCall_modernErrors_fromDo(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]remote.Kind{200: remote.KindRefused, 400: remote.KindRefused, 500: remote.KindUnknownOutcome, 503: remote.KindUnknownOutcome} {
		h := open(t, &fake{on: modern(func(_ context.Context, m jsonmsg.Message, hk remote.Hooks) error {
			hk.Head(status, "r")
			return answer(m, hk, `{"id":%s,"error":{"code":-32021,"message":"x","data":{"requiredCapabilities":{"sampling":{},"<evil>":{}}}}}`)
		})})
		err := h.do(t.Context(), `{"id":1,"method":"tools/call","params":{"name":"x"}}`)
		e, ok := errors.AsType[*remote.Error](err)
		if !ok || e.Kind != want || e.MayHaveRun != (want == remote.KindUnknownOutcome) || e.Status != status || e.RequestID != "r" || e.Side() != remote.SidePayU {
			t.Errorf("HTTP %d: %v", status, err)
		}
		if err == nil || !strings.HasSuffix(err.Error(), "cannot do: sampling") || len(h.lines) > 0 {
			t.Errorf("HTTP %d: %v", status, err)
		}
	}
}

// A list that is refused for the version the server itself names goes out once
// more; a tool call does not.
func TestRequest_versionRefusedAtFirst_onlyACallIsNotRepeated(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{"tools/list": 2, "tools/call": 1} {
		n := 0
		up := &fake{on: modern(func(_ context.Context, m jsonmsg.Message, hk remote.Hooks) error {
			if n++; n == 1 {
				return answer(m, hk, `{"id":%s,"error":{"code":-32022,"message":"x","data":{"supported":["2026-07-28"]}}}`)
			}
			return answer(m, hk, `{"id":%s,"result":{}}`)
		})}
		h := open(t, up)
		err := h.do(t.Context(), `{"id":1,"method":"`+method+`","params":{"name":"x"}}`)
		if n != want || (err == nil) != (want == 2) || len(h.lines) != want-1 {
			t.Errorf("%s went out %d times: %v", method, n, err)
		}
	}
}

func TestRequest_resultTypeUnknown_invalid(t *testing.T) {
	t.Parallel()
	h := open(t, &fake{on: modern(func(_ context.Context, m jsonmsg.Message, hk remote.Hooks) error {
		return answer(m, hk, `{"id":%s,"result":{"resultType":"task"}}`)
	})})
	if f := faultOf(t, h.ask(`{"id":1,"method":"prompts/get","params":{}}`)); f.Error.Code != -32603 {
		t.Errorf("%+v", f)
	}
	err := h.do(t.Context(), `{"id":1,"method":"tools/call","params":{}}`)
	if e, ok := errors.AsType[*remote.Error](err); !ok || e.Kind != remote.KindUnknownOutcome || !e.MayHaveRun || e.RequestID != "r" || e.At.IsZero() {
		t.Error(err)
	}
	h.ask(strings.Replace(initialize, `"tasks":{}`, `"extensions":{"a/b":{}}`, 1))
	if got := h.ask(`{"id":1,"method":"tools/call","params":{}}`); !strings.Contains(got, `"resultType":"task"`) {
		t.Errorf("with an extension: %s", got)
	}
}

func TestRequest_faultOfTheUpstream_isTheHosts(t *testing.T) {
	t.Parallel()
	fault := &remote.Error{Kind: remote.KindUnknownOutcome}
	h := open(t, &fake{on: modern(func(context.Context, jsonmsg.Message, remote.Hooks) error { return fault })})
	if err := h.do(t.Context(), `{"id":1,"method":"tools/call"}`); !errors.Is(err, fault) || len(h.lines) > 0 {
		t.Error(err)
	}
}

func TestPing_answeredHere(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	h := open(t, up)
	if got := h.ask(`{"id":"p\u0031","method":"ping"}`); got != `{"jsonrpc":"2.0","id":"p\u0031","result":{}}` || len(up.sent()) != 1 {
		t.Error(got, up.sent())
	}
}

func TestSetLevel_remembered_onEachRequestAfterIt(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	h := open(t, up)
	if f := faultOf(t, h.ask(`{"id":1,"method":"logging/setLevel","params":{"level":"loud"}}`)); f.Error.Code != -32602 {
		t.Errorf("%+v", f)
	}
	if got := h.ask(`{"id":1,"method":"logging/setLevel","params":{"level":"warning"}}`); got != `{"jsonrpc":"2.0","id":1,"result":{}}` {
		t.Error(got)
	}
	h.ask(`{"id":2,"method":"tools/list"}`)
	if want := `{"params":{"_meta":{` + meta + `,"io.modelcontextprotocol/logLevel":"warning"}},"id":2,"method":"tools/list"}`; last(up) != want {
		t.Error(last(up))
	}
	h.ask(initialize)
	h.ask(`{"id":2,"method":"tools/list"}`)
	if strings.Contains(last(up), "logLevel") {
		t.Error("the level outlived the host's initialize")
	}
}

func TestNotifications_ofTheHost_areSwallowed(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	h := open(t, up)
	for _, n := range []string{"initialized", "roots/list_changed", "progress", "cancelled"} {
		if err := h.do(t.Context(), `{"method":"notifications/`+n+`","params":{"requestId":77}}`); err != nil {
			t.Error(err)
		}
	}
	if err := h.do(t.Context(), `{"id":"payu-mcp/1","result":{}}`); err != nil {
		t.Error(err)
	}
	if len(up.sent()) != 1 {
		t.Errorf("sent %v", up.sent())
	}
}

func TestCancelled_requestAtTheServer_streamClosesNothingIsSent(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 2)
	up := &fake{on: modern(func(ctx context.Context, m jsonmsg.Message, _ remote.Hooks) error {
		reached <- m.Method
		<-ctx.Done()
		return &remote.Error{Kind: remote.KindUnknownOutcome}
	})}
	h := open(t, up)
	ctx, cancel := context.WithCancel(t.Context())
	other, call := make(chan error, 1), make(chan error, 1)
	go func() { other <- h.do(ctx, `{"id":"\u0031","method":"tools/call"}`) }()
	go func() { call <- h.do(ctx, `{"id":1,"method":"tools/call"}`) }()
	<-reached
	<-reached
	if err := h.do(t.Context(), `{"method":"notifications/cancelled","params":{"requestId":1.0}}`); err != nil {
		t.Error(err)
	}
	if err := <-call; err == nil {
		t.Error("no error for the cancelled call")
	}
	if len(up.sent()) != 3 || len(other) > 0 {
		t.Errorf("sent %v", up.sent())
	}
	cancel()
	if err := <-other; err == nil {
		t.Error("no error for the other call")
	}
}
