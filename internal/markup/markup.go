// Package markup puts text into HTML pages of ours, each piece escaped.
//
// It is so small because it can be: our pages have text in elements and in quoted
// attributes, and nothing else that changes. html/template knows all the other
// places, and for that reason calls methods by name, so that the linker must keep
// every exported method of every type: 2.5 MB of a program of 16
// (docs/decisions.md).
//
// A leaf: it imports nothing of ours.
package markup

import (
	"html"
	"strings"
)

// HTML is markup that may be shown as it stands: a constant of ours, or what the
// functions here return. A conversion from anything else is a fault.
type HTML string

// Text returns s as HTML that shows s, and nothing else, in an element or in a
// quoted attribute (WHATWG HTML 13.1.2.3 and 13.1.4). NUL, which HTML cannot
// have, and what is no UTF-8 are shown as U+FFFD. It is not for URLs, scripts or
// styles.
func Text(s string) HTML {
	const stray = "\uFFFD"
	return HTML(html.EscapeString(strings.ReplaceAll(strings.ToValidUTF8(s, stray), "\x00", stray)))
}

// Place is a `{{name}}` of a layout, and what comes there.
type Place struct {
	Name string
	HTML HTML
}

// Put returns the place of this name with a text in it.
func Put(name, text string) Place { return Place{Name: name, HTML: Text(text)} }

// Fill returns the layout with its places filled. What was put in is not looked
// at again: a text that looks like a place stays a text.
func Fill(layout HTML, places ...Place) HTML {
	pairs := make([]string, 0, 2*len(places))
	for _, p := range places {
		pairs = append(pairs, "{{"+p.Name+"}}", string(p.HTML))
	}
	return HTML(strings.NewReplacer(pairs...).Replace(string(layout)))
}

// Each returns the markup of all items, one after the other.
func Each[T any](items []T, show func(T) HTML) HTML {
	var b strings.Builder
	for _, item := range items {
		b.WriteString(string(show(item)))
	}
	return HTML(b.String())
}
