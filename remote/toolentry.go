package remote

import (
	"bytes"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// toolEntry is one element of a list of tools.
type toolEntry struct {
	tool

	name    string
	named   bool  // it has one name
	reason  error // why it is invalid
	at, end int   // where it stands in the answer
	first   bool  // in its list
}

// eachTool reads the lists of tools in an answer, and says how many there are.
// More than one is a mistake; then all count, since nobody knows which one the
// host's parser will take.
func eachTool(answer []byte, each func(toolEntry)) (lists int, err error) {
	first := false
	element := func(c jsonmsg.Cursor) error {
		e := toolEntry{at: c.Offset(), first: first}
		first = false
		raw, err := c.Value()
		if err != nil {
			return err
		}
		e.end = e.at + len(raw)
		err = e.read(raw)
		each(e)
		return err
	}
	err = jsonmsg.At(answer).Members(func(key string, c jsonmsg.Cursor) error {
		if key != "result" {
			return nil
		}
		return c.Members(func(key string, c jsonmsg.Cursor) error {
			if key != "tools" || c.Kind() != '[' {
				return nil
			}
			lists++
			first = true
			return c.Elements(element)
		})
	})
	return lists, err
}

// read takes a tool apart. What makes it invalid is no error of reading. A hint
// counts if it stands once in the one place for it.
func (e *toolEntry) read(raw []byte) error {
	var schema schemaReader
	annotated, names, groups, hints := mayAnnotate(raw), 0, 0, 0
	err := jsonmsg.At(raw).Members(func(key string, c jsonmsg.Cursor) error {
		switch key {
		case "name":
			e.named = c.Kind() == '"' && names == 0
			names++
			value, err := c.Value()
			e.name = jsonmsg.Text(value)
			return err
		case "annotations":
			groups++
			return c.Members(func(key string, c jsonmsg.Cursor) error {
				if key == "readOnlyHint" {
					hints++
					e.readOnly = c.Kind() == 't'
				}
				return nil
			})
		case "inputSchema":
			value, err := c.Value() // whole, so that an invalid one does not end the reading
			if annotated && e.reason == nil && err == nil {
				e.reason = schema.schema(jsonmsg.At(value), nil, true)
			}
			return err
		}
		return nil
	})
	e.readOnly = e.readOnly && groups == 1 && hints == 1
	if e.valid = e.reason == nil; e.valid {
		e.bindings = schema.bindings
	}
	return err
}

// mayAnnotate tells cheaply of most tools that they have no annotation: one that
// has must spell it, or escape a part of it.
func mayAnnotate(raw []byte) bool {
	return bytes.Contains(raw, []byte(annotation)) || bytes.Contains(raw, []byte(`\u`))
}
