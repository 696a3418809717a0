package remote

import (
	"errors"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// annotation is the member of a property's schema that asks for a header (MCP
// 2026-07-28, Streamable HTTP, "Schema Extension"; RELAY H13).
const annotation = "x-mcp-header"

// Why a tool is left out of tools/list. No text in these comes from the server.
var (
	errHeaderType   = errors.New(annotation + " is on a parameter that is no string, integer or boolean")
	errHeaderName   = errors.New(annotation + " is no name of a header")
	errHeaderTwice  = errors.New(annotation + " names the same header for two parameters")
	errHeaderPlace  = errors.New(annotation + " is on something else than a property that the schema names directly")
	errSchemaMember = errors.New("a schema with " + annotation + " gives a member twice")
)

// schemaReader collects the annotations of an input schema.
type schemaReader struct {
	bindings []binding
}

// schema reads a schema. path leads to it from the arguments; direct means that
// it does so by members of "properties" alone. Values of members that hold data
// or names, and no schemas, cannot be annotations.
func (r *schemaReader) schema(c jsonmsg.Cursor, path []string, direct bool) error {
	var kind, header onceMember
	err := c.Members(func(key string, c jsonmsg.Cursor) error {
		switch key {
		case annotation:
			return header.read(c)
		case "type":
			return kind.read(c)
		case "properties":
			return r.named(c, path, direct)
		case "patternProperties", "$defs", "definitions", "dependentSchemas":
			return r.named(c, nil, false)
		case "const", "enum", "default", "examples":
			return nil
		}
		return r.within(c)
	})
	switch {
	case err != nil || header.times == 0:
		return err
	case header.times > 1 || kind.times > 1:
		return errSchemaMember
	case !direct || len(path) == 0:
		return errHeaderPlace
	}
	return r.bind(path, kind.text, header.text)
}

// onceMember is a member with a text that may stand once.
type onceMember struct {
	text  string // "" if it is none
	times int
}

func (m *onceMember) read(c jsonmsg.Cursor) error {
	value, err := c.Value()
	m.text = jsonmsg.Text(value)
	m.times++
	return err
}

// named reads an object whose members are named schemas.
func (r *schemaReader) named(c jsonmsg.Cursor, path []string, direct bool) error {
	if c.Kind() != '{' {
		return r.within(c)
	}
	return c.Members(func(name string, c jsonmsg.Cursor) error {
		return r.schema(c, append(slices.Clip(path), name), direct)
	})
}

// within reads the value of any other member: a schema, a list of them, or
// nothing that matters.
func (r *schemaReader) within(c jsonmsg.Cursor) error {
	switch c.Kind() {
	case '{':
		return r.schema(c, nil, false)
	case '[':
		return c.Elements(r.within)
	}
	return nil
}

// bind takes the annotation of the property at path.
func (r *schemaReader) bind(path []string, kind, name string) error {
	switch {
	case !slices.Contains([]string{"string", "integer", "boolean"}, kind):
		return errHeaderType
	case !isToken(name):
		return errHeaderName
	}
	name = headerParam + name
	if slices.ContainsFunc(r.bindings, func(b binding) bool { return strings.EqualFold(b.header, name) }) {
		return errHeaderTwice
	}
	r.bindings = append(r.bindings, binding{path: path, header: name})
	return nil
}

// isToken reports whether s is 1*tchar (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0:
			return false
		}
	}
	return s != ""
}
