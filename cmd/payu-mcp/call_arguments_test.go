package main

import (
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// What goes to the server is what was given, without the blanks between members.
func TestCheckArguments_objects_asTheyAre(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{}`: `{}`, " {\r\n \"a\" : 1 }\n": `{"a":1}`, "\ufeff{\"a\":1}": `{"a":1}`,
		`{"big":9007199254740993,"f":1.10,"e":1E+2}`: `{"big":9007199254740993,"f":1.10,"e":1E+2}`,
		`{"s":"\u20b9 \u00e9\n"}`:                    `{"s":"\u20b9 \u00e9\n"}`,
		`{"a":{"x":1},"b":{"x":1},"A":2}`:            `{"a":{"x":1},"b":{"x":1},"A":2}`,
	} {
		got, err := checkArguments([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestCheckArguments_everythingElse_isRefused(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "nothing", " \n": "nothing", "[]": "no JSON object", "1": "no JSON object", `"{}"`: "no JSON object", "null": "no JSON object",
		`{"a":1,"a":1}`: `"a"`, `{"a":1,"\u0061":2}`: `"a"`, `{"x":[[{"b":1,"b":2}]]}`: `"b"`,
		`{}{}`: "not valid", `{},"error":{}`: "not valid", `{"a":1} x`: "not valid", `{"a":NaN}`: "not valid", `{'a':1}`: "not valid", `{"a":1,}`: "not valid",
		"{\"a\":\"\xff\"}": "not valid", "{\"a\":\"\x00\"}": "not valid", "\xff\xfe{\x00}\x00": "UTF-16",
		strings.Repeat(`{"a":`, jsonmsg.MaxDepth) + `1` + strings.Repeat("}", jsonmsg.MaxDepth): "nested",
		`{"a":"` + strings.Repeat("x", maxArguments) + `"}`:                                     "16 MiB",
	} {
		if got, err := checkArguments([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %.40q, %v, want %q", in, got, err, want)
		}
	}
}

// Only what the tool's own schema demands is missed here.
func TestShellTool_check_requiredOnly(t *testing.T) {
	t.Parallel()
	tool := shellTool{name: "t", raw: []byte(`{"name":"t","inputSchema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a","b"]}}`)}
	for arguments, missing := range map[string]string{
		`{}`: "lack a, b,", `{"a":1}`: "lack b,", `{"a":null,"b":null}`: "", `{"a":[],"b":{},"more":1}`: "", `{"A":1,"b":1}`: "lack a,",
	} {
		err := tool.check([]byte(arguments))
		if missing == "" && err != nil || missing != "" && (err == nil || !strings.Contains(err.Error(), missing)) {
			t.Errorf("%s: %v", arguments, err)
		}
	}
	for _, schema := range []string{`{}`, `{"inputSchema":true}`, `{"inputSchema":{"required":"a"}}`, `{"inputSchema":{"required":[1]}}`, `{"inputSchema":null}`} {
		if err := (shellTool{name: "t", raw: []byte(schema)}).check([]byte(`{}`)); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
	}
}
