package edit

import "strings"

func (jsonFormat) remove(text []byte, at Place) ([]byte, error) {
	root, err := parseJSON(text)
	if err != nil || root == nil {
		return text, err
	}
	steps := jsonPath(root, at)
	for len(steps) > 0 && madeForIt(text, steps[len(steps)-1]) {
		steps = steps[:len(steps)-1]
	}
	if len(steps) == 0 {
		return withoutLast(text, root.StartOffset, root.EndOffset), nil
	}
	return apply(text, removal(text, steps[len(steps)-1])...), nil
}

// madeForIt tells an object that set has made for the one member that it has, by
// the white space, which is as render writes it.
func madeForIt(text []byte, s jsonStep) bool {
	if len(s.object.Members) != 1 {
		return false
	}
	m := s.member()
	before, behind := string(m.Name.BeforeExtra), string(s.object.AfterExtra)
	if len(m.Name.AfterExtra) > 0 || m.Value.AfterExtra != nil {
		return false
	}
	outer := indentAt(text, s.value.StartOffset)
	if strings.HasPrefix(before, "\r") {
		outer = "\r\n" + outer
	} else {
		outer = "\n" + outer
	}
	unit, deeper := strings.CutPrefix(before, outer)
	multi := behind == outer && deeper && unit != "" && strings.Trim(unit, " \t") == ""
	return multi || before == " " && behind == " "
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
	case s.index == 0 && last:
		return []splice{cut(from, to)} // an object that was there and empty
	}
	var all []splice
	if !has {
		before, _ := commaAfter(&s.object.Members[s.index-1], false)
		all = append(all, cut(before, before+1))
	}
	blanks := backBlanks(text, from)
	line := backNewline(text, blanks)
	ends := endsLine(text, to)
	if ends && line < blanks && string(text[line:blanks]) != newline(text) { // a line of a person's, so ours is the next
		return append(all, cut(blanks, lineEnd(text, to)))
	}
	closes := text[skipBlanks(text, to)] == '}'
	switch {
	case line < blanks && ends, line < blanks && closes && !endsInLineComment(m.Name.BeforeExtra[:len(m.Name.BeforeExtra)-(from-line)]):
		from = line
	case line < blanks: // something else is on the line
		to = skipBlanks(text, to)
	case s.index > 0:
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
