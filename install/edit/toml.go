package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlFormat edits TOML. An entry is one block, "[parent.name]" and its lines, at
// the end of the file, with an empty line before it; a map in it is an inline
// table. No header is needed for the parent, so remove has none to take back.
//
// A block goes from its header to its last value. The comments above the header
// and below the last value are the person's, and stay.
type tomlFormat struct{}

func (tomlFormat) parse(text []byte) (*node, error) {
	var m map[string]any
	if err := toml.Unmarshal(text, &m); err != nil {
		line := 0
		if d, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ = d.Position()
		}
		return nil, refused(line, "%s", strings.TrimPrefix(err.Error(), "toml: "))
	}
	if len(m) == 0 {
		return nil, nil
	}
	return tomlNode(m), nil
}

func tomlNode(value any) *node {
	switch v := value.(type) {
	case map[string]any:
		n := &node{kind: object}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			n.fields = append(n.fields, field{k, tomlNode(v[k])})
		}
		return n
	case []any:
		n := &node{kind: list}
		for _, i := range v {
			n.items = append(n.items, tomlNode(i))
		}
		return n
	case string, bool:
		return &node{value: v}
	case int64:
		return &node{value: json.Number(strconv.FormatInt(v, 10))}
	case float64:
		return &node{value: json.Number(tomlFloat(v))}
	default:
		return &node{value: fmt.Sprint(v), mark: fmt.Sprintf("%T", v)}
	}
}

// tomlFloat writes a float so that it is one when it is read back, and nan equals
// nan.
func tomlFloat(v float64) string {
	s := strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(v, 'g', -1, 64)), "+")
	if strings.Trim(s, "-0123456789") == "" {
		s += ".0"
	}
	return s
}

// tomlBlock is a header, a value or a comment.
type tomlBlock struct {
	from, to int      // whole lines, without empty ones after it; to is after the newline, if there is one
	path     []string // of what it defines, from the top of the file; nil for a comment
	header   bool
	within   int // of a value: how much of path is the header that it stands under
}

// tomlBlocks finds what text consists of.
func tomlBlocks(text []byte) ([]tomlBlock, error) {
	p := unstable.Parser{KeepComments: true}
	p.Reset(text)
	var all []tomlBlock
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		b := tomlBlock{}
		var at unstable.Range
		if e.Kind == unstable.Comment {
			at = e.Raw
		} else {
			var keys []string
			for k := e.Key(); k.Next(); {
				if len(keys) == 0 {
					at = k.Node().Raw
				}
				keys = append(keys, string(k.Node().Data))
			}
			b.header = e.Kind != unstable.KeyValue
			if b.header {
				table = nil
			}
			b.within = len(table)
			b.path = slices.Concat(table, keys)
			if b.header {
				table = b.path
			}
		}
		b.from = lineStart(text, int(at.Offset))
		all = append(all, b)
	}
	if err := p.Error(); err != nil {
		return nil, refused(0, "%s", err)
	}
	for i := range all {
		end := len(text)
		if i+1 < len(all) {
			end = all[i+1].from
		}
		all[i].to = lineEnd(text, all[i].from+len(bytes.TrimRight(text[all[i].from:end], " \t\r\n")))
	}
	return all, nil
}

// closes tells a value that defines the table at path, or one that it is in: by
// its dotted key, or because it is an inline table.
func (b tomlBlock) closes(path []string) bool {
	return b.path != nil && !b.header && b.within < len(path) && (hasPrefix(b.path, path) || hasPrefix(path, b.path))
}

func (tomlFormat) set(text []byte, at Place, entry *node) ([]byte, error) {
	all, err := tomlBlocks(text)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(b tomlBlock) bool { return b.closes(at.Parent) }); i >= 0 {
		return nil, refused(lineAt(text, all[i].from), "%s is written as a value or with dotted keys, and no table can be added to it", tomlKeys(at.Parent))
	}
	eol := newline(text)
	block := tomlText(append(slices.Clone(at.Parent), at.Name), entry, eol)
	ours := tomlOurs(all, at)
	if len(ours) > 0 && ours[0].header {
		first := ours[0]
		splices := tomlCuts(text, ours[1:])
		end := backNewline(text, first.to)
		return apply(text, append(splices, splice{first.from, end, block})...), nil
	}
	text = apply(text, tomlCuts(text, ours)...)
	if len(text) > 0 {
		block = eol + block
	}
	return appended(text, block, eol), nil
}

func (tomlFormat) remove(text []byte, at Place) ([]byte, error) {
	all, err := tomlBlocks(text)
	if err != nil {
		return nil, err
	}
	return apply(text, tomlCuts(text, tomlOurs(all, at))...), nil
}

// tomlOurs returns the ranges that define the entry: its table and the tables
// below it, each from the header to the last value, or values of its parent.
func tomlOurs(all []tomlBlock, at Place) []tomlBlock {
	path := append(slices.Clone(at.Parent), at.Name)
	var ours []tomlBlock
	open := false // the last header is ours
	for _, b := range all {
		switch {
		case b.path == nil:
		case b.header:
			open = hasPrefix(b.path, path)
			if open {
				ours = append(ours, b)
			}
		case open:
			ours[len(ours)-1].to = b.to
		case hasPrefix(b.path, path):
			ours = append(ours, b)
		}
	}
	return ours
}

// tomlCuts cuts blocks out, each with the empty line before it.
func tomlCuts(text []byte, blocks []tomlBlock) []splice {
	var all []splice
	for _, b := range blocks {
		from := b.from
		if before := backNewline(text, from); b.header && before < from && before > 0 && text[before-1] == '\n' {
			from = before
		}
		if b.to == len(text) && backNewline(text, b.to) == b.to { // the file ends without a newline, and did so before
			from = backNewline(text, from)
		}
		all = append(all, cut(from, b.to))
	}
	return all
}

func hasPrefix(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

// tomlText writes the block of an entry, without the last newline.
func tomlText(path []string, entry *node, eol string) string {
	lines := []string{"[" + tomlKeys(path) + "]"}
	for _, f := range entry.fields {
		lines = append(lines, tomlKey(f.key)+" = "+tomlValue(f.value))
	}
	return strings.Join(lines, eol)
}

func tomlKeys(path []string) string {
	var keys []string
	for _, k := range path {
		keys = append(keys, tomlKey(k))
	}
	return strings.Join(keys, ".")
}

func tomlKey(key string) string {
	if key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return key
	}
	return tomlString(key)
}

// tomlString quotes as JSON does, whose escapes TOML knows, too; it wants one for
// DEL besides.
func tomlString(s string) string { return strings.ReplaceAll(jsonString(s), "\x7f", `\u007f`) }

func tomlValue(n *node) string {
	var parts []string
	switch n.kind {
	case list:
		for _, i := range n.items {
			parts = append(parts, tomlValue(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case object:
		if len(n.fields) == 0 {
			return "{}"
		}
		for _, f := range n.fields {
			parts = append(parts, tomlKey(f.key)+" = "+tomlValue(f.value))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	default:
		if s, ok := n.value.(string); ok {
			return tomlString(s)
		}
		return jsonScalarText(n.value)
	}
}
