package translate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge/translate"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const discover = `{"jsonrpc":"2.0","id":"payu-mcp/1","method":"server/discover","params":{"_meta":{` + meta + `}}}`

func TestInitialize_modernServerKnown_answeredFromDiscover(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	h := &host{t: t, tr: translate.New(up, era(remote.EraModern), nil), lines: make(chan string, 9)}
	got := h.ask(initialize)
	want := `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18",` +
		`"capabilities":{"tools":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true,"z":1.0},"logging":{},"x":{}},` +
		`"serverInfo":{"name":"s","version":"2","icons":[]},"instructions":"do \u00e9"}}`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{discover}, up.sent()); d != "" {
		t.Error(d)
	}
	if !scan(up.sent()[0]).Modern() {
		t.Error("discover is not of the modern era")
	}
}

func TestInitialize_versionUnknownToUs_newestLegacyIsTold(t *testing.T) {
	t.Parallel()
	h := open(t, &fake{on: modern(nil)})
	got := h.ask(strings.Replace(initialize, "2025-06-18", "2025-13-01", 1))
	if !strings.Contains(got, `"protocolVersion":"2025-11-25"`) {
		t.Error(got)
	}
}

func TestInitialize_bareDiscoverResult_minimalAnswer(t *testing.T) {
	t.Parallel()
	up := &fake{on: func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
		_ = answer(m, h, `{"method":"notifications/message","params":{}}`) // too early for a host
		return answer(m, h, `{"id":%s,"result":{"instructions":7}}`)
	}}
	h := &host{t: t, tr: translate.New(up, era(remote.EraModern), nil), lines: make(chan string, 9)}
	want := `{"jsonrpc":"2.0","id":"a","result":{"protocolVersion":"2024-11-05","capabilities":{},"serverInfo":{"name":"MCP server","version":"unknown"}}}`
	if got := h.ask(`{"id":"a","method":"initialize","params":{"protocolVersion":"2024-11-05"}}`); got != want {
		t.Error(got)
	}
	if sent := up.sent()[0]; !strings.Contains(sent, `"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}`) {
		t.Error(sent)
	}
}

