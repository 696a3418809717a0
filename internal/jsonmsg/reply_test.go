package jsonmsg_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

func TestCompact_prettyPrinted_oneLineNothingElseChanged(t *testing.T) {
	t.Parallel()
	in := "{\r\n  \"b\" : 1.0,\n\t\"a\": \"x \\n <&>\u2028 y\",\n \"n\": 9007199254740993 }\n"
	want := "{\"b\":1.0,\"a\":\"x \\n <&>\u2028 y\",\"n\":9007199254740993}"
	if got := string(jsonmsg.Compact([]byte(in))); got != want {
		t.Errorf("got %s", got)
	}
}

func TestCompact_oneLine_untouched(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`{ "a" : 1 }`, "", "broken\njson {", "1\n2", "{}\n{}"} {
		if got := string(jsonmsg.Compact([]byte(in))); got != in {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestErrorReply_idAndTexts_exact(t *testing.T) {
	t.Parallel()
	got := string(jsonmsg.ErrorReply(json.RawMessage(`"<1>"`), -32603, "a \"b\"\nc", map[string]string{"kind": "x"}))
	want := `{"jsonrpc":"2.0","id":"<1>","error":{"code":-32603,"message":"a \"b\"\nc","data":{"kind":"x"}}}`
	if got != want {
		t.Errorf("got %s", got)
	}
	if got := string(jsonmsg.ErrorReply(nil, -32700, "m", nil)); got != `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}` {
		t.Errorf("without id: %s", got)
	}
	if got := string(jsonmsg.ErrorReply(nil, -1, "m", func() {})); !json.Valid([]byte(got)) {
		t.Errorf("data that does not encode: %s", got)
	}
}

func TestSkimmer_inPieces_findsTheIDOfARequestOnly(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"method":"x","params":{"id":1,"t":"}\"{"},"jsonrpc":"2.0","id":"a\"b"}`: `"a\"b"`,
		`{"id": -7 ,"method":"x"`:                                 "-7",
		`{"id":7,"result":{"method":"x"}}`:                        "",
		`{"id":7,"id":8,"method":"x"}`:                            "",
		`{"id":7,"id":{},"method":"x"}`:                           "",
		`{"id":null,"method":"x"}`:                                "",
		`{"method":"x","params":["id",5]}`:                        "",
		`{"method":"x","id":"` + strings.Repeat("i", 2000) + `"}`: "",
		`[{"method":"x","id":1}]`:                                 "",
	} {
		var s jsonmsg.Skimmer
		for i := range len(line) {
			if _, err := s.Write([]byte{line[i]}); err != nil {
				t.Fatal(err)
			}
		}
		if got := string(s.Found().ID); got != want {
			t.Errorf("%.50s: %q, want %q", line, got, want)
		}
	}
}
