package policy_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// A reader is how some server or host may read a member of an object.
type reader struct {
	name string
	get  func(object json.RawMessage, key string) json.RawMessage
	text func(literal json.RawMessage) string
}

// readers are encoding/json in its two ways, and two careless ones.
func readers() []reader {
	return []reader{
		{"encoding/json, struct", inStruct, text},
		{"encoding/json, map", inMap, text},
		{"the first counts", func(o json.RawMessage, key string) json.RawMessage {
			return pick(o, func(k string) bool { return k == key }, true)
		}, text},
		{"ends at a NUL", func(o json.RawMessage, key string) json.RawMessage {
			return pick(o, func(k string) bool { return cut(k) == key }, false)
		}, func(l json.RawMessage) string { return cut(text(l)) }},
		{"the first counts, in any case", func(o json.RawMessage, key string) json.RawMessage {
			return pick(o, func(k string) bool { return strings.EqualFold(k, key) }, true)
		}, text},
	}
}

// inStruct reads as a server in Go does: a field's name matches in any case, and
// the last one counts.
func inStruct(object json.RawMessage, key string) json.RawMessage {
	var o struct {
		Method, Params, Name, Tools, Annotations, ReadOnlyHint json.RawMessage
	}
	_ = json.Unmarshal(object, &o)
	return map[string]json.RawMessage{"method": o.Method, "params": o.Params, "name": o.Name, "tools": o.Tools, "annotations": o.Annotations, "readOnlyHint": o.ReadOnlyHint}[key]
}

func inMap(object json.RawMessage, key string) json.RawMessage {
	var o map[string]json.RawMessage
	_ = json.Unmarshal(object, &o)
	return o[key]
}

func pick(object json.RawMessage, wanted func(string) bool, first bool) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var found json.RawMessage
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return nil
		}
		if k, ok := key.(string); ok && wanted(k) && (!first || found == nil) {
			found = value
		}
	}
	return found
}

func text(literal json.RawMessage) string {
	var s string
	_ = json.Unmarshal(literal, &s)
	return s
}

func cut(s string) string {
	head, _, _ := strings.Cut(s, "\x00")
	return head
}

// FuzzJudge checks that whatever passes is the same call to every reader, and that
// nothing else is a call to any.
func FuzzJudge(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","arguments":{"name":"pay"}}}`,
		`{"id":1,"method":"tools\/call","params":{"\u006eame":"g\u0065t","Name":"pay"}}`, `{"id":1,"METHOD":"tools/call","method":"ping","params":{"name":"pay"}}`,
		`{"id":1,"method":"tools/call\u0000x","params":{"name":"get\u0000pay"}}`, `{"method":"tool\u017f/call","param\u017f":{"name":"pay"},"params":{"name":"get"}}`,
		`{"id":1,"result":{},"name\u0000":1,"method\u0000":"tools/call"}`, `{"id":"\ud800","method":"tools/call","params":{"name":"\ud800"}}`, `{"id":1,"method":"tools/call","params":[{"name":"pay"}]}`,
		`{"id":1,"method":"tools/call","params":null,"Params":{"name":"pay"}}`, `{"id":1,"method":"x","params":{"method":"tools/call","name":"get"}}`,
	} {
		f.Add([]byte(s))
	}
	readOnly := policy.New(policy.Rules{ReadOnly: true})
	tools := policy.Tools{"get": true, "pay": false, "x\ufffd": true, "get\x00pay": true}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := jsonmsg.Scan(raw)
		if err != nil {
			return // it is refused before
		}
		name, call, err := policy.Read(raw)
		if err != nil {
			return
		}
		passes := call && readOnly.Judge(name, tools) == policy.Pass
		for _, r := range readers() {
			isCall := r.text(r.get(raw, "method")) == "tools/call"
			if isCall != call || call && m.Method != "tools/call" {
				t.Fatalf("%s: call %v, to %s %v", raw, call, r.name, isCall)
			}
			if got := r.text(r.get(r.get(raw, "params"), "name")); passes && (got != name || !tools[got]) {
				t.Fatalf("%s: passes as %q, to %s it is %q", raw, name, r.name, got)
			}
		}
	})
}

// FuzzFilter checks that no reader finds a tool in what is left that does not say
// that it only reads, and that an honest tool stays.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`{"tools":[{"name":"get","annotations":{"readOnlyHint":true}},{"name":"pay"}],"nextCursor":"x"}`, `{"tools":[ ],"Tools":[{"name":"pay"}]}`, `{"tools":{"name":"pay"}}`, `{"tools":[[{"name":"pay"}],7,null,"]"]}`,
		`{"tools":[{"name":"a","annotations":{"readOnlyHint":true,"readonlyhint":false}} , {"name":"b","annotations":{"readOnlyHint":true},"annotations":{}}]}`,
		`{"tool\u017f":[{"name":"pay"}],"tools\u0000":[{"name":"pay","annotations":{"readOnlyHint":true,"readOnlyHint\u0000":0}}]}`, `[]`, `{"tools":[{"name":"a","annotations":{"readOnlyHint":true}},{"name":"a"}]}`, `[],"":0`,
	} {
		f.Add([]byte(s))
	}
	readOnly := policy.New(policy.Rules{ReadOnly: true})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := jsonmsg.Scan(slices.Concat([]byte(`{"id":1,"result":`), raw, []byte("}"))); err != nil || m.Kind != jsonmsg.Response || !json.Valid(raw) {
			return // it is no result, or more than one value
		}
		out := readOnly.Filter(raw)
		if !json.Valid(out) {
			t.Fatalf("%s became %s", raw, out)
		}
		if again := readOnly.Filter(out); !bytes.Equal(again, out) {
			t.Fatalf("%s became %s, and then %s", raw, out, again)
		}
		for _, list := range readers() {
			for _, tool := range elements(list.get(out, "tools")) {
				for _, r := range readers() {
					if hint := r.get(r.get(tool, "annotations"), "readOnlyHint"); string(hint) != "true" || r.text(r.get(tool, "name")) == "" {
						t.Fatalf("%s became %s, in which %s with %s finds %s", raw, out, list.name, r.name, tool)
					}
				}
			}
		}
		left(t, raw)
	})
}

// left compares with a filter that decodes and encodes, where a result can be read
// in one way.
func left(t *testing.T, raw []byte) {
	t.Helper()
	var o map[string]any
	if json.Unmarshal(raw, &o) != nil {
		return
	}
	plain, err := json.Marshal(o) // without what stands twice
	if err != nil || bytes.Contains(plain, []byte(`\u0000`)) || bytes.Contains(plain, []byte("\ufffd")) {
		return
	}
	var want []string
	names := map[string]int{}
	for _, tool := range elements(inMap(plain, "tools")) {
		names[text(inMap(tool, "name"))]++
	}
	for _, tool := range elements(inMap(plain, "tools")) {
		name := text(inMap(tool, "name"))
		honest := string(tool) == `{"annotations":{"readOnlyHint":true},"name":`+string(jsonmsg.Quote(name))+`}`
		if honest && names[name] == 1 && name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
			want = append(want, string(tool))
		}
	}
	got := readOnlyNames(policy.New(policy.Rules{ReadOnly: true}).Filter(plain))
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Fatalf("%s lacks %s", got, w)
		}
	}
}

func readOnlyNames(result []byte) []string {
	var all []string
	for _, tool := range elements(inMap(result, "tools")) {
		all = append(all, string(tool))
	}
	return all
}

func elements(array json.RawMessage) []json.RawMessage {
	var all []json.RawMessage
	_ = json.Unmarshal(array, &all)
	return all
}
