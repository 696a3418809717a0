package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

const handOutText = `Open this address in a browser to sign in:

%s

If that browser is not on this computer (you work over SSH, in WSL or in a container), its last page
cannot be opened: it begins with http://127.0.0.1. Then copy that page's whole address from the
browser's address bar, paste it here and press Enter.

`

// handOutPrompt prints the authorization URL and takes the address of the last
// page on standard input, from a terminal or a pipe. What is pasted may hold a
// code, so it is never printed again.
func handOutPrompt(ctx context.Context, e env) auth.Prompt {
	return auth.Prompt{
		Anew:     true,
		WantCode: true,
		Show:     func(url string, _ error) { fmt.Fprintf(e.stdout, handOutText, url) },
		ShowCode: codeShower(e.stdout),
		NoCode:   func(err error) { fmt.Fprintf(e.stdout, noCodeText, err) },
		Pasted:   lines(ctx, e.stdin),
		Refuse:   func(err error) { fmt.Fprintf(e.stdout, "Not used: %v.\nWhat helps: %s.\n\n", err, hint.Of(err)) },
	}
}

// lines gives the lines of r until its end, without empty ones. Its goroutine
// may stay in a read that nobody ends; the process is about to.
func lines(ctx context.Context, r io.Reader) <-chan string {
	found := make(chan string)
	go func() {
		defer close(found)
		s := bufio.NewScanner(r)
		s.Buffer(nil, maxURL)
		for s.Scan() {
			text := strings.TrimSpace(s.Text())
			if text == "" {
				continue
			}
			select {
			case found <- text:
			case <-ctx.Done():
				return
			}
		}
	}()
	return found
}
