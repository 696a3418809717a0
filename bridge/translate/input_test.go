package translate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	call    = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"pay","arguments":{"n":9007199254740993},"_meta":{"progressToken":1}}}`
	elicit  = `{"method":"elicitation/create","params":{"mode":"form","message":"sure?","requestedSchema":{"z":1.0,"a":2}}}`
	sample  = `{"method":"sampling/createMessage","params":{"maxTokens":1e2}}`
	rooting = `{"method":"roots/list"}`
)

// rounds is a server that answers each request with the next result.
func rounds(results ...string) *fake {
	n := -1
	return &fake{on: modern(func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if n++; n >= len(results) {
			n = len(results) - 1
		}
		return answer(m, h, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, results[n]))
	})}
}

// wants is an input_required result.
func wants(requests, state string) string {
	if state != "" {
		state = `,"requestState":` + state
	}
	if requests != "" {
		requests = `,"inputRequests":{` + requests + `}`
	}
	return `{"resultType":"input_required"` + requests + state + `}`
}

// goes starts a request of the host.
func (h *host) goes(ctx context.Context, line string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- h.do(ctx, line) }()
	return done
}

func TestInput_allKinds_hostIsAskedAndTheRequestGoesOutAgain(t *testing.T) {
	t.Parallel()
	up := rounds(
		wants(`"b":`+elicit+`,"a\u0022":`+sample+`,"c":`+rooting, `"s\u0074ate=="`),
		wants(`"d":`+elicit, ""),
		`{"resultType":"complete","content":[]}`)
	h := open(t, up)
	done := h.goes(t.Context(), call)
	for _, want := range []string{
		`{"jsonrpc":"2.0","id":"payu-mcp/2","method":"elicitation/create","params":{"mode":"form","message":"sure?","requestedSchema":{"z":1.0,"a":2}}}`,
		`{"jsonrpc":"2.0","id":"payu-mcp/3","method":"sampling/createMessage","params":{"maxTokens":1e2}}`,
		`{"jsonrpc":"2.0","id":"payu-mcp/4","method":"roots/list"}`,
	} {
		if got := <-h.lines; got != want {
			t.Errorf("asked %s", got)
		}
	}
	for _, a := range []string{ // in another order
		`{"id":"payu-mcp/4","result":{"roots":[]}}`,
		`{"id":"payu-mcp/2","result":{"action":"accept","content":{"n":1.0}}}`,
		`{"id":"payu-mcp/2","result":{"action":"decline"}}`, // too late
		`{"id":"payu-mcp/3","result":{"role":"assistant"}}`,
	} {
		if err := h.do(t.Context(), a); err != nil {
			t.Error(err)
		}
	}
	if got := <-h.lines; !strings.Contains(got, `"id":"payu-mcp/6","method":"elicitation/create"`) {
		t.Fatalf("asked %s", got)
	}
	_ = h.do(t.Context(), `{"id":"payu-mcp/6","error":{"code":-1,"message":"user closed it"}}`)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := <-h.lines; got != `{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[]}}` || len(h.lines) > 0 {
		t.Error(got)
	}
	rest := `"name":"pay","arguments":{"n":9007199254740993},"_meta":{` + meta + `,"progressToken":1}}}`
	want := []string{
		`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{` + rest,
		`{"jsonrpc":"2.0","id":"payu-mcp/5","method":"tools/call","params":{"inputResponses":{"b":{"action":"accept","content":{"n":1.0}},"a\"":{"role":"assistant"},"c":{"roots":[]}},"requestState":"s\u0074ate==",` + rest,
		`{"jsonrpc":"2.0","id":"payu-mcp/7","method":"tools/call","params":{"inputResponses":{"d":{"action":"cancel"}},` + rest,
	}
	if d := cmp.Diff(want, up.sent()[1:]); d != "" {
		t.Error(d)
	}
}

func TestInput_twoRequestsAtOnce_stateIsNotMixed(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if state := jsonmsg.Lookup(m.Raw, "params", "requestState"); state != nil {
			return answer(m, h, fmt.Sprintf(`{"id":%s,"result":{"state":%s,"of":%q}}`, m.ID, state, m.Name))
		}
		return answer(m, h, `{"id":%s,"result":`+wants(`"k":`+elicit, `"of `+m.Name+`"`)+`}`)
	})}
	h := open(t, up)
	a := h.goes(t.Context(), `{"id":1,"method":"tools/call","params":{"name":"a"}}`)
	first := scan(<-h.lines)
	b := h.goes(t.Context(), `{"id":2,"method":"prompts/get","params":{"name":"b"}}`)
	second := scan(<-h.lines)
	_ = h.do(t.Context(), fmt.Sprintf(`{"id":%s,"result":{"action":"accept"}}`, second.ID))
	if got := <-h.lines; got != `{"id":2,"result":{"state":"of b","of":"b"}}` {
		t.Error(got)
	}
	_ = h.do(t.Context(), fmt.Sprintf(`{"id":%s,"result":{"action":"accept"}}`, first.ID))
	if got := <-h.lines; got != `{"id":1,"result":{"state":"of a","of":"a"}}` {
		t.Error(got)
	}
	if err := errors.Join(<-a, <-b); err != nil {
		t.Error(err)
	}
}

func TestInput_cannotGoOn_oneAnswerThatSaysSo(t *testing.T) {
	t.Parallel()
	bare := strings.NewReplacer(`"sampling":{},`, "", `"elicitation":{},`, "").Replace(initialize)
	for _, c := range []struct{ name, init, result, text string }{
		{"no elicitation", bare, wants(`"a":`+rooting+`,"b":`+elicit, ""), "elicitation"},
		{"no sampling", bare, wants(`"a":`+sample, ""), "sampling"},
		{"no URL elicitation", initialize, wants(`"a":{"method":"elicitation/create","params":{"mode":"url"}}`, ""), "url (elicitation)"},
		{"no tools in sampling", initialize, wants(`"a":{"method":"sampling/createMessage","params":{"tools":[]}}`, ""), "tools (sampling)"},
		{"unknown request", initialize, wants(`"a":{"method":"ping"}`, ""), "of this kind"},
		{"neither requests nor state", initialize, wants("", ""), "does not say which"},
		{"requests of another type", initialize, `{"resultType":"input_required","inputRequests":[]}`, "does not say which"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			up := rounds(c.result)
			h := open(t, up)
			h.ask(c.init)
			before := len(up.sent())
			if got := h.ask(call); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":7,"result":{`) || !strings.Contains(got, `"isError":true`) || !strings.Contains(got, c.text) {
				t.Error(got)
			}
			got := h.ask(`{"id":8,"method":"resources/read","params":{"uri":"a:b"}}`)
			if f := faultOf(t, got); f.Error.Code != -32603 || !strings.Contains(f.Error.Message, c.text) {
				t.Error(got)
			}
			if n := len(up.sent()) - before; n != 2 || len(h.lines) > 0 {
				t.Errorf("%d requests went out", n)
			}
		})
	}
}

