package jsonmsg

// Cursor stands at one value of a JSON document and walks over it once, from
// front to back, without decoding. Names of members are compared as they are,
// case and all; a member that stands twice is shown twice.
type Cursor struct{ s *scanner }

// At returns a cursor at the first value of raw. What does not turn out to be
// JSON makes the method that meets it return ErrSyntax or ErrDepth.
func At(raw []byte) Cursor {
	s := &scanner{b: raw}
	s.space()
	return Cursor{s}
}

// Kind returns the first byte of the value: one of { [ " t f n - or a digit, if
// it is valid.
func (c Cursor) Kind() byte { return c.s.peek() }

// Offset returns where the value begins in the document.
func (c Cursor) Offset() int { return c.s.i }

// Value steps over the value and returns its bytes. Nobody may write to them.
func (c Cursor) Value() ([]byte, error) {
	at := c.s.i
	if err := c.s.value(); err != nil {
		return nil, err
	}
	return c.s.b[at:c.s.i:c.s.i], nil
}

// Members calls member at each value of an object; an error of it ends the walk
// and is returned. A value that member leaves alone is stepped over. A value
// that is no object has no members.
func (c Cursor) Members(member func(key string, c Cursor) error) error {
	if c.Kind() != '{' {
		return c.s.value()
	}
	return c.s.object(func(key string) error {
		return c.visit(func(c Cursor) error { return member(key, c) })
	})
}

// Elements does the same with the elements of an array.
func (c Cursor) Elements(element func(c Cursor) error) error {
	if c.Kind() != '[' {
		return c.s.value()
	}
	return c.s.list(']', func() error { return c.visit(element) })
}

func (c Cursor) visit(f func(c Cursor) error) error {
	at := c.s.i
	if err := f(c); err != nil || c.s.i > at {
		return err
	}
	return c.s.value()
}
