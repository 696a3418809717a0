package edit

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (y yamlFormat) set(text []byte, at Place, entry *node) ([]byte, error) {
	root, err := parseYAML(text)
	if err != nil {
		return nil, err
	}
	style := yamlStyle{eol: newline(text), unit: yamlUnit(root)}
	if root == nil || root.Kind == yaml.ScalarNode {
		return appended(text, style.made("", at.Parent, at, entry), style.eol), nil
	}
	steps, err := yamlPath(root, at)
	if err != nil {
		return nil, err
	}
	f := newYAMLFile(text, root)
	if len(steps) == 0 {
		if first, _ := yamlEntry(root, at); first != nil && len(at.Parent) == 0 {
			return f.replace(first, at, style, entry)
		}
		indent := indentAt(text, f.start(root.Line))
		return appended(text, style.made(indent, at.Parent, at, entry), style.eol), nil
	}
	last := steps[len(steps)-1]
	rest := at.Parent[len(steps):]
	if last.value.Kind == yaml.ScalarNode {
		indent := indentAt(text, f.start(last.key.Line)) + style.unit
		return f.insertBelow(last, indent, style.made(indent, rest, at, entry), style.eol), nil
	}
	if len(rest) > 0 {
		indent := indentAt(text, f.start(last.value.Content[0].Line))
		return f.insertBelow(last, indent, style.made(indent, rest, at, entry), style.eol), nil
	}
	first, _ := yamlEntry(last.value, at)
	switch {
	case last.value.Style&yaml.FlowStyle != 0 && first != nil:
		without, err := y.remove(text, at)
		if err != nil {
			return nil, err
		}
		return y.set(without, at, entry)
	case last.value.Style&yaml.FlowStyle != 0:
		return f.fill(last.value, style.flowEntry(at, entry))
	case first != nil:
		return f.replace(first, at, style, entry)
	}
	indent := indentAt(text, f.start(last.value.Content[0].Line))
	return f.insertBelow(last, indent, style.entry(indent, at, entry), style.eol), nil
}

// insertBelow puts a block under the key of a step: right after its line, or
// after the comments there that are deeper than indent, which lines would take
// for a part of the block.
func (f *yamlFile) insertBelow(s yamlStep, indent, block, eol string) []byte {
	end := len(f.text)
	if i := slices.Index(f.nodes, s.value) + 1; i < len(f.nodes) {
		end = f.start(f.nodes[i].Line)
	}
	at := f.start(s.key.Line + 1)
	for line := at; line < end; line = lineEnd(f.text, line) {
		if !f.outside(line, lineEnd(f.text, line), len(indent)) {
			at = lineEnd(f.text, line)
		}
	}
	if at == len(f.text) {
		return appended(f.text, block, eol)
	}
	return apply(f.text, splice{at, at, block + eol})
}

// fill puts an entry between the brackets of an empty parent, right before the
// last one.
func (f *yamlFile) fill(parent *yaml.Node, entry string) ([]byte, error) {
	open := f.offset(parent)
	end := open + 1
	for end < len(f.text) && strings.IndexByte(" \t\r\n", f.text[end]) >= 0 {
		end++
	}
	if len(parent.Content) > 0 || parent.Anchor != "" || end >= len(f.text) || f.text[end] != '}' && f.text[end] != ']' {
		return nil, refused(parent.Line, "it is written in brackets")
	}
	return apply(f.text, splice{end, end, entry}), nil
}

func (f *yamlFile) replace(first *yaml.Node, at Place, style yamlStyle, entry *node) ([]byte, error) {
	from, to := f.lines(first, !at.List)
	block := style.entry(indentAt(f.text, from), at, entry)
	return apply(f.text, splice{from, from + len(bytes.TrimRight(f.text[from:to], "\r\n")), block}), nil
}

func (yamlFormat) remove(text []byte, at Place) ([]byte, error) {
	root, err := parseYAML(text)
	if err != nil || root == nil {
		return text, err
	}
	steps, err := yamlPath(root, at)
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		if len(at.Parent) > 0 {
			return text, nil
		}
		steps = []yamlStep{{value: root}}
	}
	f := newYAMLFile(text, root)
	parent := steps[len(steps)-1].value
	first, count := yamlEntry(parent, at)
	if first == nil {
		return text, nil
	}
	if parent.Style&yaml.FlowStyle != 0 {
		return f.drain(parent, first, count)
	}
	from, to := f.lines(first, !at.List)
	for i := len(steps) - 1; i >= 0 && count == 1 && f.madeFor(steps[i].key, to); i-- {
		from, _ = f.lines(steps[i].key, true)
		count = len(steps[i].in.Content) / 2
	}
	return apply(text, cutLines(text, from, to)), nil
}

// madeFor tells the key of a parent that we have made, with nothing but the entry
// in it, which ends at to.
func (f *yamlFile) madeFor(key *yaml.Node, to int) bool {
	if key == nil {
		return false
	}
	from, end := f.lines(key, true)
	line := bytes.TrimRight(f.text[from:lineEnd(f.text, from)], "\r\n")
	return end == to && bytes.HasSuffix(line, []byte(madeByUs))
}

// drain takes the one entry out of a parent in flow style.
func (f *yamlFile) drain(parent, first *yaml.Node, count int) ([]byte, error) {
	end := flowEnd(f.text, f.offset(parent))
	from := f.offset(first)
	if count != 1 || end < 0 || from >= end {
		return nil, refused(parent.Line, "it is written in brackets")
	}
	return apply(f.text, cut(from, end)), nil
}

// flowEnd returns where the bracket is that closes the one at open, or -1.
func flowEnd(text []byte, open int) int {
	depth := 0
	for i := open; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i
			}
		case '#':
			return -1 // a comment, perhaps
		case '"', '\'':
			i = quoteEnd(text, i)
		}
	}
	return -1
}

func quoteEnd(text []byte, open int) int {
	for i := open + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[open] == '"':
			i++
		case text[i] == text[open]:
			return i
		}
	}
	return len(text)
}
