package edit

import (
	"bytes"

	"github.com/tailscale/hujson"
)

func (jsonFormat) remove(text []byte, at Place) ([]byte, error) {
	root, err := parseJSON(text)
	if err != nil || root == nil {
		return text, err
	}
	steps := jsonPath(root, at)
	for len(steps) > 0 && madeForIt(steps[len(steps)-1]) {
		steps = steps[:len(steps)-1]
	}
	if len(steps) == 0 {
		return withoutLast(text, root.StartOffset, root.EndOffset), nil
	}
	return apply(text, removal(text, steps[len(steps)-1])...), nil
}

// madeForIt tells an object that set has made for the one member that it has.
func madeForIt(s jsonStep) bool {
	if len(s.object.Members) != 1 {
		return false
	}
	m := s.member()
	var extra []byte
	for _, e := range []hujson.Extra{m.Name.BeforeExtra, m.Name.AfterExtra, m.Value.BeforeExtra, m.Value.AfterExtra} {
		extra = append(extra, e...)
	}
	filled := len(s.object.AfterExtra) == 0
	return !filled && len(bytes.TrimSpace(append(extra, s.object.AfterExtra...))) == 0
}

// removal cuts a member out: its text, its comma or the one before, and the white
// space in front of it.
func removal(text []byte, s jsonStep) []splice {
	m, last := s.member(), s.index == len(s.object.Members)-1
	from, to := m.Name.StartOffset, m.Value.EndOffset
	comma, has := commaAfter(m, last)
	switch {
	case has && comma == to:
		to++
	case has:
		return []splice{cut(from, to), cut(comma, comma+1)} // comments in between stay
	case s.index == 0:
		return []splice{cut(from, to)}
	}
	var all []splice
	if !has {
		before, _ := commaAfter(&s.object.Members[s.index-1], false)
		all = append(all, cut(before, before+1))
	}
	blanks := backBlanks(text, from)
	line := backNewline(text, blanks)
	ends := endsLine(text, to)
	closes := text[skipBlanks(text, to)] == '}'
	switch {
	case line < blanks && ends, line < blanks && closes && !endsInLineComment(m.Name.BeforeExtra[:len(m.Name.BeforeExtra)-(from-line)]):
		from = line
	case line < blanks: // something else is on the line
		to = skipBlanks(text, to)
	case closes, ends, !has:
		from = blanks
	default:
		to = skipBlanks(text, to)
	}
	return append(all, cut(from, to))
}

// endsInLineComment tells that what comes right after extra would be in a comment.
func endsInLineComment(extra []byte) bool {
	isLine := false
	for len(extra) > 0 {
		n, l := comment(extra)
		isLine = l
		extra = extra[max(n, 1):]
	}
	return isLine
}
