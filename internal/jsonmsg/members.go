package jsonmsg

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
)

// Member is one member of an object.
type Member struct {
	Key   string          // decoded
	Value json.RawMessage // as written
}

// ErrNoObject says that what should be an object is something else.
var ErrNoObject = errors.New("not an object where one belongs")

// Members lists the members of an object in the order in which they are
// written; of other JSON, none.
func Members(object []byte) []Member {
	var all []Member
	s := scanner{b: object}
	if s.space(); s.peek() != '{' {
		return nil
	}
	err := s.object(func(key string) error {
		at := s.i
		err := s.value()
		all = append(all, Member{key, object[at:s.i:s.i]})
		return err
	})
	if err != nil {
		return nil
	}
	return all
}

// Lookup returns the value at the end of a path of keys, as written; nil if
// there is none. Keys are compared case-sensitively; of two equal ones the last
// counts, as in encoding/json.
func Lookup(object []byte, path ...string) json.RawMessage {
	value := object
	for _, key := range path {
		found := false
		for _, m := range slices.Backward(Members(value)) {
			if found = m.Key == key; found {
				value = m.Value
				break
			}
		}
		if !found {
			return nil
		}
	}
	return value
}

// Text decodes a value that is a string; any other is "".
func Text(value json.RawMessage) string { return text(value) }

// Set returns the object with members of the object at the end of path set; all
// other bytes stay as they are. A member that is there has its value replaced, a
// new one comes first. Objects of the path that are missing or null are made.
// The values given must be JSON; the object given stays untouched.
func Set(object []byte, path []string, members ...Member) ([]byte, error) {
	e := editor{scanner: scanner{b: object}}
	if e.space(); e.peek() != '{' {
		return nil, ErrNoObject
	}
	if err := e.set(path, members); err != nil {
		return nil, err
	}
	if e.space(); e.i < len(object) {
		return nil, ErrSyntax
	}
	return e.edited(), nil
}

// edit replaces b[from:to] by text.
type edit struct {
	from, to int
	text     []byte
}

// editor notes edits while it scans an object once.
type editor struct {
	scanner

	edits []edit
}

// set notes the edits of the object that the scanner stands at.
func (e *editor) set(path []string, members []Member) error {
	inside := len(path) > 0
	want := members
	if inside {
		want = []Member{{Key: path[0]}}
	}
	at, count, done := e.i+1, 0, make([]bool, len(want))
	err := e.object(func(key string) error {
		count++
		i := slices.IndexFunc(want, func(m Member) bool { return m.Key == key })
		if i < 0 {
			return e.value()
		}
		done[i] = true
		if inside {
			return e.enter(path[1:], members)
		}
		return e.replace(want[i].Value)
	})
	if err != nil {
		return err
	}
	if inside {
		want = []Member{{Key: path[0], Value: build(path[1:], members)}}
	}
	e.insert(at, count > 0, slices.DeleteFunc(slices.Clone(want), func(m Member) bool {
		return done[slices.IndexFunc(want, func(w Member) bool { return w.Key == m.Key })]
	}))
	return nil
}

// enter goes on into a member of the path.
func (e *editor) enter(path []string, members []Member) error {
	switch e.peek() {
	case '{':
		return e.set(path, members)
	case 'n':
		return e.replace(build(path, members))
	}
	return ErrNoObject
}

// replace puts another value in place of the one that the scanner stands at.
func (e *editor) replace(by json.RawMessage) error {
	at := e.i
	if err := e.value(); err != nil {
		return err
	}
	e.edits = append(e.edits, edit{at, e.i, by})
	return nil
}

// insert puts members at the beginning of an object.
func (e *editor) insert(at int, others bool, members []Member) {
	if len(members) == 0 {
		return
	}
	text := list(members)
	if others {
		text = append(text, ',')
	}
	e.edits = append(e.edits, edit{at, at, text})
}

// edited applies the edits.
func (e *editor) edited() []byte {
	slices.SortStableFunc(e.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var out bytes.Buffer
	size, last := len(e.b), 0
	for _, x := range e.edits {
		size += len(x.text)
	}
	out.Grow(size)
	for _, x := range e.edits {
		out.Write(e.b[last:x.from])
		out.Write(x.text)
		last = x.to
	}
	out.Write(e.b[last:])
	return out.Bytes()
}

// build makes the objects of a path with the members in the last.
func build(path []string, members []Member) json.RawMessage {
	object := Object(members...)
	for _, key := range slices.Backward(path) {
		object = Object(Member{key, object})
	}
	return object
}

// Object makes an object of members.
func Object(members ...Member) json.RawMessage {
	return slices.Concat([]byte("{"), list(members), []byte("}"))
}

func list(members []Member) []byte {
	var out []byte
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, Quote(m.Key)...)
		out = append(out, ':')
		out = append(out, m.Value...)
	}
	return out
}

// Quote writes a string as JSON.
func Quote(s string) json.RawMessage {
	literal, _ := json.Marshal(s) // a string always encodes
	return literal
}
