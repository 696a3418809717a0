package edit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// yamlStyle is how a file is written, as far as we follow it.
type yamlStyle struct {
	eol  string
	unit string // one step of indentation
}

// yamlUnit looks for a map in a map.
func yamlUnit(root *yaml.Node) string {
	for i := 1; root != nil && root.Kind == yaml.MappingNode && i < len(root.Content); i += 2 {
		v := root.Content[i]
		if v.Kind == yaml.MappingNode && v.Style&yaml.FlowStyle == 0 && v.Content[0].Column > root.Content[0].Column {
			return strings.Repeat(" ", v.Content[0].Column-root.Content[0].Column)
		}
	}
	return "  "
}

// made writes the parents that are missing, and the entry in them, without the
// last newline.
func (s yamlStyle) made(indent string, parents []string, at Place, entry *node) string {
	if len(parents) == 0 {
		return s.entry(indent, at, entry)
	}
	return indent + yamlKey(parents[0]) + ":" + madeByUs + s.eol + s.made(indent+s.unit, parents[1:], at, entry)
}

// entry writes the lines of an entry, without the last newline.
func (s yamlStyle) entry(indent string, at Place, entry *node) string {
	var lines []string
	first, rest := indent+"- ", indent+"  "
	if !at.List {
		first, rest = indent+s.unit, indent+s.unit
		if len(entry.fields) == 0 {
			return indent + yamlKey(at.Name) + ": {}"
		}
		lines = append(lines, indent+yamlKey(at.Name)+":")
	}
	for i, f := range entry.fields {
		prefix := rest
		if i == 0 {
			prefix = first
		}
		lines = append(lines, prefix+yamlKey(f.key)+": "+yamlValue(f.value))
	}
	return strings.Join(lines, s.eol)
}

// flowEntry writes an entry on one line.
func (yamlStyle) flowEntry(at Place, entry *node) string {
	if at.List {
		return yamlValue(entry)
	}
	return yamlKey(at.Name) + ": " + yamlValue(entry)
}

func yamlValue(n *node) string {
	var parts []string
	switch n.kind {
	case list:
		for _, i := range n.items {
			parts = append(parts, yamlValue(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case object:
		for _, f := range n.fields {
			parts = append(parts, yamlKey(f.key)+": "+yamlValue(f.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		if s, ok := n.value.(string); ok {
			return yamlString(s)
		}
		return jsonScalarText(n.value)
	}
}

// yamlKey quotes a key unless every version of YAML takes it for a string.
func yamlKey(key string) string {
	plain := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	special := []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
	if plain.MatchString(key) && !slices.Contains(special, strings.ToLower(key)) {
		return key
	}
	return yamlString(key)
}

// yamlString quotes as JSON does, whose escapes YAML knows, too; it wants some
// more characters escaped.
func yamlString(s string) string {
	var b strings.Builder
	for _, r := range jsonString(s) {
		switch {
		case r < 0x7f || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
