package edit

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrRefused means that a file cannot be edited safely, and was not: it does not
// parse, a key on the way is there twice or holds something else, or it is
// written in a way that a splice could break. The error says which, with the line
// if it is known.
var ErrRefused = errors.New("the file cannot be edited safely")

// Format is how a file is written.
type Format int

// The formats.
const (
	JSON Format = iota + 1 // with comments and trailing commas, too
	TOML
	YAML
)

// Place is where an entry stands.
type Place struct {
	Parent []string // keys from the top of the file, each taken literally: a dot in one is part of it
	Name   string   // key of the entry in its parent
	List   bool     // only YAML: the parent is a list, and the entry the element whose "name" is Name
}

// Member is one key of an entry. Value is a string, bool, int, []string or
// map[string]string, or what List returns.
type Member struct {
	Key   string
	Value any
}

// Entry is what is put into a file, in this order. In a list a member "name" is
// put in front if there is none.
type Entry []Member

// format is what each format knows; positions are in text, which has no byte
// order mark.
type format interface {
	// parse gives the whole file for comparing; an empty file is nil.
	parse(text []byte) (*node, error)
	// set splices an entry in that is not there, or is another one.
	set(text []byte, at Place, entry *node) ([]byte, error)
	// remove cuts an entry out that is there.
	remove(text []byte, at Place) ([]byte, error)
}

func formatOf(f Format, at Place) (format, error) {
	if at.List && f != YAML {
		return nil, fmt.Errorf("%w: lists are edited in YAML only", ErrRefused)
	}
	switch f {
	case JSON:
		return jsonFormat{}, nil
	case TOML:
		return tomlFormat{}, nil
	case YAML:
		return yamlFormat{}, nil
	}
	return nil, fmt.Errorf("%w: unknown format %d", ErrRefused, f)
}

// List returns the entries under parent by name (whose Name counts for nothing),
// as strings, bools, json.Number, nil, []any and map[string]any; what is no
// object is there as a nil map, and elements of a list without a name are left
// out, and of two with one name it has the last. It is empty if the file is, or has
// no such parent.
func List(f Format, file []byte, parent Place) (map[string]map[string]any, error) {
	_, _, tree, err := open(f, parent, file)
	if err != nil {
		return nil, err
	}
	entries, err := tree.entries(parent)
	if err != nil {
		return nil, err
	}
	found := map[string]map[string]any{}
	for _, e := range entries {
		found[e.key], _ = e.value.plain().(map[string]any)
	}
	return found, nil
}

// Set returns file with entry e at the place, added or in the place of the one
// that is there. Missing parents are made. The same bytes come back if an equal
// entry is there, whatever it looks like and in whatever order.
func Set(f Format, file []byte, at Place, e Entry) ([]byte, error) {
	entry, err := e.node(at)
	if err != nil {
		return nil, err
	}
	how, text, before, err := open(f, at, file)
	if err != nil {
		return nil, err
	}
	old, err := before.find(at)
	if err != nil {
		return nil, err
	}
	if old != nil && old.sorted().equal(entry.sorted()) {
		return file, nil
	}
	after, err := how.set(text, at, entry)
	if err != nil {
		return nil, err
	}
	if err := verify(how, before, after, at, entry); err != nil {
		return nil, err
	}
	return rejoin(file, text, after), nil
}

// Remove returns file without the entry at the place, and without the parents
// that Set had made for it, if they are empty then: nothing is left of a file
// that has nothing else. The same bytes come back if there is no such entry.
// Comments beside the entry stay; those within it go.
func Remove(f Format, file []byte, at Place) ([]byte, error) {
	how, text, before, err := open(f, at, file)
	if err != nil {
		return nil, err
	}
	old, err := before.find(at)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return file, nil
	}
	after, err := how.remove(text, at)
	if err != nil {
		return nil, err
	}
	if err := verify(how, before, after, at, nil); err != nil {
		return nil, err
	}
	return rejoin(file, text, after), nil
}

// Snippet returns a file that has only the entry: what a person pastes.
func Snippet(f Format, at Place, e Entry) ([]byte, error) {
	b, err := Set(f, nil, at, e)
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(b, []byte(madeByUs), nil), nil
}

const byteOrderMark = "\xef\xbb\xbf"

// open parses a file. Text is the file without its byte order mark.
func open(f Format, at Place, file []byte) (how format, text []byte, tree *node, err error) {
	if how, err = formatOf(f, at); err != nil {
		return nil, nil, nil, err
	}
	text = bytes.TrimPrefix(file, []byte(byteOrderMark))
	if !utf8.Valid(text) {
		return nil, nil, nil, refused(0, "it is not UTF-8 text")
	}
	if i := loneCR(text); i >= 0 {
		return nil, nil, nil, refused(lineAt(text, i), "a line ends with a carriage return alone")
	}
	tree, err = how.parse(text)
	return how, text, tree, err
}

// rejoin puts the byte order mark of file back in front of after.
func rejoin(file, text, after []byte) []byte {
	return append(bytes.Clone(file[:len(file)-len(text)]), after...)
}

// verify refuses an edit that changed anything but the entry, or did not do it.
func verify(how format, before *node, after []byte, at Place, want *node) error {
	tree, err := how.parse(after)
	if err != nil {
		return fmt.Errorf("%w (after the edit)", err)
	}
	got, err := tree.find(at)
	if err != nil {
		return fmt.Errorf("%w (after the edit)", err)
	}
	if !got.sorted().equal(want.sorted()) {
		return refused(0, "the entry would not come out as it should")
	}
	if !before.without(at).equal(tree.without(at)) {
		return refused(0, "something beside the entry would change")
	}
	return nil
}

func refused(line int, reason string, values ...any) error {
	reason = fmt.Sprintf(reason, values...)
	if line > 0 {
		return fmt.Errorf("%w: line %d: %s", ErrRefused, line, reason)
	}
	return fmt.Errorf("%w: %s", ErrRefused, reason)
}
