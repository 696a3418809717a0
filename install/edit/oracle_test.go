package edit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

// A second opinion on files: decoded to plain values, by other means than the
// editor's own positions.

// decode returns the content of a file, nil for an empty one.
func decode(f edit.Format, file []byte) (any, error) {
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	var v any
	switch f {
	case edit.JSON:
		d := json.NewDecoder(bytes.NewReader(bareJSON(file)))
		d.UseNumber()
		if err := d.Decode(&v); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return v, nil
	case edit.TOML:
		var m map[string]any
		err := toml.Unmarshal(file, &m)
		return m, err
	default:
		err := yaml.Unmarshal(file, &v)
		return v, err
	}
}

// bareJSON takes comments and trailing commas out.
func bareJSON(b []byte) []byte {
	var out []byte
	comma := -1 // where one is in out that nothing has followed yet
	for i := 0; i < len(b); {
		switch {
		case b[i] == '"':
			end := i + 1
			for end < len(b) && b[end] != '"' {
				if b[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(b))
			out, i, comma = append(out, b[i:end]...), end, -1
		case bytes.HasPrefix(b[i:], []byte("//")):
			for i < len(b) && b[i] != '\n' {
				i++
			}
		case bytes.HasPrefix(b[i:], []byte("/*")):
			end := bytes.Index(b[i+2:], []byte("*/"))
			if end < 0 {
				return append(out, b[i:]...)
			}
			i, out = i+2+end+2, append(out, ' ')
		default:
			switch {
			case b[i] == ',':
				comma = len(out)
			case comma >= 0 && (b[i] == '}' || b[i] == ']'):
				out[comma], comma = ' ', -1
			case !strings.ContainsRune(" \t\r\n", rune(b[i])):
				comma = -1
			}
			out, i = append(out, b[i]), i+1
		}
	}
	return out
}

// apart takes the entry out of a decoded file, and the parents that are empty
// then, and returns it.
func apart(v any, at edit.Place) (rest, entry any) {
	if len(at.Parent) > 0 {
		below := edit.Place{Parent: at.Parent[1:], Name: at.Name, List: at.List}
		switch m := v.(type) {
		case map[string]any:
			var inner any
			inner, entry = apart(m[at.Parent[0]], below)
			return putKey(m, at.Parent[0], inner), entry
		case map[any]any:
			var inner any
			inner, entry = apart(m[at.Parent[0]], below)
			return putKey(m, any(at.Parent[0]), inner), entry
		}
		return v, nil
	}
	switch m := v.(type) {
	case map[string]any:
		return putKey(m, at.Name, nil), m[at.Name]
	case map[any]any:
		return putKey(m, any(at.Name), nil), m[at.Name]
	case []any:
		i := slices.IndexFunc(m, func(item any) bool {
			named, ok := item.(map[string]any)
			return at.List && ok && named["name"] == at.Name
		})
		if i < 0 {
			return emptied(m), nil
		}
		return emptied(slices.Delete(slices.Clone(m), i, i+1)), m[i]
	}
	return v, nil
}

func emptied(s []any) any {
	if len(s) == 0 {
		return nil
	}
	return s
}

func putKey[K comparable](m map[K]any, key K, value any) any {
	c := map[K]any{}
	maps.Copy(c, m)
	if c[key] = value; value == nil {
		delete(c, key)
	}
	if len(c) == 0 {
		return nil
	}
	return c
}

// sameBut fails unless two files have the same content beside the entry, which
// the second one has, or has not.
func sameBut(t *testing.T, f edit.Format, a, b []byte, at edit.Place, has bool) {
	t.Helper()
	x, err := decode(f, a)
	if err != nil {
		return // a file that the editor takes and the second opinion does not
	}
	y, err := decode(f, b)
	if err != nil {
		t.Fatalf("does not parse any more: %v\n%s", err, b)
	}
	x, _ = apart(x, at)
	y, entry := apart(y, at)
	if (entry != nil) != has {
		t.Errorf("the entry is %v in\n%s", entry, b)
	}
	if !reflect.DeepEqual(x, y) && fmt.Sprintf("%#v", x) != fmt.Sprintf("%#v", y) { // nan
		t.Errorf("something else has changed:\n%#v\n%#v\nfrom:\n%s\nto:\n%s", x, y, a, b)
	}
}

// within tells that all of part is in whole, in this order.
func within(part, whole []byte) bool {
	for _, c := range whole {
		if len(part) > 0 && part[0] == c {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// judge sets and removes an entry in whatever file, and returns the file with it,
// or nil if it was refused.
func judge(t *testing.T, f edit.Format, file []byte, at edit.Place, e edit.Entry) []byte {
	t.Helper()
	entries, err := edit.List(f, file, at)
	if err != nil && !errors.Is(err, edit.ErrRefused) {
		t.Fatal(err)
	}
	_, was := entries[at.Name]
	gone, err := edit.Remove(f, file, at)
	if err != nil && !errors.Is(err, edit.ErrRefused) {
		t.Fatal(err)
	}
	if err == nil {
		sameBut(t, f, file, gone, at, false)
		if !was && !bytes.Equal(gone, file) || !within(gone, file) {
			t.Errorf("removed from\n%s\nwhat is left:\n%s", file, gone)
		}
	}
	with, err := edit.Set(f, file, at, e)
	if errors.Is(err, edit.ErrRefused) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	sameBut(t, f, file, with, at, true)
	again, err := edit.Set(f, with, at, e)
	if err != nil || !bytes.Equal(again, with) {
		t.Errorf("setting again: %v\n%s\n->\n%s", err, with, again)
	}
	back, err := edit.Remove(f, with, at)
	switch {
	case was && errors.Is(err, edit.ErrRefused): // what is left without it cannot be read, such as "..." alone
	case err != nil:
		t.Errorf("removing: %v\n%s", err, with)
	case was:
		sameBut(t, f, file, back, at, false)
	case !bytes.Equal(back, file):
		t.Errorf("removing from\n%s\ngives\n%q\nnot\n%q", with, back, file)
	case !within(file, with):
		t.Errorf("lost something of\n%s\nin\n%s", file, with)
	}
	return with
}