func TestInput_hostRefusesSampling_requestEndsAndTheDialogCloses(t *testing.T) {
	t.Parallel()
	up := rounds(wants(`"a":`+sample+`,"b":`+elicit, ""))
	h := open(t, up)
	done := h.goes(t.Context(), call)
	asked := scan(<-h.lines)
	dialog := scan(<-h.lines)
	_ = h.do(t.Context(), fmt.Sprintf(`{"id":%s,"error":{"code":-1,"message":"no"}}`, asked.ID))
	if got := <-h.lines; !strings.Contains(got, `"isError":true`) || !strings.Contains(got, "sampling/createMessage") {
		t.Error(got)
	}
	if got := <-h.lines; got != fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, dialog.ID) {
		t.Error(got)
	}
	if err := <-done; err != nil || len(up.sent()) != 2 {
		t.Error(err, up.sent())
	}
}

func TestInput_urlElicitation_getsAnID(t *testing.T) {
	t.Parallel()
	up := rounds(wants(`"a":{"method":"elicitation/create","params":{"mode":"url","url":"https://x"}}`, ""), `{}`)
	h := open(t, up)
	h.ask(strings.Replace(initialize, `"elicitation":{}`, `"elicitation":{"url":{}}`, 1))
	done := h.goes(t.Context(), call)
	got := <-h.lines
	id := scan(got).ID
	if !strings.Contains(got, fmt.Sprintf(`"params":{"elicitationId":%s,"mode":"url","url":"https://x"}`, id)) {
		t.Error(got)
	}
	_ = h.do(t.Context(), fmt.Sprintf(`{"id":%s,"result":{"action":"accept"}}`, id))
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestInput_onAndOn_tenRounds(t *testing.T) {
	t.Parallel()
	up := rounds(wants(`"k":`+rooting, `"s"`))
	h := open(t, up)
	done := h.goes(t.Context(), call)
	for {
		got := scan(<-h.lines)
		if got.Kind == jsonmsg.Response {
			if !strings.Contains(string(got.Raw), `"isError":true`) || string(got.ID) != "7" {
				t.Errorf("%s", got.Raw)
			}
			break
		}
		_ = h.do(t.Context(), fmt.Sprintf(`{"id":%s,"result":{"roots":[]}}`, got.ID))
	}
	ids := map[string]bool{}
	for _, s := range up.sent()[1:] {
		ids[string(scan(s).ID)] = true
	}
	if err := <-done; err != nil || len(ids) != 10 {
		t.Errorf("%v, %d rounds with ids of their own", err, len(ids))
	}
}

func TestInput_busyServer_stateGoesBackAfterAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := rounds(wants("", `"s"`), `{"ok":1}`)
		h := open(t, up)
		if got := h.ask(call); !strings.Contains(got, `"id":7,"result":{"ok":1}`) {
			t.Error(got)
		}
		if got := last(up); !strings.Contains(got, `"params":{"requestState":"s","name"`) {
			t.Error(got)
		}
	})
}

func TestInput_hostGivesUpMeanwhile_waitEnds(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(h *host, stop func()){
		"cancelled": func(h *host, _ func()) {
			_ = h.do(h.t.Context(), `{"method":"notifications/cancelled","params":{"requestId":7}}`)
		},
		"context": func(_ *host, stop func()) { stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := rounds(wants(`"a":`+elicit, ""))
			h := open(t, up)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			done := h.goes(ctx, call)
			<-h.lines
			cancel(h, stop)
			var fault *remote.Error
			if err := <-done; !errors.As(err, &fault) || fault.Kind != remote.KindCancelled || len(up.sent()) != 2 {
				t.Error(err, up.sent())
			}
		})
	}
}

func TestInput_hostGaveUpBeforeTheSecondRound_nothingGoesOut(t *testing.T) {
	t.Parallel()
	up := rounds(wants(`"a":`+elicit, ""), `{}`)
	h := open(t, up)
	starts := 0
	done := make(chan error, 1)
	go func() {
		done <- h.tr.Do(t.Context(), scan(call), remote.Hooks{
			Start:   func(string) bool { starts++; return starts == 1 },
			Deliver: func(m jsonmsg.Message) { h.lines <- string(m.Raw) },
		})
	}()
	_ = h.do(t.Context(), fmt.Sprintf(`{"id":%s,"result":{"action":"accept"}}`, scan(<-h.lines).ID))
	if err := <-done; err == nil || starts != 2 || len(up.sent()) != 2 {
		t.Error(err, starts, up.sent())
	}
}
