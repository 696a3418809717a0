package jsonmsg_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

//oauth:row X22 internal/jsonmsg/envelope.go "case \"id\":" => "case \"id\", \"ID\":"
func TestScan_goodMessages_classifiedWithoutAChange(t *testing.T) {
	t.Parallel()
	type want struct {
		kind                 jsonmsg.Kind
		id, method, name     string
		cancelID, version    string
		isError, idIsMissing bool
	}
	for line, w := range map[string]want{
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`: {kind: jsonmsg.Request, id: "1", method: "ping"},
		`{"method":"ping","id":9007199254740993}`:  {kind: jsonmsg.Request, id: "9007199254740993", method: "ping"},
		`{"method":"ping","id":1.5}`:               {kind: jsonmsg.Request, id: "1.5", method: "ping"},
		`{"id":"a\u0062","method":"tools/call","params":{"name":"pay\"x","arguments":{"name":"no"}}}`: {kind: jsonmsg.Request, id: `"a\u0062"`, method: "tools/call", name: `pay"x`},
		`{"params":{"uri":"file:///x"},"method":"resources/read","id":2}`:                             {kind: jsonmsg.Request, id: "2", method: "resources/read", name: "file:///x"},
		`{"method":"initialize","id":0,"params":{"protocolVersion":"2025-11-25"}}`:                    {kind: jsonmsg.Request, id: "0", method: "initialize", version: "2025-11-25"},
		`{"method":"notifications/cancelled","params":{"requestId":7,"reason":"x"}}`:                  {kind: jsonmsg.Notification, method: "notifications/cancelled", cancelID: "7", idIsMissing: true},
		`{"\u006dethod":"ping"}`: {kind: jsonmsg.Notification, method: "ping", idIsMissing: true},
		`{"id":3,"result":{"protocolVersion":"2025-06-18","x":[{"id":9,"method":"no"}]}}`:     {kind: jsonmsg.Response, id: "3", version: "2025-06-18"},
		`{"id":null,"error":{"code":-1,"message":"m"}}`:                                       {kind: jsonmsg.Response, id: "null", isError: true},
		`{"id":3,"result":{},"error":null}`:                                                   {kind: jsonmsg.Response, id: "3"},
		`{"error":{}}`:                                                                        {kind: jsonmsg.Response, isError: true, idIsMissing: true},
		` { "ID" : 1 , "METHOD":2, "id":4, "method" : "ping", "unknown":{"b":1.0,"a":1e5} } `: {kind: jsonmsg.Request, id: "4", method: "ping"},
	} {
		m, err := jsonmsg.Scan([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		got := want{m.Kind, string(m.ID), m.Method, m.Name, string(m.CancelID), m.Version, m.IsError, m.ID == nil}
		if got != w || string(m.Raw) != line {
			t.Errorf("%s:\n got %+v\nwant %+v", line, got, w)
		}
	}
}

//oauth:row X22 internal/jsonmsg/envelope.go "if n > 1 {" => "if n > 2 {"
//oauth:row X22 internal/jsonmsg/scanner.go "return member(unquote(key))" => "return member(string(key[1 : len(key)-1]))"
func TestScan_badMessages_refusedWithTheIDIfCertain(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 10000) + strings.Repeat("]", 10000)
	for _, c := range []struct {
		line string
		err  error
		id   string
	}{
		{`{"id":1,"method":"x"`, jsonmsg.ErrSyntax, ""},
		{`{"id":1,"method":"x"}}`, jsonmsg.ErrSyntax, ""},
		{"\ufeff{}", jsonmsg.ErrSyntax, ""},
		{"{\"id\":1,\"method\":\"\x00\"}", jsonmsg.ErrSyntax, ""},
		{"{\"id\":1,\"method\":\"\xff\"}", jsonmsg.ErrSyntax, ""},
		{`{"id":1,"method":"x",}`, jsonmsg.ErrSyntax, ""},
		{`{"id":01,"method":"x"}`, jsonmsg.ErrSyntax, ""},
		{``, jsonmsg.ErrSyntax, ""},
		{` [{"id":1,"method":"x"}]`, jsonmsg.ErrBatch, ""},
		{`42`, jsonmsg.ErrInvalid, ""},
		{`{}`, jsonmsg.ErrInvalid, ""},
		{`{"id":5}`, jsonmsg.ErrInvalid, ""},
		{`{"id":5,"method":7}`, jsonmsg.ErrInvalid, "5"},
		{`{"id":null,"method":"x"}`, jsonmsg.ErrInvalid, ""},
		{`{"id":{},"method":"x"}`, jsonmsg.ErrInvalid, ""},
		{`{"id":true,"result":1}`, jsonmsg.ErrInvalid, ""},
		{`{"error":"invalid_token","error_description":"x"}`, jsonmsg.ErrInvalid, ""},
		{`{"id":3,"error":null}`, jsonmsg.ErrInvalid, ""},
		{`{"id":1,"method":"x","id":2}`, jsonmsg.ErrDuplicate, ""},
		{`{"id":1,"method":"x","\u0069d":1}`, jsonmsg.ErrDuplicate, ""},
		{`{"id":1,"method":"x","method":"y"}`, jsonmsg.ErrDuplicate, "1"},
		{`{"id":1,"method":"x","params":{},"params":1}`, jsonmsg.ErrDuplicate, "1"},
		{`{"id":1,"method":"x","params":{"name":"a","name":"b"}}`, jsonmsg.ErrDuplicate, "1"},
		{`{"id":1,"method":"x","params":{"uri":"a","uri":"b"}}`, jsonmsg.ErrDuplicate, "1"},
		{`{"method":"x","params":{"requestId":1,"requestId":2}}`, jsonmsg.ErrDuplicate, ""},
		{`{"id":1,"result":1,"result":2}`, jsonmsg.ErrDuplicate, ""},
		{`{"params":` + deep + `,"method":"x","id":"late"}`, jsonmsg.ErrDepth, `"late"`},
		{`{"id":1,"result":` + deep + `}`, jsonmsg.ErrDepth, ""},
	} {
		m, err := jsonmsg.Scan([]byte(c.line))
		if !errors.Is(err, c.err) || string(m.ID) != c.id {
			t.Errorf("%.60s: error %v, id %q; want %v, %q", c.line, err, m.ID, c.err, c.id)
		}
	}
}

//oauth:row X22 internal/jsonmsg/scanner.go "s.depth > MaxDepth" => "s.depth > 100*MaxDepth"
func TestScan_depthLimit_isExact(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte {
		return []byte(`{"id":1,"result":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`)
	}
	if _, err := jsonmsg.Scan(nested(jsonmsg.MaxDepth)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := jsonmsg.Scan(nested(jsonmsg.MaxDepth + 1)); !errors.Is(err, jsonmsg.ErrDepth) {
		t.Errorf("over the limit: %v", err)
	}
}

func TestCode_refusals_asJSONRPCSays(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{
		jsonmsg.ErrSyntax: -32700, jsonmsg.ErrBatch: -32700,
		jsonmsg.ErrDuplicate: -32600, jsonmsg.ErrInvalid: -32600, jsonmsg.ErrDepth: -32600,
	} {
		if got := jsonmsg.Code(err); got != want {
			t.Errorf("%v: %d", err, got)
		}
	}
}

func TestKey_sameIDWrittenOtherwise_meets(t *testing.T) {
	t.Parallel()
	same := func(a, b string) bool {
		return jsonmsg.Key(json.RawMessage(a)) == jsonmsg.Key(json.RawMessage(b))
	}
	for _, p := range [][2]string{{`"é"`, `"\u00e9"`}, {`1`, `1.0`}, {`9007199254740993`, `9007199254740993`}} {
		if !same(p[0], p[1]) {
			t.Errorf("%s and %s differ", p[0], p[1])
		}
	}
	for _, p := range [][2]string{{`1`, `"1"`}, {`9007199254740993`, `9007199254740992`}, {`1.5`, `1`}, {`10`, `1`}} {
		if same(p[0], p[1]) {
			t.Errorf("%s and %s are taken for one", p[0], p[1])
		}
	}
}

func TestWithID_errorWithoutID_takesTheCalls(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"x":1.0, "id" : null ,"error":{}}`: `{"x":1.0, "id" : 9007199254740993 ,"error":{}}`,
		` {"error":{"id":null}}`:             ` {"id":9007199254740993,"error":{"id":null}}`,
	} {
		m, err := jsonmsg.Scan([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		m = m.WithID(json.RawMessage("9007199254740993"))
		again, err := jsonmsg.Scan(m.Raw)
		if string(m.Raw) != want || err != nil || string(again.ID) != string(m.ID) {
			t.Errorf("%s: %s, %v", in, m.Raw, err)
		}
		if twice := m.WithID(json.RawMessage(`"b"`)); !strings.Contains(string(twice.Raw), `"b"`) || strings.Contains(string(twice.Raw), "900") {
			t.Errorf("second change: %s", twice.Raw)
		}
	}
}

// TestScan_longStrings_everyByteEverywhere holds the reading by words against
// encoding/json.
//
//oauth:row X21 internal/jsonmsg/literal.go "case c < 0x20:" => "case c < 0x09:"
func TestScan_longStrings_everyByteEverywhere(t *testing.T) {
	t.Parallel()
	for at := range 40 {
		for c := range 0x100 {
			text := []byte(strings.Repeat("a", 40))
			text[at] = byte(c)
			line := []byte(`{"id":1,"method":"` + string(text) + `"}`)
			_, err := jsonmsg.Scan(line)
			if good := json.Valid(line) && c < utf8.RuneSelf; (err == nil) != good {
				t.Fatalf("%q: %v", line, err)
			}
		}
	}
}
