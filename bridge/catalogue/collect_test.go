package catalogue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const client = `{"name":"payu-mcp","version":"<1>"}`

var errDown = errors.New("the network is down")

// server answers each method with the next of its answers: `result` or
// `error`, as raw JSON. "down" is a fault of the network.
type server struct {
	t       *testing.T
	answers map[string][]string
	sent    []jsonmsg.Message
}

func (s *server) Do(_ context.Context, m jsonmsg.Message, h remote.Hooks) error {
	s.sent = append(s.sent, m)
	if m.Kind == jsonmsg.Notification {
		return nil
	}
	left := s.answers[m.Method]
	if len(left) == 0 {
		s.t.Errorf("unexpected %s", m.Raw)
		return errDown
	}
	s.answers[m.Method] = left[1:]
	if left[0] == "down" {
		return errDown
	}
	for _, raw := range []string{
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}`,
		`{"jsonrpc":"2.0","id":` + string(m.ID) + `,` + left[0] + `}`,
	} {
		answer, err := jsonmsg.Scan([]byte(raw))
		if err != nil {
			s.t.Error(err)
		}
		h.Deliver(answer)
	}
	return nil
}

// methods lists what was sent, in order.
func (s *server) methods() string {
	var all []string
	for _, m := range s.sent {
		all = append(all, m.Method)
	}
	return strings.Join(all, ", ")
}

func result(r string) string { return `"result":` + r }

func refusal(code int) string {
	return fmt.Sprintf(`"error":{"code":%d,"message":"no"}`, code)
}

func legacy(capabilities string) string {
	return `{"protocolVersion":"2025-11-25", "capabilities":` + capabilities + `,"serverInfo":{"name":"s<>","version":"1.0"}}`
}

func TestCollect_legacyServer_everyDeclaredListAsWritten(t *testing.T) {
	t.Parallel()
	opening := legacy(`{"tools":{},"resources":{"subscribe":true},"logging":{}}`)
	s := &server{t: t, answers: map[string][]string{
		"initialize":               {result(opening)},
		"tools/list":               {result(`{"x":1.0, "tools":[ {"name":"<a>","n":1e2} ] }`)},
		"resources/list":           {result(`{"resources":[],"_meta":{"k":1}}`)},
		"resources/templates/list": {refusal(-32601)},
	}}
	got, err := catalogue.Collect(t.Context(), s, version, json.RawMessage(client))
	if err != nil {
		t.Fatal(err)
	}
	want := catalogue.Saved{Opening: json.RawMessage(opening), Lists: map[string]json.RawMessage{
		"tools/list":     json.RawMessage(`{"x":1.0, "tools":[ {"name":"<a>","n":1e2} ] }`),
		"resources/list": json.RawMessage(`{"resources":[],"_meta":{"k":1}}`),
	}}
	if !equal(*got, want) {
		t.Errorf("%+v", got)
	}
	if sent := s.methods(); sent != "initialize, notifications/initialized, tools/list, resources/list, resources/templates/list" {
		t.Errorf("sent %s", sent)
	}
	if p := jsonmsg.Lookup(s.sent[0].Raw, "params"); string(p) != `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":`+client+`}` {
		t.Errorf("initialize with %s", p)
	}
	if p := jsonmsg.Lookup(s.sent[2].Raw, "params"); string(p) != `{}` {
		t.Errorf("tools/list with %s", p)
	}
	shelf, _, _ := newShelf(t)
	save(t, shelf, *got)
}

func TestCollect_modernServer_metaOnEveryRequest(t *testing.T) {
	t.Parallel()
	opening := `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"prompts":{}}}`
	s := &server{t: t, answers: map[string][]string{
		"server/discover": {result(opening)},
		"prompts/list":    {result(`{"resultType":"complete","prompts":[{"name":"p"}],"nextCursor":"2"}`), result(`{"resultType":"complete","prompts":[]}`)},
	}}
	got, err := catalogue.Collect(t.Context(), s, catalogue.Modern, json.RawMessage(client))
	if err != nil || string(got.Opening) != opening || string(got.Lists["prompts/list"]) != `{"resultType":"complete","prompts":[{"name":"p"}]}` {
		t.Fatalf("%v, %+v", err, got)
	}
	if sent := s.methods(); sent != "server/discover, prompts/list, prompts/list" {
		t.Errorf("sent %s", sent)
	}
	want := `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":` + client + `,"io.modelcontextprotocol/clientCapabilities":{}}`
	for _, m := range s.sent {
		if meta := jsonmsg.Lookup(m.Raw, "params", "_meta"); string(meta) != want || !m.Modern() {
			t.Errorf("%s with _meta %s", m.Method, meta)
		}
	}
}

