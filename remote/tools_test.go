package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// listOf makes an answer to tools/list.
func listOf(tools ...string) string {
	return `{"jsonrpc":"2.0","id":1,"result":{"tools":[` + strings.Join(tools, ",") + `]}}`
}

// withProperties makes a tool named t.
func withProperties(properties string) string {
	return `{"name":"t","inputSchema":{"type":"object","properties":{` + properties + `}}}`
}

// specTool is the example of MCP 2026-07-28, "Schema Extension".
const specTool = `{"name": "execute_sql", "description": "Execute SQL on Google Cloud Spanner", "inputSchema": {"type": "object", "properties": {
 "region": {"type": "string", "description": "The region to execute the query in", "x-mcp-header": "Region"},
 "query": {"type": "string", "description": "The SQL query to execute"}}, "required": ["region", "query"]}}`

func TestToolbox_specExample_headerOfTheCall(t *testing.T) {
	t.Parallel()
	var box toolbox
	if _, ok := box.of("execute_sql"); ok {
		t.Error("known before any list")
	}
	box.learn([]byte(listOf(specTool)), true)
	known, ok := box.of("execute_sql")
	h := http.Header{}
	mirror(h, known.bindings, scanned(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_sql","arguments":{"region":"us-west1","query":"SELECT 1"}}}`))
	if !ok || !known.valid || known.readOnly || h.Get("Mcp-Param-Region") != "us-west1" || len(h) != 1 {
		t.Error(known, ok, h)
	}
}

func TestSchema_validAnnotations_bound(t *testing.T) {
	t.Parallel()
	for tool, want := range map[string]string{
		withProperties(`"a":{"type":"string","x-mcp-header":"A"},"b":{"x-mcp-header":"B-1.~","type":"integer"},"c":{"type":"boolean","x-mcp-header":"c"}`):                 "[{[a] Mcp-Param-A} {[b] Mcp-Param-B-1.~} {[c] Mcp-Param-c}]",
		withProperties(`"o":{"type":"object","properties":{"p":{"properties":{"q":{"type":"string","x-mcp-header":"Q"}}}}}`):                                               "[{[o p q] Mcp-Param-Q}]",
		withProperties(`"o":{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"B"}}}`):                                           "[{[o a] Mcp-Param-A} {[o b] Mcp-Param-B}]",
		withProperties(`"o":{"properties":{"p":{"properties":{"q":{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"B"}}}}}}}`): "[{[o p q a] Mcp-Param-A} {[o p q b] Mcp-Param-B}]",
		withProperties(`"a":{"type":"string","\u0078-mcp-header":"A"}`):                                                                                                    "[{[a] Mcp-Param-A}]",
		withProperties(`"x-mcp-header":{"type":"string"}`):                                                                                                                 "[]",
		withProperties(`"properties":{"type":"string","x-mcp-header":"P"},"items":{"type":"string","x-mcp-header":"I"}`):                                                   "[{[properties] Mcp-Param-P} {[items] Mcp-Param-I}]",
		withProperties(`"a":{"type":"object","default":{"x-mcp-header":1},"examples":[{"x-mcp-header":""}],"enum":[{"x-mcp-header":2}]}`):                                  "[]",
		withProperties(`"a":{"const":{"x-mcp-header":""}},"b":true,"c":7`):                                                                                                 "[]",
		withProperties(`"a":{"type":"string","X-MCP-Header":"","description":"x-mcp-header"}`):                                                                             "[]",
		`{"name":"t","x-mcp-header":1,"outputSchema":{"x-mcp-header":""},"InputSchema":{"x-mcp-header":""},"inputSchema":{"type":"object"}}`:                               "[]",
		`{"name":"t","inputSchema":["x-mcp-header"]}`:                                                                                                                      "[]",
		`{"name":"t"}`: "[]",
	} {
		var box toolbox
		box.learn([]byte(listOf(tool)), true)
		known, ok := box.of("t")
		if got := fmt.Sprint(known.bindings); !ok || !known.valid || got != want {
			t.Errorf("%s:\n got %s %+v\nwant %s", tool, got, known, want)
		}
		if m, out := box.filter(scanned(t, listOf(tool))); len(out) != 0 || string(m.Raw) != listOf(tool) {
			t.Errorf("%s: changed, %v", tool, out)
		}
	}
}

//oauth:row X23 remote/schema.go "case !isToken(name):" => "case false:"
func TestSchema_invalidAnnotations_toolLeftOut(t *testing.T) {
	t.Parallel()
	annotated := `{"type":"string","x-mcp-header":"A"}`
	for tool, want := range map[string]error{
		withProperties(`"a":{"type":"string","x-mcp-header":""}`):                                                       errHeaderName,
		withProperties(`"a":{"type":"string","x-mcp-header":"My Region"}`):                                              errHeaderName,
		withProperties(`"a":{"type":"string","x-mcp-header":"Region:Primary"}`):                                         errHeaderName,
		withProperties(`"a":{"type":"string","x-mcp-header":"Région"}`):                                                 errHeaderName,
		withProperties(`"a":{"type":"string","x-mcp-header":"Region\t1"}`):                                              errHeaderName,
		withProperties(`"a":{"type":"string","x-mcp-header":"A\r\nB"}`):                                                 errHeaderName,
		withProperties(`"a":{"type":"string","\u0078-mcp-header":"a b"}`):                                               errHeaderName,
		withProperties(`"a":{"type":"string","x-mcp-header":null}`):                                                     errHeaderName,
		withProperties(`"a":{"type":"string","x-mcp-header":["A"]}`):                                                    errHeaderName,
		withProperties(`"a":{"type":"object","x-mcp-header":"A"}`):                                                      errHeaderType,
		withProperties(`"a":{"type":"array","items":{"type":"string"},"x-mcp-header":"A"}`):                             errHeaderType,
		withProperties(`"a":{"type":"null","x-mcp-header":"A"}`):                                                        errHeaderType,
		withProperties(`"a":{"type":"number","x-mcp-header":"A"}`):                                                      errHeaderType,
		withProperties(`"a":{"type":["string","null"],"x-mcp-header":"A"}`):                                             errHeaderType,
		withProperties(`"a":{"x-mcp-header":"A"}`):                                                                      errHeaderType,
		withProperties(`"a":{"type":"string","x-mcp-header":"R"},"b":{"type":"string","x-mcp-header":"R"}`):             errHeaderTwice,
		withProperties(`"a":{"type":"string","x-mcp-header":"MyField"},"b":{"type":"string","x-mcp-header":"myfield"}`): errHeaderTwice,
		withProperties(`"a":` + annotated + `,"o":{"properties":{"a":` + annotated + `}}`):                              errHeaderTwice,
		withProperties(`"a":{"type":"string","x-mcp-header":"A","x-mcp-header":"B"}`):                                   errSchemaMember,
		withProperties(`"a":{"type":"object","type":"string","x-mcp-header":"A"}`):                                      errSchemaMember,
		withProperties(`"a":{"items":` + annotated + `}`):                                                               errHeaderPlace,
		withProperties(`"a":{"prefixItems":[` + annotated + `]}`):                                                       errHeaderPlace,
		withProperties(`"a":{"items":{"properties":{"b":` + annotated + `}}}`):                                          errHeaderPlace,
		withProperties(`"a":{"oneOf":[{"type":"string"},` + annotated + `]}`):                                           errHeaderPlace,
		withProperties(`"a":{"anyOf":[{"properties":{"b":` + annotated + `}}]}`):                                        errHeaderPlace,
		withProperties(`"a":{"not":` + annotated + `}`):                                                                 errHeaderPlace,
		withProperties(`"a":{"additionalProperties":` + annotated + `}`):                                                errHeaderPlace,
		withProperties(`"a":{"patternProperties":{"x":` + annotated + `}}`):                                             errHeaderPlace,
		withProperties(`"a":{"type":"string"}},"if":{"properties":{"a":` + annotated + `}}, "x":{`):                     errHeaderPlace,
		withProperties(`"a":{"$ref":"#/$defs/a"}},"$defs":{"a":` + annotated + `}, "x":{`):                              errHeaderPlace,
		withProperties(`},"allOf":[{"properties":{"a":` + annotated + `}}], "x":{`):                                     errHeaderPlace,
		withProperties(`},"x-mcp-header":"A","x":{`):                                                                    errHeaderPlace,
		`{"inputSchema":{"properties":[` + annotated + `]},"name":"t"}`:                                                 errHeaderPlace,
		`{"inputSchema":{"properties":{"a":{"x-mcp-header":"A"}}},"inputSchema":{},"name":"t"}`:                         errHeaderType,
	} {
		var box toolbox
		box.learn([]byte(listOf(tool)), true)
		if known, ok := box.of("t"); !ok || known.valid || known.bindings != nil {
			t.Errorf("%s: %+v, %v", tool, known, ok)
		}
		m, out := box.filter(scanned(t, listOf(tool)))
		if len(out) != 1 || !errors.Is(out[0].reason, want) || out[0].name != "t" || string(m.Raw) != listOf() {
			t.Errorf("%s: %s, %v, want %v", tool, m.Raw, out, want)
		}
	}
}

const (
	good  = `{"name":"good", "inputSchema":{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}, "n":1.0}`
	wrong = `{"name":"wrong","inputSchema":{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}}`
)

func TestFilter_positions_otherBytesUntouched(t *testing.T) {
	t.Parallel()
	g, w := good, wrong
	for in, want := range map[string]string{
		"[" + w + "]":                                 "[]",
		"[ " + w + " ]":                               "[  ]",
		"[" + w + "," + w + "]":                       "[]",
		"[" + g + "," + w + "]":                       "[" + g + "]",
		"[ " + g + " , " + w + " ]":                   "[ " + g + " ]",
		"[ " + w + " ,\t" + g + " ]":                  "[ " + g + " ]",
		"[" + w + "," + w + " , " + g + "]":           "[" + g + "]",
		"[" + w + "," + g + "," + w + "]":             "[" + g + "]",
		"[" + g + "," + w + "," + w + "," + g + "]":   "[" + g + "," + g + "]",
		"[null, " + w + ",7]":                         "[null,7]",
		"[" + g + "],\"tools\":[" + w + "]":           "[" + g + "],\"tools\":[]",
		"[" + w + "],\"tools\":[" + w + "," + g + "]": "[],\"tools\":[" + g + "]",
		"{\"0\":" + w + "}":                           "{\"0\":" + w + "}",
	} {
		head, tail := `{"result":{"nextCursor":"x","Tools":[`+w+`], "tools":`, `,"ttlMs":1e3} , "id" : 7, "jsonrpc":"2.0"}`
		var box toolbox
		m, out := box.filter(scanned(t, head+in+tail))
		if string(m.Raw) != head+want+tail || string(m.ID) != "7" || len(out) != strings.Count(in, "wrong")-strings.Count(want, "wrong") {
			t.Errorf("%s:\n got %s\nwant %s\nout %v", in, m.Raw, head+want+tail, out)
		}
		if again := m.WithID([]byte(`"new"`)); string(scanned(t, string(again.Raw)).ID) != `"new"` {
			t.Errorf("%s: the id cannot be changed any more: %s", in, again.Raw)
		}
	}
	plain := scanned(t, `{"id":1,"tools":[`+wrong+`],"result":{"x":{"tools":[`+wrong+`]}},"Result":{"tools":[`+wrong+`]}}`)
	if m, out := new(toolbox).filter(plain); out != nil || !bytes.Equal(m.Raw, plain.Raw) {
		t.Errorf("%s, %v", m.Raw, out)
	}
}

func TestFilter_manyAndLongNames_logStaysSmall(t *testing.T) {
	t.Parallel()
	long := strings.Replace(wrong, "wrong", strings.Repeat("é", 500), 1)
	m, out := new(toolbox).filter(scanned(t, listOf(slices.Repeat([]string{long}, 1000)...)))
	if string(m.Raw) != listOf() || len(out) != maxExcluded || out[0].name != strings.Repeat("é", 64) {
		t.Errorf("%s, %d, %q", m.Raw, len(out), out[0].name)
	}
}

func TestToolbox_readOnlyHint_onlyIfCertain(t *testing.T) {
	t.Parallel()
	hint := func(annotations string) string { return `{"name":"t",` + annotations + `"x":1}` }
	yes := hint(`"annotations":{"readOnlyHint":true},`)
	for list, want := range map[string]bool{
		yes: true,
		hint(`"annotations":{"title":"x","readOnlyHint": true ,"y":{}},`): true,
		hint(`"annotations":{"readOnlyHint":false},`):                     false,
		hint(`"annotations":{"readOnlyHint":"true"},`):                    false,
		hint(`"annotations":{"ReadOnlyHint":true},`):                      false,
		hint(`"Annotations":{"readOnlyHint":true},`):                      false,
		hint(`"annotations":{"readOnlyHint":true,"readOnlyHint":false},`): false,
		hint(`"annotations":{"readOnlyHint":false,"readOnlyHint":true},`): false,
		hint(`"annotations":{"readOnlyHint":true},"annotations":{},`):     false,
		hint(`"annotations":[{"readOnlyHint":true}],`):                    false,
		hint(`"readOnlyHint":true,`):                                      false,
		hint(``):                                                          false,
		yes + "," + hint(``):                                              false,
		hint(``) + "," + yes:                                              false,
		yes + "," + yes:                                                   true,
		yes + `],"tools":[` + hint(``):                                    false,
	} {
		var box toolbox
		box.learn([]byte(listOf(list)), true)
		if known, ok := box.of("t"); !ok || known.readOnly != want {
			t.Errorf("%s: %+v, %v", list, known, ok)
		}
	}
	var box toolbox
	box.learn([]byte(listOf(`{"name":"other","name":"t","annotations":{"readOnlyHint":true}}`)), true)
	if _, ok := box.of("t"); ok {
		t.Error("a tool with two names is known")
	}
}

func TestToolbox_pages_addUpUntilAFreshList(t *testing.T) {
	t.Parallel()
	var box toolbox
	page := func(name string, fresh bool) { box.learn([]byte(listOf(`{"name":"`+name+`"}`)), fresh) }
	known := func() (names string) {
		for _, n := range []string{"a", "b", "c"} {
			if _, ok := box.of(n); ok {
				names += n
			}
		}
		return names
	}
	page("a", true)
	page("b", false)
	for _, bad := range []string{`{"id":1,"error":{"code":-1,"message":"m"}}`, `{"id":1,"result":{}}`, `{"id":1,"result":{"tools":null}}`, `{"id":1,"result":{"tools":[{"name":"c"}`, ``} {
		box.learn([]byte(bad), true)
	}
	if got := known(); got != "ab" {
		t.Error(got)
	}
	if page("c", true); known() != "c" {
		t.Error(known())
	}
	if box.learn([]byte(listOf()), true); known() != "" {
		t.Error(known())
	}
}

func TestToolbox_sameNameTwice_theOneTheHostSees(t *testing.T) {
	t.Parallel()
	valid := withProperties(`"a":{"type":"string","x-mcp-header":"A"}`)
	invalid := withProperties(`"a":{"type":"number","x-mcp-header":"A"}`)
	for _, list := range [][]string{{valid, invalid}, {invalid, valid}} {
		var box toolbox
		box.learn([]byte(listOf(list...)), true)
		if known, _ := box.of("t"); !known.valid || len(known.bindings) != 1 {
			t.Errorf("%s: %+v", list, known)
		}
	}
}

func TestToolbox_tooManyOrTooLarge_bounded(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range maxTools + 5 {
		many = append(many, fmt.Sprintf(`{"name":"t%d"}`, i))
	}
	var box toolbox
	box.learn([]byte(listOf(many[:9000]...)), true)
	box.learn([]byte(listOf(many[9000:]...)), false)
	if n := len(box.tools); n != maxTools {
		t.Error(n)
	}
	box.learn([]byte(listOf(many[0])), false) // known already: takes no room
	if _, ok := box.of("t0"); !ok {
		t.Error("forgot a known tool")
	}
	long := strings.Repeat("x", 1<<20)
	box.learn([]byte(listOf(`{"name":"`+long+`"}`)), false)
	if _, ok := box.of(long); ok {
		t.Error("found room beyond the number of tools")
	}
	for i := range 9 {
		box.learn([]byte(listOf(`{"name":"`+long+`"}`)), i == 0)
	}
	if _, ok := box.of(long); !ok {
		t.Error("learning a tool again takes room")
	}
	for i := range 9 {
		box.learn([]byte(listOf(fmt.Sprintf(`{"name":"%d%s"}`, i, long))), i == 0)
	}
	if box.bytes > maxToolBytes || len(box.tools) != 7 {
		t.Error(box.bytes, len(box.tools))
	}
}

// FuzzToolFilter holds the splicing against encoding/json: decoded, the result
// is what came, less the tools that were left out.
func FuzzToolFilter(f *testing.F) {
	for _, s := range []string{
		listOf(), listOf(specTool), listOf(good, wrong), listOf(wrong, good, wrong, wrong), `{"id":1,"result":{"tools":[ ` + wrong + ` , null ] }}`,
		`{"result":{"tools":[` + wrong + `],"tools":[7,` + wrong + `]},"id":"x"}`, `{"id":1,"result":{"Tools":[` + wrong + `],"tools":[` + good + `]}}`,
		listOf(withProperties(`"a":{"oneOf":[{"\u0078-mcp-header":"A"}]}`)), `{"id":1,"error":{"code":1,"message":"\u0000"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := jsonmsg.Scan(raw)
		if err != nil {
			return
		}
		var box toolbox
		box.learn(raw, true)
		short, out := box.filter(m)
		if len(out) == 0 && !bytes.Equal(short.Raw, raw) {
			t.Fatalf("%s became %s, with nothing left out", raw, short.Raw)
		}
		if string(short.ID) != string(m.ID) || short.Kind != m.Kind {
			t.Fatalf("%s became %s: another message", raw, short.Raw)
		}
		if _, more := box.filter(short); len(out) < maxExcluded && len(more) != 0 {
			t.Fatalf("%s became %s, with %v still to leave out", raw, short.Raw, more)
		}
		if bytes.Count(raw, []byte(`"tools"`))+bytes.Count(raw, []byte(`\u`)) > 1 {
			return // which of them encoding/json takes says nothing
		}
		var before, after any
		if json.Unmarshal(raw, &before) != nil || json.Unmarshal(short.Raw, &after) != nil {
			t.Fatalf("%s became %s: no JSON", raw, short.Raw)
		}
		if dropped := lessTools(before, after); dropped != len(out) || !reflect.DeepEqual(before, after) {
			t.Fatalf("%s became %s: %d dropped, %v reported", raw, short.Raw, dropped, out)
		}
	})
}

// lessTools removes from before the tools that after lacks, and returns how many
// there were.
func lessTools(before, after any) (dropped int) {
	result := func(v any) (map[string]any, []any) {
		top, _ := v.(map[string]any)
		r, _ := top["result"].(map[string]any)
		tools, _ := r["tools"].([]any)
		return r, tools
	}
	into, all := result(before)
	_, rest := result(after)
	kept := []any{}
	for _, tool := range all {
		if len(kept) < len(rest) && cmp.Equal(tool, rest[len(kept)]) {
			kept = append(kept, tool)
		} else {
			dropped++
		}
	}
	if dropped > 0 {
		into["tools"] = kept
	}
	return dropped
}
