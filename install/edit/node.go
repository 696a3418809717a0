package edit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

type kind int

const (
	scalar kind = iota
	object
	list
)

// node is a value of a file, for comparing. nil is "not there".
type node struct {
	kind   kind
	line   int     // where it starts, 0 if that is not known; counts for nothing when comparing
	fields []field // of an object, in the order of the file, with those that are there twice
	items  []*node // of a list
	value  any     // of a scalar: string, bool, nil or json.Number
	mark   string  // what else makes two values differ: the type of a date, an anchor
	made   bool    // when writing: an object that is not part of the entry, but on the way to it
}

// markNull is the mark of a null that is written out: an entry cannot be added to
// it, but to a key of YAML that has nothing behind it.
const markNull = "null"

type field struct {
	key   string
	value *node
}

// equal compares, with the order of fields.
func (n *node) equal(m *node) bool {
	if n == nil || m == nil {
		return n == m
	}
	return n.kind == m.kind && n.mark == m.mark && n.value == m.value &&
		slices.EqualFunc(n.items, m.items, (*node).equal) &&
		slices.EqualFunc(n.fields, m.fields, func(a, b field) bool { return a.key == b.key && a.value.equal(b.value) })
}

// plain gives the value as maps and slices; of fields that are there twice the
// last, as parsers do.
func (n *node) plain() any {
	switch n.kind {
	case object:
		m := map[string]any{}
		for _, f := range n.fields {
			m[f.key] = f.value.plain()
		}
		return m
	case list:
		s := []any{}
		for _, i := range n.items {
			s = append(s, i.plain())
		}
		return s
	default:
		return n.value
	}
}

// empty tells what stands where there are no entries.
func (n *node) empty() bool {
	return n == nil || n.kind == scalar && n.value == nil || n.kind != scalar && len(n.fields)+len(n.items) == 0
}

// get returns the value of a key, nil if there is none. What is no object, or has
// the key twice, is refused.
func (n *node) get(key, where string) (*node, error) {
	if n.empty() {
		if n != nil && n.mark != "" || n != nil && n.kind == list {
			return nil, refused(n.line, "%s is not an object", where)
		}
		return nil, nil
	}
	if n.kind != object {
		return nil, refused(n.line, "%s is not an object", where)
	}
	var found *node
	for _, f := range n.fields {
		if f.key == key && found != nil {
			return nil, refused(f.value.line, "%q is there twice", key)
		}
		if f.key == key {
			found = f.value
		}
	}
	return found, nil
}

// parent returns what holds the entries of the place, nil if there is none.
func (n *node) parent(at Place) (*node, error) {
	where := "the file"
	for _, key := range at.Parent {
		next, err := n.get(key, where)
		if err != nil || next == nil {
			return nil, err
		}
		n, where = next, strconv.Quote(key)
	}
	switch {
	case n == nil || n.kind == scalar && n.value == nil && n.mark == "":
		return nil, nil
	case at.List && n.kind != list:
		return nil, refused(n.line, "%s is not a list", where)
	case !at.List && n.kind != object:
		return nil, refused(n.line, "%s is not an object", where)
	}
	return n, nil
}

// entries returns what is under the parent of the place, by name. Two of one name
// are refused; but not in a list, where only two of ours would matter (find).
func (n *node) entries(at Place) ([]field, error) {
	p, err := n.parent(at)
	if err != nil || p == nil {
		return nil, err
	}
	if !at.List {
		seen := map[string]bool{}
		for _, f := range p.fields {
			if seen[f.key] {
				return nil, refused(f.value.line, "%q is there twice", f.key)
			}
			seen[f.key] = true
		}
		return p.fields, nil
	}
	var found []field
	for _, item := range p.items {
		if name, ok := item.name(); ok {
			found = append(found, field{name, item})
		}
	}
	return found, nil
}

// name returns what an element of a list is called.
func (n *node) name() (string, bool) {
	name, err := n.get("name", "")
	if err != nil || name == nil {
		return "", false
	}
	s, ok := name.value.(string)
	return s, ok
}