func TestCollect_noUse_noCatalogue(t *testing.T) {
	t.Parallel()
	tools := legacy(`{"tools":{}}`)
	for name, c := range map[string]struct {
		version string
		answers map[string][]string
		refused bool
		down    bool
	}{
		"refused":             {version, map[string][]string{"initialize": {refusal(-32022)}}, true, false},
		"down":                {version, map[string][]string{"initialize": {"down"}}, false, true},
		"down later":          {version, map[string][]string{"initialize": {result(tools)}, "tools/list": {"down"}}, false, true},
		"another version":     {"2025-06-18", map[string][]string{"initialize": {result(tools)}}, false, false},
		"no object":           {version, map[string][]string{"initialize": {result(`"yes"`)}}, false, false},
		"no list":             {version, map[string][]string{"initialize": {result(tools)}, "tools/list": {result(`{"prompts":[]}`)}}, false, false},
		"wants input":         {version, map[string][]string{"initialize": {result(tools)}, "tools/list": {result(`{"resultType":"input_required","tools":[]}`)}}, false, false},
		"modern, another":     {catalogue.Modern, map[string][]string{"server/discover": {result(`{"supportedVersions":["2027-01-01"],"capabilities":{"tools":{}}}`)}}, false, false},
		"modern, no versions": {catalogue.Modern, map[string][]string{"server/discover": {result(`{"capabilities":{"tools":{}}}`)}}, false, false},
	} {
		s := &server{t: t, answers: c.answers}
		got, err := catalogue.Collect(t.Context(), s, c.version, json.RawMessage(client))
		e, refused := errors.AsType[*catalogue.RefusedError](err)
		if got != nil || err == nil || refused != c.refused || errors.Is(err, errDown) != c.down {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if refused && (e.Code != -32022 || e.Method != "initialize") {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestCollectList_pages_oneResultOfTheFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pages []string
		want  string
	}{
		"one":            {[]string{`{ "tools" : [1.0] }`}, `{ "tools" : [1.0] }`},
		"empty cursor":   {[]string{`{"tools":[1.0],"nextCursor":""}`}, `{"tools":[1.0]}`},
		"null cursor":    {[]string{`{"nextCursor":null,"tools":[1.0]}`}, `{"tools":[1.0]}`},
		"three":          {[]string{`{"a":"<\u003c","tools":[ {"n":1.0}, {} ],"nextCursor":"<\u0041>","z":1E3}`, `{"tools":[],"nextCursor":"3","a":2}`, `{"tools":[{"n":12345678901234567890}]}`}, `{"a":"<\u003c","tools":[{"n":1.0}, {},{"n":12345678901234567890}],"z":1E3}`},
		"nothing at all": {[]string{`{"nextCursor":"2","tools":[ ]}`, `{"tools":[]}`}, `{"tools":[]}`},
	} {
		s := &server{t: t, answers: map[string][]string{}}
		for _, p := range c.pages {
			s.answers["tools/list"] = append(s.answers["tools/list"], result(p))
		}
		got, err := catalogue.CollectList(t.Context(), s, "tools/list", nil)
		if err != nil || string(got) != c.want || len(s.sent) != len(c.pages) {
			t.Errorf("%s: %v after %d requests\n got %s\nwant %s", name, err, len(s.sent), got, c.want)
		}
		if name == "three" {
			for i, want := range []string{`{}`, `{"cursor":"<\u0041>"}`, `{"cursor":"3"}`} {
				if p := jsonmsg.Lookup(s.sent[i].Raw, "params"); string(p) != want {
					t.Errorf("page %d was asked for with %s", i, p)
				}
			}
		}
	}
}

func TestCollectList_meta_staysWithoutTheHostsProgressToken(t *testing.T) {
	t.Parallel()
	s := &server{t: t, answers: map[string][]string{"tools/list": {result(`{"tools":[],"nextCursor":"2"}`), result(`{"tools":[]}`)}}}
	meta := `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":"t","x":"<"}`
	if _, err := catalogue.CollectList(t.Context(), s, "tools/list", json.RawMessage(meta)); err != nil {
		t.Fatal(err)
	}
	for _, m := range s.sent {
		if got := jsonmsg.Lookup(m.Raw, "params", "_meta"); string(got) != `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","x":"<"}` {
			t.Errorf("_meta %s", got)
		}
	}
}

func TestCollectList_ids_ofOurOwnAndNeverTwice(t *testing.T) {
	t.Parallel()
	s := &server{t: t, answers: map[string][]string{"tools/list": slices.Repeat([]string{result(`{"tools":[]}`)}, 20)}}
	ids := map[string]bool{}
	for range 20 {
		if _, err := catalogue.CollectList(t.Context(), s, "tools/list", nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range s.sent {
		if ids[string(m.ID)] = true; !strings.HasPrefix(string(m.ID), `"payu-mcp/catalogue-`) {
			t.Errorf("id %s", m.ID)
		}
	}
	if len(ids) != 20 {
		t.Errorf("%d ids: %v", len(ids), slices.Collect(maps.Keys(ids)))
	}
}

func TestCollectList_endlessOrHuge_givenUp(t *testing.T) {
	t.Parallel()
	endless := &server{t: t, answers: map[string][]string{}}
	for n := range 60 {
		endless.answers["tools/list"] = append(endless.answers["tools/list"], result(`{"tools":[{}],"nextCursor":"`+strconv.Itoa(n)+`"}`))
	}
	if got, err := catalogue.CollectList(t.Context(), endless, "tools/list", nil); got != nil || err == nil || len(endless.sent) != 50 {
		t.Errorf("endless: %d bytes, %v, %d requests", len(got), err, len(endless.sent))
	}
	big := result(`{"tools":["` + strings.Repeat("x", 3<<20) + `"],"nextCursor":"n"}`)
	huge := &server{t: t, answers: map[string][]string{"tools/list": {big, big, big, big}}}
	if got, err := catalogue.CollectList(t.Context(), huge, "tools/list", nil); got != nil || err == nil || len(huge.sent) != 3 {
		t.Errorf("huge: %d bytes, %v, %d requests", len(got), err, len(huge.sent))
	}
	if _, err := catalogue.CollectList(t.Context(), huge, "tools/call", nil); err == nil || len(huge.sent) != 3 {
		t.Errorf("no list method: %v", err)
	}
}
