package edit

import (
	"bytes"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// yamlFile is a file with the nodes of its document.
type yamlFile struct {
	text   []byte
	starts []int        // offset of each line
	nodes  []*yaml.Node // in the order of the file
}

func newYAMLFile(text []byte, root *yaml.Node) *yamlFile {
	f := &yamlFile{text: text, starts: []int{0}}
	for i, b := range text {
		if b == '\n' {
			f.starts = append(f.starts, i+1)
		}
	}
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		f.nodes = append(f.nodes, n)
		for _, c := range n.Content {
			walk(c)
		}
	}
	if root != nil {
		walk(root)
	}
	return f
}

// start returns the offset of a line, counted from 1, or the length of the text.
func (f *yamlFile) start(line int) int {
	if line-1 < len(f.starts) {
		return f.starts[max(line-1, 0)]
	}
	return len(f.text)
}

// offset returns where a node starts; its column counts characters.
func (f *yamlFile) offset(n *yaml.Node) int {
	at, column := f.start(n.Line), 1
	for i := range string(f.text[at:]) {
		if column == n.Column {
			return at + i
		}
		column++
	}
	return len(f.text)
}

// yamlStep is a key on the way to an entry, with what it holds.
type yamlStep struct{ in, key, value *yaml.Node }

// yamlPath goes down to the parent of the place, as far as there is something:
// maps in block style, without anchors, because an alias would take the entry
// somewhere else as well.
func yamlPath(root *yaml.Node, at Place) ([]yamlStep, error) {
	var steps []yamlStep
	n := root
	for _, key := range at.Parent {
		if err := spliceable(n); err != nil {
			return nil, err
		}
		i := yamlIndex(n, key)
		if i < 0 {
			if merge := slices.IndexFunc(n.Content, func(k *yaml.Node) bool { return k.ShortTag() == "!!merge" }); merge >= 0 {
				return nil, refused(n.Content[merge].Line, "%s may come from what is merged here", strconv.Quote(key))
			}
			return steps, nil
		}
		steps = append(steps, yamlStep{n, n.Content[i], n.Content[i+1]})
		n = n.Content[i+1]
		if n.Kind == yaml.ScalarNode {
			return steps, nil // empty
		}
	}
	if n.Style&yaml.FlowStyle != 0 {
		return steps, nil
	}
	return steps, spliceable(n)
}

func spliceable(n *yaml.Node) error {
	switch {
	case n.Anchor != "":
		return refused(n.Line, "it has an anchor")
	case n.Style&yaml.FlowStyle != 0:
		return refused(n.Line, "it is written in braces")
	case n.Kind == yaml.AliasNode:
		return refused(n.Line, "it is an alias")
	}
	return nil
}

// yamlIndex returns where the key of a map is among its contents, or -1.
func yamlIndex(n *yaml.Node, key string) int {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if k, err := yamlKeyOf(n.Content[i]); err == nil && k == key {
			return i
		}
	}
	return -1
}

// yamlEntry returns the node that an entry starts with, its key or its element in
// a list, and how many entries the parent has.
func yamlEntry(parent *yaml.Node, at Place) (first *yaml.Node, count int) {
	if !at.List {
		if i := yamlIndex(parent, at.Name); i >= 0 {
			first = parent.Content[i]
		}
		return first, len(parent.Content) / 2
	}
	for _, item := range parent.Content {
		if i := yamlIndex(item, "name"); i >= 0 && item.Content[i+1].Value == at.Name {
			first = item
		}
	}
	return first, len(parent.Content)
}

// lines returns the whole lines of what starts with the node first, which is a
// key (then with its value) or an element: to the next node that is not part of
// it, without the empty lines at the end and the comments that are not indented
// deeper.
func (f *yamlFile) lines(first *yaml.Node, isKey bool) (from, to int) {
	i := slices.Index(f.nodes, first)
	i += yamlSize(first)
	if isKey {
		i += yamlSize(f.nodes[i])
	}
	from, to = f.start(first.Line), len(f.text)
	if i < len(f.nodes) {
		to = f.start(f.nodes[i].Line)
	}
	depth := len(indentAt(f.text, from))
	for to > from {
		last := lineStart(f.text, backNewline(f.text, to))
		if last <= from || !f.outside(last, to, depth) {
			break
		}
		to = last
	}
	return from, to
}

// outside tells a line that is no part of what is indented by depth: an empty
// one, a comment that is not deeper, or the end of the document.
func (f *yamlFile) outside(from, to, depth int) bool {
	line := bytes.TrimSpace(f.text[from:to])
	indent := skipBlanks(f.text, from) - from
	return len(line) == 0 || line[0] == '#' && indent <= depth || indent == 0 && bytes.HasPrefix(line, []byte("..."))
}

func yamlSize(n *yaml.Node) int {
	size := 1
	for _, c := range n.Content {
		size += yamlSize(c)
	}
	return size
}

// cutLines cuts whole lines. If they end the file without a newline, the one
// before them goes, too.
func cutLines(text []byte, from, to int) splice {
	if to == len(text) && backNewline(text, to) == to {
		from = backNewline(text, from)
	}
	return cut(from, to)
}
