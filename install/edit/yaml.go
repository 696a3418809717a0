package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlFormat edits YAML in block style. An entry is put in front of the others of
// its parent, so that nothing has to be known about where those end; a parent that
// is missing comes to the end of the file, with the comment madeByUs, which tells
// remove to take it back. A parent that was there stays, empty as it was. An empty
// parent in flow style, {} or [], gets the entry between its brackets.
type yamlFormat struct{}

const madeByUs = " # added by payu-mcp"

// parseYAML parses the one document of text, nil if there is none.
func parseYAML(text []byte) (*yaml.Node, error) {
	for _, r := range []string{"\u0085", "\u2028", "\u2029"} {
		if i := bytes.Index(text, []byte(r)); i >= 0 {
			return nil, refused(lineAt(text, i), "it has a line separator that not every program takes for one")
		}
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := d.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, refused(0, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	switch err := d.Decode(&second); {
	case err == nil:
		return nil, refused(second.Line, "a second document starts")
	case !errors.Is(err, io.EOF):
		return nil, refused(0, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return document.Content[0], nil
}

func (yamlFormat) parse(text []byte) (*node, error) {
	root, err := parseYAML(text)
	if err != nil || root == nil {
		return nil, err
	}
	return yamlNode(root)
}

// yamlNode keeps aliases and anchors as they are written.
func yamlNode(y *yaml.Node) (*node, error) {
	n := &node{line: y.Line}
	if y.Anchor != "" {
		n.mark = "&" + y.Anchor
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = object
		for i := 0; i+1 < len(y.Content); i += 2 {
			key, err := yamlKeyOf(y.Content[i])
			if err != nil {
				return nil, err
			}
			v, err := yamlNode(y.Content[i+1])
			if err != nil {
				return nil, err
			}
			n.fields = append(n.fields, field{key, v})
		}
	case yaml.SequenceNode:
		n.kind = list
		for _, c := range y.Content {
			v, err := yamlNode(c)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, v)
		}
	case yaml.AliasNode:
		n.value, n.mark = y.Value, "*"
	default:
		yamlScalar(n, y)
		return n, nil
	}
	if tag := y.ShortTag(); y.Style&yaml.TaggedStyle != 0 {
		n.mark += tag
	}
	return n, nil
}

func yamlScalar(n *node, y *yaml.Node) {
	tag := y.ShortTag()
	switch tag {
	case "!!str":
		n.value = y.Value
	case "!!null":
		if y.Value != "" {
			n.mark += markNull
		}
	case "!!bool":
		n.value = strings.EqualFold(y.Value, "true")
	case "!!int", "!!float":
		n.value = json.Number(y.Value)
	default:
		n.value = y.Value
		n.mark += tag
	}
	if y.Style&yaml.TaggedStyle != 0 {
		n.mark += "!" + tag
	}
}

// yamlKeyOf returns the text of a key, whether it is taken for a string or not. An
// alias comes out as a key that no place has.
func yamlKeyOf(y *yaml.Node) (string, error) {
	switch y.Kind {
	case yaml.ScalarNode:
		return y.Value, nil
	case yaml.AliasNode:
		return "\x00" + y.Value, nil
	default:
		return "", refused(y.Line, "a key is a list or a map")
	}
}
