package remote

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

func scanned(t testing.TB, line string) jsonmsg.Message {
	t.Helper()
	m, err := jsonmsg.Scan([]byte(line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return m
}

// TestHeaderValue_specification_examplesAndEdges has the examples of MCP
// 2026-07-28, "Value Encoding", first.
//
//oauth:row X23 remote/value.go "if plainValue(s) {" => "if true {"
func TestHeaderValue_specification_examplesAndEdges(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"us-west1":           "us-west1",
		"Hello, 世界":          "=?base64?SGVsbG8sIOS4lueVjA==?=",
		" padded ":           "=?base64?IHBhZGRlZCA=?=",
		"line1\nline2":       "=?base64?bGluZTEKbGluZTI=?=",
		"=?base64?literal?=": "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=",

		"":                                   "",
		"file:///projects/myapp/config.json": "file:///projects/myapp/config.json",
		"a b":                                "a b",
		" a":                                 "=?base64?IGE=?=",
		"a ":                                 "=?base64?YSA=?=",
		"a\tb":                               "=?base64?YQli?=",
		"\r\nX-Evil: 1":                      "=?base64?DQpYLUV2aWw6IDE=?=",
		"\x7f":                               "=?base64?fw==?=",
		"=?base64?=":                         "=?base64?PT9iYXNlNjQ/PQ==?=",
		"=?base64?x":                         "=?base64?x",
		"=?BASE64?x?=":                       "=?BASE64?x?=",
		"x?=":                                "x?=",
	} {
		if got := headerValue(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestNameValue_methods_theirOwnMember(t *testing.T) {
	t.Parallel()
	const none = "none"
	for line, want := range map[string]string{
		`{"id":1,"method":"tools/call","params":{"uri":"file:///x","name":"get_weather"}}`:          "get_weather",
		`{"id":1,"method":"prompts/get","params":{"name":"h\u00e9"}}`:                               "=?base64?aMOp?=",
		`{"id":1,"method":"resources/read","params":{"name":"no","uri":"file:///projects/a.json"}}`: "file:///projects/a.json",
		`{"params":{"name":""},"id":1,"method":"tools/call"}`:                                       "",
		`{"id":1,"method":"tools/call","params":{"Name":"x","uri":"y"}}`:                            none,
		`{"id":1,"method":"tools/call","params":{"name":7}}`:                                        none,
		`{"id":1,"method":"tools/call","name":"x","params":[{"name":"x"}]}`:                         none,
		`{"id":1,"method":"tools/call"}`:                                                            none,
		`{"id":1,"method":"tools/list","params":{"name":"x"}}`:                                      none,
	} {
		got, ok := nameValue(scanned(t, line))
		if !ok {
			got = none
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// decodeValue is what a server does with a value ("Value Encoding").
func decodeValue(t *testing.T, v string) string {
	t.Helper()
	inner, ok := strings.CutPrefix(v, "=?base64?")
	if !ok || !strings.HasSuffix(v, "?=") {
		return v
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, "?="))
	if err != nil {
		t.Fatalf("%q: %v", v, err)
	}
	return string(b)
}

func FuzzHeaderValue(f *testing.F) {
	for _, s := range []string{"", "us-west1", " x", "x\t", "=?base64?x?=", "=?base64?=", "=?base64??=", "\x00\xff", "世界", "a\r\nb: c", "?=", strings.Repeat("=?base64?", 20) + "?="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := headerValue(s)
		if got := decodeValue(t, v); got != s {
			t.Fatalf("%q became %q, which a server reads as %q", s, v, got)
		}
		for i := range len(v) {
			if v[i] < ' ' || v[i] > '~' {
				t.Fatalf("%q became %q, which no header may carry", s, v)
			}
		}
		if strings.TrimSpace(v) != v {
			t.Fatalf("%q became %q, which loses its ends on the way", s, v)
		}
	})
}
