package main

import (
	"fmt"
	"io"

	"github.com/payu-mcp/payu-mcp/auth"
)

// A sign-in by code (RFC 8628): nothing has to be pasted back.

const (
	linkText = `Open this address in a browser, on any device, to sign in:

%s

It shows a code, or asks for one. Go on only if it is this one:

    %s

Without the link: open %s and enter the code.
`
	pageText = `Open this address in a browser, on any device, to sign in:

%s

and enter this code:

    %s

`
	codeText   = "Nothing has to be pasted here. The sign-in goes on when you have allowed the access; Ctrl-C ends the waiting.\n\n"
	noCodeText = "A sign-in by code is not possible: %v.\nIt goes on with an address to open and to paste back.\n\n"
)

func codeShower(w io.Writer) func(auth.UserCode) {
	return func(c auth.UserCode) {
		if c.Link == "" {
			fmt.Fprintf(w, pageText+codeText, c.Page, c.Code)
			return
		}
		fmt.Fprintf(w, linkText+codeText, c.Link, c.Code, c.Page)
	}
}

// whereElse is where to finish a sign-in of another process; without a link that
// holds it, the code is needed too.
func whereElse(other *auth.ElsewhereError) string {
	if other.Code != nil && other.Code.Link == "" {
		return other.URL + " (the code is " + other.Code.Code + ")"
	}
	return other.URL
}
