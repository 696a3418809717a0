package policy

import (
	"bytes"
	"slices"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// Tools are the tools of a server's list by name: whether each says that it only
// reads. A name that is given twice does not.
type Tools map[string]bool

// ToolsOf reads a complete result of tools/list; never nil.
func ToolsOf(result []byte) Tools {
	tools := Tools{}
	lists, err := find(result, []string{"tools"})
	if err != nil {
		return tools
	}
	for _, l := range lists {
		l.note(tools)
	}
	return tools
}

// Filter returns raw without the tools that are neither to be seen nor to be
// called; every other byte stays. raw is a result of tools/list, or the message
// that has it under the keys of path. It is raw itself if nothing is to go, and
// null if it cannot be read.
func (p *Policy) Filter(raw []byte, path ...string) []byte {
	if !p.hides() {
		return raw
	}
	tools := Tools{}
	lists, err := find(raw, append(slices.Clone(path), "tools"))
	if err != nil {
		return []byte("null")
	}
	for _, l := range lists {
		l.note(tools)
	}
	var out bytes.Buffer
	last := 0
	for _, l := range lists {
		kept := slices.DeleteFunc(slices.Clone(l.items), func(t item) bool { return p.Judge(t.name, tools) > Ask })
		if len(kept) == len(l.items) && l.array {
			continue
		}
		out.Write(raw[last:l.from])
		out.WriteByte('[')
		for i, t := range kept {
			if i > 0 {
				out.WriteByte(',')
			}
			out.Write(raw[t.from:t.to])
		}
		out.WriteByte(']')
		last = l.to
	}
	if last == 0 {
		return raw
	}
	out.Write(raw[last:])
	return out.Bytes()
}

// list is an array of tools in a document, or what stands in its place.
type list struct {
	from, to int // its first byte, and the one after it
	array    bool
	items    []item
}

// item is one element, with the blanks around it.
type item struct {
	from, to int
	name     string // "" if there is none to go by
	readOnly bool
}

// note adds what is in the list.
func (l list) note(tools Tools) {
	for _, t := range l.items {
		_, twice := tools[t.name]
		tools[t.name] = t.readOnly && !twice
	}
}

// find returns what a reader may take for the list at the end of path.
func find(raw []byte, path []string) (lists []list, err error) {
	err = seek(jsonmsg.At(raw), path, func(c jsonmsg.Cursor) error {
		l, err := readList(raw, c)
		lists = append(lists, l)
		return err
	})
	return lists, err
}

func seek(c jsonmsg.Cursor, path []string, found func(jsonmsg.Cursor) error) error {
	return c.Members(func(key string, c jsonmsg.Cursor) error {
		switch {
		case !alike(key, path[0]):
			return nil
		case len(path) == 1:
			return found(c)
		}
		return seek(c, path[1:], found)
	})
}

func readList(raw []byte, c jsonmsg.Cursor) (list, error) {
	l := list{from: c.Offset(), array: c.Kind() == '['}
	next := l.from + 1
	err := c.Elements(func(c jsonmsg.Cursor) error {
		t := item{from: next}
		var err error
		if t.name, t.readOnly, err = readTool(c); err != nil {
			return err
		}
		end := bytes.IndexAny(raw[c.Offset():], ",]") // only blanks are before it
		if end < 0 {
			return jsonmsg.ErrSyntax
		}
		t.to = c.Offset() + end
		next = t.to + 1
		l.items = append(l.items, t)
		return nil
	})
	l.to = c.Offset()
	return l, err
}

// readTool reads one element. What may be read in two ways says nothing.
func readTool(c jsonmsg.Cursor) (name string, readOnly bool, err error) {
	var literal, annotations, hint []byte
	value, err := c.Value()
	if err != nil {
		return "", false, err
	}
	certain := once(jsonmsg.At(value), field{"name", &literal}, field{"annotations", &annotations}) == nil
	if !certain {
		return "", false, nil
	}
	if annotations != nil {
		certain = once(jsonmsg.At(annotations), field{"readOnlyHint", &hint}) == nil
	}
	return jsonmsg.Text(literal), certain && string(hint) == "true", nil
}
