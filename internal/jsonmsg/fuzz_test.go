package jsonmsg_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"id":1,"method":"x"}`, `{"id":-0.1E+5,"result":[true,false,null,"\ud800\n",{}]}`, `[1]`, `{"a":"\u00zz"}`,
		`{"id":1e,"method":"x"}`, `{"params":{"name":"a","\u006eame":"b"},"method":"x"}`, "{\"id\":1,\"error\":\"\x1f\"}", `{"":{"":[[[]]]}}`, `{"id":1}{`, " ",
		`{"id":"12345678\"0","method":"tools/call","params":{"uri":"1234567","name":"12345678","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
		`{"method":"notifications/cancelled","params":{"requestId":"a\\","Name":1}}`, `{"ID":1,"id":2,"Method":"a","method":"b","error":{"id":3}}`,
		"{\n \"id\": 1,\r\n \"result\": \" \\n\\\\\" }\n", "{\"id\":1,\n\"result\":tr ue}", "{\"id\":\"1\n\",\"method\":\"x\"}", `{"id":1,"method":"` + strings.Repeat("é", 9) + `"}`,
	} {
		f.Add([]byte(s))
	}
}

// oracle is what encoding/json sees of a message.
type oracle struct {
	id, params     json.RawMessage
	method, name   string
	result, isFail bool
}

// judge decodes with encoding/json, through maps, which compare names as they
// are written. twice: a member that is judged stands twice.
func judge(t *testing.T, line []byte) (o oracle, twice bool) {
	t.Helper()
	top, twice := members(t, line)
	o.id, o.params = top["id"], top["params"]
	_, o.result = top["result"]
	_, o.isFail = top["error"]
	_ = json.Unmarshal(top["method"], &o.method)
	if len(o.params) > 0 && o.params[0] == '{' {
		params, again := members(t, o.params)
		twice = twice || again
		var uri string
		_ = json.Unmarshal(params["name"], &o.name)
		_ = json.Unmarshal(params["uri"], &uri)
		if o.name == "" {
			o.name = uri
		}
	}
	return o, twice
}

// members reads an object token by token, so as to see what stands twice.
func members(t *testing.T, object []byte) (all map[string]json.RawMessage, twice bool) {
	t.Helper()
	all = map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		name, _ := key.(string)
		_, again := all[name]
		twice = twice || again
		all[name] = value
	}
	return all, twice
}

// FuzzScan holds the scanner against encoding/json.
func FuzzScan(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := jsonmsg.Scan(line)
		valid := json.Valid(line) && utf8.Valid(line)
		switch {
		case errors.Is(err, jsonmsg.ErrDepth):
			if bytes.Count(line, []byte("["))+bytes.Count(line, []byte("{")) <= jsonmsg.MaxDepth {
				t.Fatalf("%q is not that deep", line)
			}
			return
		case errors.Is(err, jsonmsg.ErrBatch):
			if bytes.TrimLeft(line, " \t\r\n")[0] != '[' {
				t.Fatalf("%q is no batch", line)
			}
			return
		case errors.Is(err, jsonmsg.ErrSyntax) == valid:
			t.Fatalf("%q: valid is %v, the scanner says %v", line, valid, err)
		case !valid:
			return
		}
		if bytes.TrimLeft(line, " \t\r\n")[0] != '{' {
			if !errors.Is(err, jsonmsg.ErrInvalid) {
				t.Fatalf("%q: %v", line, err)
			}
			return
		}
		compare(t, line, m, err)
	})
}

// compare holds what Scan said of an object against the oracle.
func compare(t *testing.T, line []byte, m jsonmsg.Message, err error) {
	t.Helper()
	o, twice := judge(t, line)
	if errors.Is(err, jsonmsg.ErrDuplicate) && !twice && !bytes.Contains(line, []byte("protocolVersion")) && !bytes.Contains(line, []byte(`\u`)) {
		t.Fatalf("%q: nothing stands twice", line)
	}
	if err != nil {
		if m.ID != nil && (string(m.ID) != string(o.id) || o.method != m.Method) {
			t.Fatalf("%q: refused for id %q, the oracle says %q", line, m.ID, o.id)
		}
		return
	}
	got := oracle{id: m.ID, method: m.Method, name: m.Name, result: m.Kind == jsonmsg.Response && o.result, isFail: m.IsError}
	if string(got.id) != string(o.id) || got.method != o.method || got.name != o.name || got.isFail != o.isFail {
		t.Fatalf("%q:\n got %+v\nwant %+v", line, got, o)
	}
	if (m.Kind == jsonmsg.Response) != (o.method == "") || (m.Kind == jsonmsg.Request) != (o.method != "" && o.id != nil) {
		t.Fatalf("%q: kind %v", line, m.Kind)
	}
	if again, err := jsonmsg.Scan(m.WithID(json.RawMessage("77")).Raw); m.Kind == jsonmsg.Response && (err != nil || string(again.ID) != "77") {
		t.Fatalf("%q: with a new id: %q, %v", line, again.Raw, err)
	}
}

// FuzzSkim checks that the skimmer sees the id that the scanner sees, however
// the message is cut into pieces, and an id only where it is certain.
func FuzzSkim(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		whole := jsonmsg.Skim(line)
		for _, size := range []int{1, 3, 7} {
			var s jsonmsg.Skimmer
			for rest := line; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				_, _ = s.Write(rest[:min(size, len(rest))])
			}
			if got := s.Found(); string(got.ID) != string(whole.ID) {
				t.Fatalf("%q: id %q in pieces of %d, %q at once", line, got.ID, size, whole.ID)
			}
		}
		if whole.ID != nil && !json.Valid(whole.ID) {
			t.Fatalf("%q: id %q", line, whole.ID)
		}
		m, err := jsonmsg.Scan(line)
		switch {
		case err == nil && m.Kind == jsonmsg.Request && len(m.ID) < 1000 && string(whole.ID) != string(m.ID):
			t.Fatalf("%q: id %q, the scanner says %q", line, whole.ID, m.ID)
		case err == nil && m.Kind != jsonmsg.Request && whole.ID != nil:
			t.Fatalf("%q is no request, and yet has the id %q", line, whole.ID)
		}
	})
}

// FuzzCompact holds the making of one line against encoding/json.
func FuzzCompact(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := jsonmsg.Compact(raw)
		var want bytes.Buffer
		if err := json.Compact(&want, raw); err != nil {
			if !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(raw)) {
				t.Fatalf("%q is no JSON, and became %q", raw, got)
			}
			return
		}
		if bytes.ContainsAny(got, "\r\n") && bytes.Count(raw, []byte("["))+bytes.Count(raw, []byte("{")) <= jsonmsg.MaxDepth {
			t.Fatalf("%q became %q: more than a line", raw, got)
		}
		var again bytes.Buffer
		if err := json.Compact(&again, got); err != nil || again.String() != want.String() {
			t.Fatalf("%q became %q: something else", raw, got)
		}
	})
}
