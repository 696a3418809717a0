package edit

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// jsonStyle is how a file is written, as far as we follow it.
type jsonStyle struct {
	unit  string // one step of indentation
	eol   string
	multi bool // objects go over several lines
	tight bool // nothing after a colon or comma
}

// styleOf looks at the members of the root object.
func styleOf(text []byte, root *hujson.Value) jsonStyle {
	s := jsonStyle{unit: "  ", eol: newline(text), multi: true}
	if root == nil {
		return s
	}
	o, ok := root.Value.(*hujson.Object)
	if !ok || len(o.Members) == 0 {
		return s
	}
	first := &o.Members[0]
	s.multi = bytes.Contains(text[root.StartOffset:root.EndOffset], []byte("\n"))
	s.tight = !s.multi && len(first.Value.BeforeExtra) == 0
	if startsLine(text, first.Name.StartOffset) {
		s.unit = step(indentAt(text, root.StartOffset), indentAt(text, first.Name.StartOffset), s.unit)
	}
	return s
}

// unitIn looks for the step of indentation on the way to the entry, inmost first.
func unitIn(text []byte, steps []jsonStep, otherwise string) string {
	for _, s := range slices.Backward(steps) {
		if len(s.object.Members) == 0 || !startsLine(text, s.object.Members[0].Name.StartOffset) {
			continue
		}
		return step(indentAt(text, s.value.StartOffset), indentAt(text, s.object.Members[0].Name.StartOffset), otherwise)
	}
	return otherwise
}

// step is by how much inner is indented beyond outer.
func step(outer, inner, otherwise string) string {
	if by, ok := strings.CutPrefix(inner, outer); ok && by != "" {
		return by
	}
	return otherwise
}

func startsLine(text []byte, offset int) bool {
	return backBlanks(text, offset) == lineStart(text, offset)
}

func (s jsonStyle) gap() string {
	if s.tight {
		return ""
	}
	return " "
}

func (s jsonStyle) member(key string, value *node, prefix string, multi bool) string {
	return jsonString(key) + ":" + s.gap() + s.render(value, prefix, multi)
}

// render writes a value; prefix is the indentation of the line that it starts on.
func (s jsonStyle) render(n *node, prefix string, multi bool) string {
	var parts []string
	switch n.kind {
	case list:
		for _, i := range n.items {
			parts = append(parts, s.render(i, "", false))
		}
		return "[" + strings.Join(parts, ","+s.gap()) + "]"
	case object:
		inner := prefix + s.unit
		for _, f := range n.fields {
			parts = append(parts, s.member(f.key, f.value, inner, multi))
		}
		switch {
		case len(parts) == 0:
			return "{}"
		case multi:
			sep := s.eol + inner
			return "{" + sep + strings.Join(parts, ","+sep) + s.eol + prefix + "}"
		case n.made:
			return "{ " + strings.Join(parts, ","+s.gap()) + " }"
		}
		return "{" + strings.Join(parts, ","+s.gap()) + "}"
	default:
		return jsonScalarText(n.value)
	}
}

func jsonScalarText(v any) string {
	switch t := v.(type) {
	case string:
		return jsonString(t)
	case json.Number:
		return string(t)
	case bool:
		if t {
			return "true"
		}
		return "false"
	}
	return "null"
}

// jsonString quotes s; characters of HTML stay as they are.
func jsonString(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a string can always be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}
