package main

import "strings"

// roff writes the man(7) language: lines of text, and lines of macros that begin
// with a dot.
type roff struct {
	strings.Builder

	as textKind // what the last line of text was
}

// textKind is how a line of a help text is set.
type textKind int

const (
	textHeading textKind = iota // the first line of a section
	textBreak                   // an empty line
	textFlow                    // filled to the width of the page
	textItem                    // "  term   what it is"
	textBlock                   // any other line that is indented: kept as it is
)

// escape makes s plain text. A hyphen becomes the minus that can be searched for
// and copied into a shell.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return s
}

func (p *roff) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		p.WriteString(` "` + strings.ReplaceAll(escape(a), `"`, `\(dq`) + `"`)
	}
	p.WriteByte('\n')
}

func (p *roff) line(s string) { p.WriteString(escape(strings.TrimSpace(s)) + "\n") }

func (p *roff) section(title string) {
	p.macro("SH", title)
	p.as = textHeading
}

func (p *roff) item(term, text string) {
	p.macro("TP")
	p.macro("B", term)
	p.line(text)
}

// text sets a help text: paragraphs, lists in two columns, and indented blocks.
func (p *roff) text(s string) {
	for l := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		l = strings.TrimLeft(l, "#") // cobra's own texts have headings
		kind, term, rest := kindOf(l)
		p.turn(kind)
		switch kind {
		case textItem:
			p.item(term, rest)
		case textBreak, textHeading:
		default:
			p.line(l)
		}
	}
	p.turn(textHeading)
}

// turn ends a block and begins a paragraph, where the kind of text changes.
func (p *roff) turn(to textKind) {
	switch {
	case p.as == to || to == textBreak && p.as == textHeading:
		return
	case p.as == textBlock:
		p.macro("fi")
	}
	switch {
	case to == textBlock:
		p.macro("PP")
		p.macro("nf")
	case to == textFlow && p.as != textHeading:
		p.macro("PP")
	}
	p.as = to
}

func kindOf(l string) (kind textKind, term, text string) {
	trimmed := strings.TrimSpace(l)
	term, text, isItem := strings.Cut(trimmed, "  ")
	switch {
	case trimmed == "":
		return textBreak, "", ""
	case !strings.HasPrefix(l, "  ") && !strings.HasPrefix(l, "\t"):
		return textFlow, "", ""
	case isItem:
		return textItem, term, text
	}
	return textBlock, "", ""
}
