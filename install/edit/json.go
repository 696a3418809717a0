package edit

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// jsonFormat edits JSON with comments and trailing commas.
//
// How remove knows what set has made: an object that set has filled, because it
// was there and empty, ends right after the entry, "{...}}", and what stood in it
// stays in front. One that set has made has the white space of render around its
// one member, and goes with it; whatever looks otherwise stays.
type jsonFormat struct{}

// maxDepth is far beyond any configuration; the parser is recursive.
const maxDepth = 5000

// parseJSON parses text, and returns nil for one of comments and white space.
func parseJSON(text []byte) (*hujson.Value, error) {
	if i := tooDeep(text); i >= 0 {
		return nil, refused(lineAt(text, i), "it is nested too deeply")
	}
	// A comment may end with the file, which hujson takes for an unfinished one.
	root, err := hujson.Parse(append(bytes.Clone(text), '\n'))
	if err == nil {
		return &root, nil
	}
	nothing, errNothing := hujson.Parse(append(bytes.Clone(text), "\nnull"...))
	if errNothing == nil && nothing.StartOffset > len(text) {
		return nil, nil
	}
	if _, plain := hujson.Parse(text); plain != nil {
		err = plain // its line is not beyond the end
	}
	return nil, refused(0, "%s", strings.TrimPrefix(err.Error(), "hujson: "))
}

// tooDeep counts brackets, but not those in strings and comments: a history may
// have any number there, such as those of a terminal's colours, that nothing closes.
func tooDeep(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			i = quoteEnd(text, i)
		case '/':
			n, _ := comment(text[i:])
			i += max(n-1, 0)
		}
		if depth > maxDepth {
			return i
		}
	}
	return -1
}

func (jsonFormat) parse(text []byte) (*node, error) {
	root, err := parseJSON(text)
	if err != nil || root == nil {
		return nil, err
	}
	lines := lineIndex(text)
	return jsonNode(root, lines), nil
}

func jsonNode(v *hujson.Value, line func(int) int) *node {
	n := &node{line: line(v.StartOffset)}
	switch t := v.Value.(type) {
	case *hujson.Object:
		n.kind = object
		for i := range t.Members {
			m := &t.Members[i]
			n.fields = append(n.fields, field{jsonKey(m), jsonNode(&m.Value, line)})
		}
	case *hujson.Array:
		n.kind = list
		for i := range t.Elements {
			n.items = append(n.items, jsonNode(&t.Elements[i], line))
		}
	case hujson.Literal:
		n.value = jsonScalar(t)
		if n.value == nil {
			n.mark = markNull
		}
	}
	return n
}

func jsonScalar(l hujson.Literal) any {
	switch l.Kind() {
	case '"':
		return l.String()
	case '0':
		return json.Number(l)
	case 'n':
		return nil
	default:
		return l.Bool()
	}
}

func jsonKey(m *hujson.ObjectMember) string {
	l, _ := m.Name.Value.(hujson.Literal)
	return l.String()
}

// jsonStep is an object on the way to an entry, and which of its members is the
// next one, -1 if it is not there.
type jsonStep struct {
	value  *hujson.Value
	object *hujson.Object
	index  int
}

func (s jsonStep) member() *hujson.ObjectMember { return &s.object.Members[s.index] }

// jsonPath goes down from root to the entry, as far as there is something. That
// the way leads through objects, and that no key is there twice, was looked at
// before (node.find).
func jsonPath(root *hujson.Value, at Place) []jsonStep {
	var steps []jsonStep
	v := root
	for _, key := range append(slices.Clone(at.Parent), at.Name) {
		o, ok := v.Value.(*hujson.Object)
		if !ok {
			return steps
		}
		s := jsonStep{v, o, slices.IndexFunc(o.Members, func(m hujson.ObjectMember) bool { return jsonKey(&m) == key })}
		steps = append(steps, s)
		if s.index < 0 {
			return steps
		}
		v = &s.member().Value
	}
	return steps
}

func (jsonFormat) set(text []byte, at Place, entry *node) ([]byte, error) {
	root, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	keys := append(slices.Clone(at.Parent), at.Name)
	style := styleOf(text, root)
	if root == nil {
		return appended(text, style.render(wrap(entry, keys), "", true), style.eol), nil
	}
	steps := jsonPath(root, at)
	if len(steps) == 0 {
		return nil, refused(lineAt(text, root.StartOffset), "the file is not an object")
	}
	last := steps[len(steps)-1]
	if last.index >= 0 {
		m := last.member()
		multi := style.multi && !inline(text, last)
		s := style.render(entry, indentAt(text, m.Name.StartOffset), multi)
		return apply(text, splice{m.Value.StartOffset, m.Value.EndOffset, s}), nil
	}
	style.unit = unitIn(text, steps, style.unit)
	key := keys[len(steps)-1]
	return apply(text, insertion(text, last, style, key, wrap(entry, keys[len(steps):]))...), nil
}

// insertion adds a member at the end of an object.
func insertion(text []byte, s jsonStep, style jsonStyle, key string, value *node) []splice {
	end := s.value.EndOffset - 1 // the brace
	if len(s.object.Members) == 0 {
		return []splice{{end, end, style.member(key, value, indentAt(text, end), style.multi)}}
	}
	last := &s.object.Members[len(s.object.Members)-1]
	comma, trailing := commaAfter(last, true)
	pos := last.Value.EndOffset
	if trailing {
		pos = comma + 1
	}
	if inline(text, s) {
		member := style.gap() + style.member(key, value, "", false)
		if trailing {
			return []splice{{pos, pos, member + ","}}
		}
		return []splice{{pos, pos, "," + member}}
	}
	prefix := indentAt(text, last.Name.StartOffset)
	if !startsLine(text, last.Name.StartOffset) {
		prefix = indentAt(text, s.value.StartOffset) + style.unit
	}
	member := style.eol + prefix + style.member(key, value, prefix, style.multi)
	behind := pos + sameLine(text[pos:end])
	if trailing {
		return []splice{{behind, behind, member + ","}}
	}
	return []splice{{pos, pos, ","}, {behind, behind, member}}
}

// inline tells that the members of an object stand on one line.
func inline(text []byte, s jsonStep) bool {
	last := &s.object.Members[len(s.object.Members)-1]
	return !bytes.Contains(last.Name.BeforeExtra, []byte("\n")) &&
		!bytes.Contains(text[last.Value.EndOffset:s.value.EndOffset], []byte("\n"))
}

// commaAfter returns where the comma after a member is, if there is one; last
// says that it is the last member, which may have none.
func commaAfter(m *hujson.ObjectMember, last bool) (int, bool) {
	return m.Value.EndOffset + len(m.Value.AfterExtra), !last || m.Value.AfterExtra != nil
}

// sameLine returns the length of the comments in extra that start on its first
// line, with the blanks before them.
func sameLine(extra []byte) int {
	end := 0
	for {
		i := skipBlanks(extra, end)
		n, isLine := comment(extra[i:])
		if n == 0 {
			return end
		}
		end = i + n
		if isLine {
			return end
		}
	}
}

// comment returns the length of the comment that text starts with, without the
// newline after it, and whether it goes to the end of its line.
func comment(text []byte) (length int, isLine bool) {
	switch {
	case bytes.HasPrefix(text, []byte("//")):
		n := bytes.IndexByte(text, '\n')
		if n < 0 {
			n = len(text)
		}
		return len(bytes.TrimSuffix(text[:n], []byte("\r"))), true
	case bytes.HasPrefix(text, []byte("/*")):
		return bytes.Index(text[2:], []byte("*/")) + 4, false
	}
	return 0, false
}
