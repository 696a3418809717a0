package jsonmsg_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

func TestCursor_walk_everyMemberOnceInOrder(t *testing.T) {
	t.Parallel()
	doc := ` {"a":1.0, "A":[2,{"b":3}], "a":"\u0078", "skip":{"c":4}, "o":{"d":[5]} }`
	var seen []string
	note := func(key string, c jsonmsg.Cursor) error {
		at := c.Offset()
		value, err := c.Value()
		seen = append(seen, fmt.Sprintf("%s=%s", key, value))
		if doc[at:at+len(value)] != string(value) {
			t.Errorf("%s is not at %d", value, at)
		}
		return err
	}
	err := jsonmsg.At([]byte(doc)).Members(func(key string, c jsonmsg.Cursor) error {
		switch {
		case key == "skip":
			return nil
		case key == "o":
			return c.Members(note)
		case c.Kind() == '[':
			return c.Elements(func(c jsonmsg.Cursor) error { return note("element", c) })
		}
		return note(key, c)
	})
	if got := strings.Join(seen, " "); err != nil || got != `a=1.0 element=2 element={"b":3} a="\u0078" d=[5]` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestCursor_otherKinds_haveNoParts(t *testing.T) {
	t.Parallel()
	unwanted := func(jsonmsg.Cursor) error { return errors.New("called") }
	for _, doc := range []string{`[{"a":1}]`, `"x"`, `7`, `null`} {
		if err := jsonmsg.At([]byte(doc)).Members(func(string, jsonmsg.Cursor) error { return io.ErrUnexpectedEOF }); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
	if err := jsonmsg.At([]byte(`{"a":[1]}`)).Elements(unwanted); err != nil {
		t.Error(err)
	}
}

func TestCursor_errors_endTheWalk(t *testing.T) {
	t.Parallel()
	visit := func(doc string, stop error) (n int, err error) {
		err = jsonmsg.At([]byte(doc)).Members(func(string, jsonmsg.Cursor) error { n++; return stop })
		return n, err
	}
	if n, err := visit(`{"a":1,"b":2}`, io.EOF); n != 1 || !errors.Is(err, io.EOF) {
		t.Error(n, err)
	}
	for _, doc := range []string{``, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{"a":01}`} {
		if _, err := visit(doc, nil); !errors.Is(err, jsonmsg.ErrSyntax) {
			t.Errorf("%s: %v", doc, err)
		}
	}
	if _, err := visit(`{"a":`+strings.Repeat("[", jsonmsg.MaxDepth)+`}`, nil); !errors.Is(err, jsonmsg.ErrDepth) {
		t.Error(err)
	}
}

func TestText_values_onlyStringsHaveOne(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{`"a"`: "a", `"\u0061\n"`: "a\n", `""`: "", `7`: "", `null`: "", ``: ""} {
		if got := jsonmsg.Text([]byte(value)); got != want {
			t.Errorf("%s: %q", value, got)
		}
	}
}
