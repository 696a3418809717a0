package auth

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// ErrNotPasted: what was pasted is not the answer to the open sign-in.
var ErrNotPasted = errors.New("that is not the address of the last page")

// answer waits for the authorization response: by the callback, or for a flow
// that was handed out pasted by a person whose browser cannot reach this
// computer (OAUTH section 5, "no browser").
func (p Prompt) answer(ctx context.Context, ln *loopback.Listener, a *Attempt) (q url.Values, byCallback bool, err error) {
	pasted := p.Pasted
	if a.Bound {
		pasted = nil // only the browser with the cookie may finish it
	}
	for {
		select {
		case q := <-ln.Callback():
			return q, true, nil
		case text, open := <-pasted:
			if !open {
				pasted = nil
				continue
			}
			q, err := a.pasted(text)
			if err == nil && ln.Take() {
				return q, false, nil
			}
			if err != nil && p.Refuse != nil {
				p.Refuse(err)
			}
		case <-ln.Contested():
			return nil, false, hint.With(ErrTwoBrowsers, "start again with payu-mcp login; if it happens again, use payu-mcp login --no-browser: somebody else on this computer may be trying to get in between")
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// pasted reads the address of the last page. It is judged as the callback is:
// address, state, and afterwards, by code, iss and the rest. An error never
// repeats what was pasted, which may hold a code.
func (a *Attempt) pasted(text string) (url.Values, error) {
	wrong := func(advice string) error { return hint.With(ErrNotPasted, advice) }
	u, err := url.Parse(strings.Trim(text, " \t\r\n\"'`<>"))
	if err != nil {
		return nil, wrong("copy the whole address from the browser's address bar: it begins with " + a.RedirectURI + "?")
	}
	q, err := url.ParseQuery(u.RawQuery)
	u.RawQuery, u.Fragment = "", ""
	switch {
	case q.Has("code_challenge"):
		return nil, wrong("this is the address to open; needed is the one of the last page, after you have allowed the access: it begins with " + a.RedirectURI + "?")
	case err != nil || u.String() != a.RedirectURI:
		return nil, wrong("copy the whole address from the browser's address bar: it begins with " + a.RedirectURI + "?")
	case !a.accepts(q):
		return nil, hint.With(errors.New("that address belongs to another sign-in"), "open the address that is shown above, and paste the address of the last page that it leads to")
	}
	return q, nil
}
