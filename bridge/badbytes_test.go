package bridge_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// deep is a value that nests n levels.
func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// badLines are lines of the host that are not relayed: each has its one answer,
// with the id that it certainly has (RELAY section 3, JSON-RPC 2.0 section 5).
func badLines() map[string]struct {
	line string
	code int
	id   string
} {
	return map[string]struct {
		line string
		code int
		id   string
	}{
		"no JSON":                      {`hello`, -32700, "null"},
		"half a message":               {`{"id":1,"method":"x"`, -32700, "null"},
		"two messages on a line":       {`{"id":1,"method":"x"}{"id":2,"method":"y"}`, -32700, "null"},
		"comma at the end":             {`{"id":1,"method":"x",}`, -32700, "null"},
		"number with a leading zero":   {`{"id":01,"method":"x"}`, -32700, "null"},
		"NaN":                          {`{"id":NaN,"method":"x"}`, -32700, "null"},
		"single quotes":                {`{'id':1,'method':'x'}`, -32700, "null"},
		"NUL":                          {"\x00", -32700, "null"},
		"NUL in a string":              {"{\"id\":1,\"method\":\"x\x00\"}", -32700, "null"},
		"NUL after the message":        {"{\"id\":1,\"method\":\"x\"}\x00", -32700, "null"},
		"CR in a string":               {"{\"id\":1,\"method\":\"x\ry\"}", -32700, "null"},
		"BOM":                          {"\ufeff{\"id\":1,\"method\":\"x\"}", -32700, "null"},
		"UTF-16":                       {"{\x00\"\x00i\x00d\x00\"\x00:\x001\x00}\x00", -32700, "null"},
		"invalid UTF-8":                {"{\"id\":1,\"method\":\"\xc3\x28\"}", -32700, "null"},
		"half a rune":                  {"{\"id\":1,\"method\":\"\xe2\x82\"}", -32700, "null"},
		"surrogate as UTF-8":           {"{\"id\":1,\"method\":\"\xed\xa0\x80\"}", -32700, "null"},
		"batch":                        {`[{"id":1,"method":"x"},{"id":2,"method":"y"}]`, -32700, "null"},
		"batch of notifications":       {`[{"method":"x"},{"method":"y"}]`, -32700, "null"},
		"empty batch":                  {`[]`, -32700, "null"},
		"a string":                     {`"x"`, -32600, "null"},
		"null":                         {`null`, -32600, "null"},
		"empty object":                 {`{}`, -32600, "null"},
		"no method":                    {`{"id":1,"params":{}}`, -32600, "null"},
		"method is a number":           {`{"id":1,"method":2}`, -32600, "1"},
		"method is empty":              {`{"id":1,"method":""}`, -32600, "1"},
		"id null":                      {`{"id":null,"method":"x"}`, -32600, "null"},
		"id is an object":              {`{"id":{},"method":"x"}`, -32600, "null"},
		"id is true":                   {`{"id":true,"method":"x"}`, -32600, "null"},
		"second id":                    {`{"id":1,"method":"x","id":1}`, -32600, "null"},
		"second id, escaped":           {`{"id":1,"method":"x","\u0069d":2}`, -32600, "null"},
		"second method":                {`{"id":1,"method":"x","method":"x"}`, -32600, "1"},
		"second params":                {`{"id":1,"method":"x","params":{},"params":{}}`, -32600, "1"},
		"second name":                  {`{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}`, -32600, "1"},
		"answer with id true":          {`{"id":true,"result":{}}`, -32600, "null"},
		"answer with two results":      {`{"id":1,"result":{},"result":{}}`, -32600, "null"},
		"10,000 levels in a request":   {`{"id":"d","method":"x","params":` + deep(10000) + `}`, -32600, `"d"`},
		"10,000 levels before the id":  {`{"params":` + deep(10000) + `,"method":"x","id":7}`, -32600, "7"},
		"10,000 levels, never closed":  {`{"method":"x","id":8,"params":` + strings.Repeat("[", 10000), -32600, "8"},
		"10,000 levels in an answer":   {`{"id":1,"result":` + deep(10000) + `}`, -32600, "null"},
		"10,000 levels, no id":         {`{"method":"x","params":` + deep(10000) + `}`, -32600, "null"},
		"request and answer in one":    {`{"id":1,"method":"x","result":{},"result":{}}`, -32600, "1"},
		"million levels and a newline": {strings.Repeat("[", 1000000), -32700, "null"},
	}
}