// find returns the entry at the place, nil if there is none.
func (n *node) find(at Place) (*node, error) {
	entries, err := n.entries(at)
	if err != nil {
		return nil, err
	}
	var found *node
	for _, e := range entries {
		if e.key == at.Name && found != nil {
			return nil, refused(e.value.line, "%q is there twice", at.Name)
		}
		if e.key == at.Name {
			found = e.value
		}
	}
	return found, nil
}

// without returns a copy without the entry at the place, and without the parents
// that are empty then, whoever made them.
func (n *node) without(at Place) *node {
	if n.empty() {
		return nil
	}
	m := *n
	if len(at.Parent) == 0 {
		m.fields = slices.DeleteFunc(slices.Clone(n.fields), func(f field) bool { return !at.List && f.key == at.Name })
		m.items = slices.DeleteFunc(slices.Clone(n.items), func(i *node) bool {
			name, ok := i.name()
			return at.List && ok && name == at.Name
		})
	} else {
		m.fields = nil
		below := Place{Parent: at.Parent[1:], Name: at.Name, List: at.List}
		for _, f := range n.fields {
			if f.key == at.Parent[0] {
				f.value = f.value.without(below)
			}
			if f.value != nil {
				m.fields = append(m.fields, f)
			}
		}
	}
	if m.empty() {
		return nil
	}
	return &m
}

// node gives the entry for writing and comparing.
func (e Entry) node(at Place) (*node, error) {
	n := &node{kind: object}
	if at.List && !slices.ContainsFunc(e, func(m Member) bool { return m.Key == "name" }) {
		e = append(Entry{{"name", at.Name}}, e...)
	}
	for i, m := range e {
		if slices.ContainsFunc(e[:i], func(o Member) bool { return o.Key == m.Key }) {
			return nil, fmt.Errorf("member %q is twice in the entry", m.Key)
		}
		v, err := valueNode(m.Value)
		if err != nil {
			return nil, fmt.Errorf("member %q of the entry: %w", m.Key, err)
		}
		n.fields = append(n.fields, field{m.Key, v})
	}
	return n, nil
}

func valueNode(value any) (*node, error) {
	switch v := value.(type) {
	case nil:
		return &node{mark: markNull}, nil
	case string, bool, json.Number:
		return &node{value: v}, nil
	case int:
		return &node{value: json.Number(strconv.Itoa(v))}, nil
	case []string:
		return listNode(v)
	case []any:
		return listNode(v)
	case map[string]string:
		return objectNode(v)
	case map[string]any:
		return objectNode(v)
	}
	return nil, fmt.Errorf("a %T cannot be written", value)
}

func listNode[T any](items []T) (*node, error) {
	n := &node{kind: list}
	for _, i := range items {
		v, err := valueNode(i)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, v)
	}
	return n, nil
}

func objectNode[T any](m map[string]T) (*node, error) {
	n := &node{kind: object}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v, err := valueNode(m[k])
		if err != nil {
			return nil, err
		}
		n.fields = append(n.fields, field{k, v})
	}
	return n, nil
}

// sorted returns a copy with the fields by name: in an entry their order says
// nothing, and tables of TOML have none.
func (n *node) sorted() *node {
	if n == nil {
		return nil
	}
	m := *n
	m.fields, m.items = nil, nil
	for _, f := range n.fields {
		m.fields = append(m.fields, field{f.key, f.value.sorted()})
	}
	for _, i := range n.items {
		m.items = append(m.items, i.sorted())
	}
	slices.SortStableFunc(m.fields, func(a, b field) int { return strings.Compare(a.key, b.key) })
	return &m
}

// wrap puts n under the keys, outermost first, as objects that are made for it.
func wrap(n *node, keys []string) *node {
	for _, k := range slices.Backward(keys) {
		n = &node{kind: object, made: true, fields: []field{{k, n}}}
	}
	return n
}
