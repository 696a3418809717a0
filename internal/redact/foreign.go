package redact

import "strings"

// NotLogged is what stands in a log where somebody else's words were.
const NotLogged = "[not logged]"

// foreigner is an error with somebody else's words in its text, such as a server's
// error_description. A person may read them; a log must not keep them, since a
// server may repeat in them whom or what it was asked about.
type foreigner interface{ ForeignText() string }

// Foreign marks the part of err's text that somebody else wrote; "" marks nothing.
// The mark holds through all that wraps the result with %w.
func Foreign(err error, text string) error { return &foreign{err, text} }

type foreign struct {
	error

	text string
}

// Unwrap gives the error itself.
func (e *foreign) Unwrap() error { return e.error }

// ForeignText implements foreigner.
func (e *foreign) ForeignText() string { return e.text }

// ownWords returns the text of err without the words of others.
func ownWords(err error) string {
	text := err.Error()
	for _, words := range foreignTexts(err) {
		text = strings.ReplaceAll(text, words, NotLogged)
	}
	return text
}

// foreignTexts walks an error and all that it wraps.
func foreignTexts(v any) []string {
	var all []string
	if f, ok := v.(foreigner); ok && f.ForeignText() != "" {
		all = append(all, f.ForeignText())
	}
	switch e := v.(type) {
	case interface{ Unwrap() error }:
		all = append(all, foreignTexts(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, foreignTexts(inner)...)
		}
	}
	return all
}