//oauth:row X22 internal/jsonmsg/literal.go "case c < 0x20:" => "case c < 0x20 && c != 0:"
//oauth:row X22 internal/jsonmsg/envelope.go "if n > 1 {" => "if n > 2 {"
func TestBadBytes_badLine_oneAnswerAndTheNextCallWorks(t *testing.T) {
	t.Parallel()
	up := &fake{}
	h := start(t, bridge.Config{Remote: up})
	n := 0
	for name, c := range badLines() {
		h.send(c.line)
		f := h.nextFault()
		if f.Error.Code != c.code || f.id() != c.id || f.Error.Data.Kind != "bad_message" {
			t.Errorf("%s: %+v; want code %d, id %s", name, f, c.code, c.id)
		}
		n++
		h.send(fmt.Sprintf(`{"id":"next-%d","method":"ping"}`, n))
		h.expect(fmt.Sprintf(`{"id":"next-%d","result":{}}`, n))
	}
	if _, rest := h.eof(); len(rest) != 0 {
		t.Errorf("answered twice: %q", rest)
	}
	if got := up.sent(); len(got) != n {
		t.Errorf("%d messages reached the server, want %d", len(got), n)
	}
}

// Silence is right where there is nothing to answer.
func TestBadBytes_nothingToAnswer_silence(t *testing.T) {
	t.Parallel()
	up := &fake{}
	h := start(t, bridge.Config{Remote: up})
	h.send("", "\r", " \t ", "\r\r", "",
		`{"id":"never asked","result":{}}`, `{"id":null,"error":{"code":1,"message":"m"}}`,
		`{"method":"notifications/cancelled","params":{"requestId":"never sent"}}`,
		`{"method":"notifications/cancelled","params":{}}`, `{"method":"notifications/cancelled"}`,
		`{"id":1,"method":"ping"}`)
	h.expect(`{"id":1,"result":{}}`)
	if _, rest := h.eof(); len(rest) != 0 {
		t.Errorf("answered: %q", rest)
	}
	if diff := cmp.Diff([]string{`{"id":1,"method":"ping"}`}, up.sent()); diff != "" {
		t.Error(diff)
	}
}

// The host's answer to a request of the server passes, once.
//
//oauth:row X24 bridge/route.go "case m.Kind == jsonmsg.Response && !b.asked.answered(m):" => "case false:"
func TestBadBytes_secondAnswer_dropped(t *testing.T) {
	t.Parallel()
	const question, reply = `{"id":"q\u0031","method":"roots/list"}`, `{"id":"q1","result":{}}`
	up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "tools/call" {
			h.Deliver(scan(question))
		}
		return echo(ctx, m, h)
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(slow)
	h.expect(question, `{"id":1,"result":{}}`)
	h.send(reply, reply)
	if _, rest := h.eof(); len(rest) != 0 {
		t.Errorf("answered: %q", rest)
	}
	if diff := cmp.Diff([]string{slow, reply}, up.sent()); diff != "" {
		t.Error(diff)
	}
}