// The rows say which requests a server gets, and what the host reads in the end.
func TestInitialize_eras_rightWayIsFound(t *testing.T) {
	t.Parallel()
	const (
		ok      = `{"id":%s,"result":{"protocolVersion":"2025-06-18"}}`
		version = `{"id":%s,"error":{"code":-32022,"message":"m","data":{"supported":["2026-07-28","2025-11-25"]}}}`
		older   = `{"id":%s,"error":{"code":-32022,"message":"m","data":{"supported":["2025-11-25"]}}}`
		newer   = `{"id":%s,"error":{"code":-32022,"message":"<b>","data":{"supported":["2027-01-01","<script>"]}}}`
		unknown = `{"id":%s,"error":{"code":-32601,"message":"m"}}`
		headers = `{"id":%s,"error":{"code":-32020,"message":"m"}}`
		stale   = `{"id":%s,"result":{"supportedVersions":["2025-11-25"],"capabilities":{}}}`
	)
	refused := &remote.Error{Kind: remote.KindRefused, Status: 400}
	down := &remote.Error{Kind: remote.KindUnreachable}
	for _, c := range []struct {
		name       string
		era        remote.Era
		answers    []any // one after the other: a line or an error
		methods    string
		host       string
		translates bool
	}{
		{"legacy", remote.EraLegacy, []any{ok}, "initialize", `"result":{"protocolVersion":"2025-06-18"}}`, false},
		{"dual, not known", remote.EraUnknown, []any{ok}, "initialize", `"result":{"protocolVersion":"2025-06-18"}}`, false},
		{"legacy refuses in its own way", remote.EraUnknown, []any{unknown}, "initialize", `-32601`, false},
		{"modern, not known", remote.EraUnknown, []any{version, discovered}, "initialize > server/discover", `"serverInfo"`, true},
		{"modern by its headers", remote.EraUnknown, []any{headers, discovered}, "initialize > server/discover", `"serverInfo"`, true},
		{"modern, asks twice for the version", remote.EraModern, []any{version, discovered}, "server/discover > server/discover", `"serverInfo"`, true},
		{"modern, never content", remote.EraModern, []any{version, version}, "server/discover > server/discover > initialize", `-32603`, false},
		{"turned legacy: unknown method", remote.EraModern, []any{unknown, ok}, "server/discover > initialize", `"result"`, false},
		{"turned legacy: 400", remote.EraModern, []any{refused, ok}, "server/discover > initialize", `"result"`, false},
		{"turned legacy: only old versions", remote.EraModern, []any{older, ok}, "server/discover > initialize", `"result"`, false},
		{"modern in name only", remote.EraModern, []any{stale, ok}, "server/discover > initialize", `"result"`, false},
		{"too new", remote.EraModern, []any{newer}, "server/discover", `(2026-07-28): 2027-01-01; a newer`, false},
		{"neither", remote.EraUnknown, []any{version, unknown}, "initialize > server/discover", `-32603`, false},
		{"down", remote.EraModern, []any{down}, "server/discover", "", false},
		{"down later", remote.EraUnknown, []any{version, down}, "initialize > server/discover", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var methods []string
			up := &fake{on: func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
				methods = append(methods, m.Method)
				if m.Kind != jsonmsg.Request {
					return nil
				}
				if len(c.answers) == 0 {
					return answer(m, h, version)
				}
				next := c.answers[0]
				c.answers = c.answers[1:]
				if err, is := next.(error); is {
					return err
				}
				return answer(m, h, next.(string))
			}}
			h := &host{t: t, tr: translate.New(up, era(c.era), nil), lines: make(chan string, 9)}
			err := h.do(t.Context(), initialize)
			if c.host == "" {
				if !errors.Is(err, down) || len(h.lines) != 0 {
					t.Errorf("error %v, %d lines", err, len(h.lines))
				}
			} else if got := <-h.lines; err != nil || !strings.Contains(got, c.host) || len(h.lines) != 0 {
				t.Errorf("%v, %s", err, got)
			}
			if got := strings.Join(methods, " > "); got != c.methods {
				t.Errorf("sent %s, want %s", got, c.methods)
			}
			_ = h.do(t.Context(), `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
			if swallowed := methods[len(methods)-1] != "notifications/initialized"; swallowed != c.translates {
				t.Errorf("translates: %v", swallowed)
			}
		})
	}
}

func TestInitialize_signInNeeded_errorThenWorks(t *testing.T) {
	t.Parallel()
	signedIn := false
	up := &fake{on: modern(nil)}
	on := up.on
	up.on = func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if !signedIn {
			return &remote.Error{Kind: remote.KindSignIn, Err: remote.ErrSignIn}
		}
		return on(ctx, m, h)
	}
	h := &host{t: t, tr: translate.New(up, era(remote.EraModern), nil), lines: make(chan string, 9)}
	if err := h.do(t.Context(), initialize); !errors.Is(err, remote.ErrSignIn) || len(h.lines) > 0 {
		t.Fatal(err)
	}
	signedIn = true
	if got := h.ask(initialize); !strings.Contains(got, "serverInfo") {
		t.Error(got)
	}
}

func TestInitialize_startSaysNo_nothingIsSent(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	tr := translate.New(up, era(remote.EraModern), nil)
	err := tr.Do(t.Context(), scan(initialize), remote.Hooks{Start: func(string) bool { return false }})
	var fault *remote.Error
	if !errors.As(err, &fault) || fault.Kind != remote.KindCancelled || len(up.sent()) > 0 {
		t.Error(err, up.sent())
	}
}

func TestDo_notTranslating_everyByteAndTheListenPass(t *testing.T) {
	t.Parallel()
	up := &fake{
		on:     func(_ context.Context, m jsonmsg.Message, h remote.Hooks) error { return nil },
		listen: func(context.Context) {},
	}
	heard := false
	up.listen = func(context.Context) { heard = true }
	tr := translate.New(up, era(remote.EraUnknown), nil)
	lines := []string{
		`{"method":"ping","id":1.0}`, `{"id":2,"method":"logging/setLevel"}`, `{"method":"notifications/cancelled","params":{"requestId":1}}`,
		`{"id":"payu-mcp/1","result":{}}`, `{"id":3,"method":"tools/call","params":{ "name":"x"}}`,
	}
	for _, l := range lines {
		if err := tr.Do(t.Context(), scan(l), remote.Hooks{}); err != nil {
			t.Error(err)
		}
	}
	if d := cmp.Diff(lines, up.sent()); d != "" {
		t.Error(d)
	}
	if tr.Listen(t.Context(), nil); !heard {
		t.Error("the upstream's Listen was not called")
	}
	if err := tr.Close(t.Context()); err != nil || up.closed != 1 {
		t.Error(err, up.closed)
	}
}

func TestDo_modernHost_passesEvenWhileTranslating(t *testing.T) {
	t.Parallel()
	up := &fake{on: modern(nil)}
	h := open(t, up)
	line := `{"id":1,"method":"logging/setLevel","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
	h.ask(line)
	if !slices.Contains(up.sent(), line) {
		t.Errorf("sent %v", up.sent())
	}
}

func ExampleNew() {
	// client is a *remote.Client; its Era method is the second argument.
	var client translate.Upstream = &fake{}
	upstream := translate.New(client, era(remote.EraUnknown), nil)
	fmt.Printf("%T", upstream)
	// Output: *translate.Translator
}
