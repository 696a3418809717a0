// Package hint carries the advice that belongs to an error: the command, option
// or page that helps a person. The command line prints it as `payu-mcp: hint:`,
// the bridge puts it into the JSON-RPC error's data. It imports nothing of ours.
package hint

import "errors"

type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// With joins advice to err. The text is shown to people as it is, so it must
// hold no secret and no text that a server sent. A nil err stays nil.
func With(err error, advice string) error {
	if err == nil {
		return nil
	}
	return &hintError{err: err, hint: advice}
}

// Of returns the outermost advice in err's chain, or "" when there is none.
func Of(err error) string {
	if h, ok := errors.AsType[*hintError](err); ok {
		return h.hint
	}
	return ""
}