// What is odd but legal is relayed byte for byte, and so is its id (RELAY F1).
func TestBadBytes_oddButLegal_untouchedBothWays(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("é", 5<<10) + `"`
	for name, c := range map[string]struct{ line, id string }{
		"CRLF and blanks":             {` {"id":1,"method":"x"} ` + "\r", "1"},
		"no jsonrpc":                  {`{"id":2,"method":"x"}`, "2"},
		"wrong jsonrpc":               {`{"jsonrpc":"1.0","id":2,"method":"x"}`, "2"},
		"id is a fraction":            {`{"id":1.5,"method":"x"}`, "1.5"},
		"id is 2^53+1":                {`{"id":9007199254740993,"method":"x"}`, "9007199254740993"},
		"id has no double":            {`{"id":1e400,"method":"x"}`, "1e400"},
		"id is minus zero":            {`{"id":-0,"method":"x"}`, "-0"},
		"id is empty":                 {`{"id":"","method":"x"}`, `""`},
		"id is an escaped NUL":        {`{"id":"\u0000","method":"x"}`, `"\u0000"`},
		"id is a lone surrogate":      {`{"id":"\ud800","method":"x"}`, `"\ud800"`},
		"id of 10 KB":                 {`{"id":` + long + `,"method":"x"}`, long},
		"duplicate keys nobody reads": {`{"id":3,"method":"x","params":{"a":1,"a":2,"arguments":{"id":1,"id":2}},"z":1,"z":2}`, "3"},
		"other case":                  {`{"ID":4,"id":5,"METHOD":"y","method":"x"}`, "5"},
		"as deep as it may be":        {`{"id":6,"method":"x","params":` + deep(jsonmsg.MaxDepth-1) + `}`, "6"},
		"not a character":             {"{\"id\":7,\"method\":\"\uffff\u2028\"}", "7"},
	} {
		up := &fake{}
		h := start(t, bridge.Config{Remote: up})
		h.send(c.line)
		h.expect(`{"id":` + c.id + `,"result":{}}`)
		h.eof()
		if diff := cmp.Diff([]string{strings.Trim(c.line, " \r")}, up.sent()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// The end may come in the middle of anything.
func TestBadBytes_endInTheMiddle_answeredIfBad(t *testing.T) {
	t.Parallel()
	for tail, code := range map[string]int{
		`{"id":1,"method":"tools/call","params":{"name":"pa`: -32700,
		"{\"id\":1,\"method\":\"\xe2":                        -32700,
		`{`:                                                  -32700,
		"\r":                                                 0,
	} {
		up := &fake{}
		h := start(t, bridge.Config{Remote: up})
		if _, err := io.WriteString(h.in, tail); err != nil {
			t.Fatal(err)
		}
		_, rest := h.eof()
		if bad := code != 0; len(rest) != map[bool]int{true: 1}[bad] || bad && !strings.Contains(rest[0], fmt.Sprint(code)) || len(up.sent()) != 0 {
			t.Errorf("%q: answers %q, sent %q", tail, rest, up.sent())
		}
	}
}

// Messages may come in any pieces.
func TestBadBytes_bytewise_likeWhole(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: &fake{}})
	for _, b := range []byte("{\"id\":1,\"method\":\"é\"}\r\n\n\x00\n{\"id\":2,\"method\":\"x\"}\n") {
		if _, err := h.in.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	got := []string{h.next(), h.next(), h.next()}
	slices.Sort(got)
	if got[0] != `{"id":1,"result":{}}` || got[1] != `{"id":2,"result":{}}` || !strings.Contains(got[2], "-32700") {
		t.Errorf("%q", got)
	}
}

// An over-long line costs its own message only, whatever is in it.
func TestBadBytes_overlongLine_answeredIfItsIDIsCertain(t *testing.T) {
	t.Parallel()
	filler := strings.Repeat("x", 1<<20)
	up := &fake{}
	h := start(t, bridge.Config{Remote: up})
	for n, c := range []struct{ head, tail, id string }{
		{`{"id":"first","method":"x","params":"`, `"}`, `"first"`},
		{`{"params":"`, `","method":"x","id":9007199254740993}`, "9007199254740993"},
		{`{"id":1,"method":"x","params":"`, `","id":2}`, ""},
		{`{"id":null,"method":"x","params":"`, `"}`, ""},
		{`{"id":1,"result":"`, `"}`, ""},
		{``, ``, ""},
	} {
		parts := append(slices.Repeat([]string{filler}, 64), c.tail, "\n")
		for _, part := range append([]string{c.head}, parts...) {
			if _, err := io.WriteString(h.in, part); err != nil {
				t.Fatal(err)
			}
		}
		h.send(fmt.Sprintf(`{"id":"next-%d","method":"ping"}`, n))
		if c.id != "" {
			if f := h.nextFault(); f.id() != c.id || f.Error.Code != -32600 {
				t.Errorf("%.40s: %+v", c.head, f)
			}
		}
		h.expect(fmt.Sprintf(`{"id":"next-%d","result":{}}`, n))
	}
}

// A server that floods a host which does not read has to wait (RELAY O8), and
// every message arrives in order once the host reads.
func TestBadBytes_floodAndSlowHost_allArriveInOrder(t *testing.T) {
	t.Parallel()
	const many = 100_000
	up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		for i := range many {
			h.Deliver(scan(fmt.Sprintf(`{"method":"notifications/n","params":{"i":%d}}`, i)))
		}
		return echo(ctx, m, h)
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(slow)
	for i := range many {
		h.expect(fmt.Sprintf(`{"method":"notifications/n","params":{"i":%d}}`, i))
	}
	h.expect(`{"id":1,"result":{}}`)
}

// A host that never answers does not make the bridge deaf to its later answers.
func TestBadBytes_hostAnswersTheNewestOnly_taken(t *testing.T) {
	t.Parallel()
	const many = 1500
	up := &fake{on: func(ctx context.Context, m jsonmsg.Message, h remote.Hooks) error {
		if m.Method == "tools/call" {
			for i := range many {
				h.Deliver(scan(fmt.Sprintf(`{"id":"q%d","method":"roots/list"}`, i)))
			}
		}
		return echo(ctx, m, h)
	}}
	h := start(t, bridge.Config{Remote: up})
	h.send(slow)
	for range many + 1 {
		h.next()
	}
	newest := fmt.Sprintf(`{"id":"q%d","result":{}}`, many-1)
	h.send(`{"id":"q0","result":{}}`, newest)
	h.eof()
	if diff := cmp.Diff([]string{slow, newest}, up.sent()); diff != "" {
		t.Error(diff)
	}
}
