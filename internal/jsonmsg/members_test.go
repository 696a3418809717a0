package jsonmsg_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

var toMeta = []string{"params", "_meta"}

func TestSet_paramsAndMeta_onlyTheMembersChange(t *testing.T) {
	t.Parallel()
	one := jsonmsg.Member{Key: "v", Value: json.RawMessage(`"1"`)}
	two := jsonmsg.Member{Key: "i", Value: json.RawMessage(`{"n":1.0}`)}
	for in, want := range map[string]string{
		`{"id":1}`:                               `{"params":{"_meta":{"v":"1","i":{"n":1.0}}},"id":1}`,
		`{}`:                                     `{"params":{"_meta":{"v":"1","i":{"n":1.0}}}}`,
		`{"id":1,"params":{}}`:                   `{"id":1,"params":{"_meta":{"v":"1","i":{"n":1.0}}}}`,
		`{"params":null,"id":1}`:                 `{"params":{"_meta":{"v":"1","i":{"n":1.0}}},"id":1}`,
		` {"params": { "a":1e400 } } `:           ` {"params": {"_meta":{"v":"1","i":{"n":1.0}}, "a":1e400 } } `,
		`{"params":{"_meta":{}}}`:                `{"params":{"_meta":{"v":"1","i":{"n":1.0}}}}`,
		`{"params":{"_meta":null,"x":"\u00e9"}}`: `{"params":{"_meta":{"v":"1","i":{"n":1.0}},"x":"\u00e9"}}`,
		`{"params":{"_meta":{"progressToken":1,"v":7}}}`:  `{"params":{"_meta":{"i":{"n":1.0},"progressToken":1,"v":"1"}}}`,
		`{"params":{"_meta":{"\u0076":[{"v":2}],"i":0}}}`: `{"params":{"_meta":{"\u0076":"1","i":{"n":1.0}}}}`,
		`{"_meta":{"v":1},"params":{"a":{"_meta":{}}}}`:   `{"_meta":{"v":1},"params":{"_meta":{"v":"1","i":{"n":1.0}},"a":{"_meta":{}}}}`,
	} {
		got, err := jsonmsg.Set([]byte(in), toMeta, one, two)
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
}

func TestSet_notAnObjectOnThePath_refused(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		`{"params":[]}`:           jsonmsg.ErrNoObject,
		`{"params":{"_meta":""}}`: jsonmsg.ErrNoObject,
		`[]`:                      jsonmsg.ErrNoObject,
		`{"params":{}`:            jsonmsg.ErrSyntax,
		`{} {}`:                   jsonmsg.ErrSyntax,
	} {
		if got, err := jsonmsg.Set([]byte(in), toMeta); !errors.Is(err, want) {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

func TestLookup_path_valueAsWritten(t *testing.T) {
	t.Parallel()
	in := `{ "A":0, "a" : {"b": {"c": 1.50 }, "\u0062": "last" }, "z": [1 , 2]}`
	for path, want := range map[string]string{"a b": `"last"`, "z": `[1 , 2]`, "a c": "", "z 0": "", "b": ""} {
		if got := string(jsonmsg.Lookup([]byte(in), strings.Fields(path)...)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := jsonmsg.Members([]byte(`{"b":1,"a":[ ]}`)); len(got) != 2 || got[0].Key != "b" || string(got[1].Value) != "[ ]" {
		t.Errorf("members %v", got)
	}
	if got := jsonmsg.Members([]byte(`{"b":1,`)); got != nil {
		t.Errorf("members of broken JSON: %v", got)
	}
}

func TestScan_resultType_isSeen(t *testing.T) {
	t.Parallel()
	m, err := jsonmsg.Scan([]byte(`{"id":1,"result":{"x":{"resultType":"no"},"resultType":"input_required"}}`))
	if err != nil || m.ResultType != "input_required" {
		t.Errorf("%q, %v", m.ResultType, err)
	}
}

// FuzzSet holds the splicing of params._meta against encoding/json: the same
// message with those members, and nothing else changed.
func FuzzSet(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"method":"x"}`, `{"params":{"_meta":{"v":1}}}`, `{"params":{"_meta":{"a":1,"v":{"v":0}},"q":[{}]}}`,
		`{"params":null}`, ` { "params" : { "_meta" : null , "x" : "\ud83d\ude00" } } `, `{"params":{"_meta":[]}}`, `{"\u0070arams":{}}`, `{}{`, ``,
	} {
		f.Add([]byte(s), `"1"`)
	}
	f.Add([]byte(`{"a":1E700}`), `1E700`)
	f.Fuzz(func(t *testing.T, in []byte, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		got, err := jsonmsg.Set(in, toMeta, jsonmsg.Member{Key: "v", Value: json.RawMessage(value)}, jsonmsg.Member{Key: "w", Value: json.RawMessage("2")})
		if err != nil || duplicates(in) {
			return
		}
		var was, is map[string]any
		if decode(in, &was) != nil {
			t.Fatalf("%q: broken JSON was taken", in)
		}
		if decode(got, &is) != nil {
			t.Fatalf("%q became %q", in, got)
		}
		var v any
		if err := decode([]byte(value), &v); err != nil {
			t.Fatal(err)
		}
		params, _ := was["params"].(map[string]any)
		if params == nil {
			params = map[string]any{}
		}
		meta, _ := params["_meta"].(map[string]any)
		if meta == nil {
			meta = map[string]any{}
		}
		meta["v"], meta["w"], params["_meta"], was["params"] = v, json.Number("2"), meta, params
		if !reflect.DeepEqual(was, is) {
			t.Fatalf("%q became %q", in, got)
		}
	})
}

// decode keeps numbers as they are written: one of them may fit into no float.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// duplicates reports whether a key of the path stands twice: Scan refuses that.
func duplicates(in []byte) bool {
	twice := func(object []byte, key string) bool {
		n := 0
		for _, m := range jsonmsg.Members(object) {
			if m.Key == key {
				n++
			}
		}
		return n > 1
	}
	return twice(in, "params") || twice(jsonmsg.Lookup(in, "params"), "_meta")
}
