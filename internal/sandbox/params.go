package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// mirror is one argument that a tool wants in a header of its own.
type mirror struct {
	header string // the whole name
	path   []string
	kind   string // of the schema: string, integer, boolean
}

// mirrors finds the x-mcp-header annotations that are reachable by properties
// alone. It is asked only about schemas that keep the rules: what it does not
// find is not checked.
func mirrors(schema json.RawMessage, path ...string) []mirror {
	var s struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(schema, &s) != nil {
		return nil
	}
	var found []mirror
	for name, raw := range s.Properties {
		here := append(append([]string(nil), path...), name)
		var p struct {
			Type   string `json:"type"`
			Header string `json:"x-mcp-header"`
		}
		if json.Unmarshal(raw, &p) == nil && p.Header != "" {
			found = append(found, mirror{"Mcp-Param-" + p.Header, here, p.Type})
		}
		found = append(found, mirrors(raw, here...)...)
	}
	return found
}

// paramsFlaw compares the Mcp-Param headers of a call with its arguments.
func paramsFlaw(r *http.Request, k MCPKnobs, m *message) *refusal {
	var p struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return nil // refused later, with its own words
	}
	t, known := findTool(k.Tools, p.Name)
	if !known || t.unmirrored {
		return nil
	}
	for _, want := range mirrors(json.RawMessage(t.schema)) {
		if f := want.flaw(r, p.Arguments); f != nil {
			return f
		}
	}
	return nil
}

func (m mirror) flaw(r *http.Request, arguments json.RawMessage) *refusal {
	value, given := argument(arguments, m.path)
	headers := r.Header.Values(m.header)
	switch {
	case !given && len(headers) == 0:
		return nil
	case !given:
		return mismatch("%s is there, its argument is not", m.header)
	case len(headers) != 1:
		return mismatch("there are %d of %s", len(headers), m.header)
	}
	got, ok := headerValue(headers[0])
	if !ok || !m.same(got, value) {
		return mismatch("%s %q does not match the argument", m.header, headers[0])
	}
	return nil
}

// argument returns the value at a path; null counts as absent.
func argument(raw json.RawMessage, path []string) (json.RawMessage, bool) {
	for _, step := range path {
		var o map[string]json.RawMessage
		if json.Unmarshal(raw, &o) != nil {
			return nil, false
		}
		raw = o[step]
	}
	return raw, len(raw) > 0 && string(raw) != "null"
}

// same compares a decoded header with an argument: integers by their value.
func (m mirror) same(got string, value json.RawMessage) bool {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return got == text
	}
	want := strings.TrimSpace(string(value))
	if m.kind != "integer" {
		return got == want
	}
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && a == b
}
