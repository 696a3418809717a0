package auth

import (
	"cmp"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// resultPage is the last page of the sign-in a at endpoint: what happened and what
// to do.
func resultPage(a *Attempt, endpoint string, cred *Credential, err error) loopback.Page {
	var p loopback.Page
	switch {
	case err == nil:
		p = successPage(a, cred)
	case errors.Is(err, ErrDenied):
		p = failurePage(a, loopback.KindDenied, "Sign-in denied", err)
	default:
		p = failurePage(a, loopback.KindFailed, "Sign-in failed", err)
	}
	// Not the resource indicator, which may be none or another name.
	p.Facts = append(p.Facts, fact("Asked by", a.asker()), fact("Endpoint", endpoint))
	if err == nil && len(cred.Scopes) > 0 {
		p.Facts = append(p.Facts, scopesFact(cred.Scopes))
	}
	return p
}

func failurePage(a *Attempt, kind loopback.Kind, title string, err error) loopback.Page {
	p := loopback.Page{Kind: kind, Title: title, Lines: []string{sentence(err.Error())}, Command: loginCommand}
	if h := hint.Of(err); h != "" {
		p.Lines = append(p.Lines, "What helps: "+h+".")
	}
	again := "You can close this tab."
	if a.By != "" {
		again = "You can close this tab and ask again in " + a.By + "."
	}
	p.Lines = append(p.Lines, "No login was stored; one that was there before is unchanged. "+again)
	if code := codeOf(err); code != "" {
		p.Facts = append(p.Facts, fact("Error code", code))
	}
	return p
}

func successPage(a *Attempt, cred *Credential) loopback.Page {
	back := "go back to " + a.asker()
	if a.By == "" {
		back = "go back to the terminal"
	}
	p := loopback.Page{Kind: loopback.KindSuccess, Title: "You are signed in", Lines: []string{
		"payu-mcp has stored the login on this computer. You can close this tab and " + back + ".",
	}}
	p.Facts = []loopback.Fact{fact("Account", cmp.Or(cred.Account, "The server does not tell."))}
	return p
}

// scopesFact shows as many scopes as a person would read.
func scopesFact(scopes []string) loopback.Fact {
	const most = 24
	f := loopback.Fact{Name: "Scopes"}
	for i, s := range scopes {
		if i == most {
			f.Values = append(f.Values, "and "+strconv.Itoa(len(scopes)-most)+" more")
			break
		}
		f.Values = append(f.Values, clean(s))
	}
	return f
}

func fact(name, value string) loopback.Fact {
	return loopback.Fact{Name: name, Values: []string{value}}
}

// asker names the program that a person is signing in for.
func (a *Attempt) asker() string { return cmp.Or(a.By, loginCommand) }

// answeredError is an error response of the authorization endpoint, with its
// code (RFC 6749 section 4.1.2.1) for the page.
type answeredError struct {
	error

	code string
}

func (e *answeredError) Unwrap() error { return e.error }

// codeOf finds the error code that the authorization server gave, or the status
// of an answer that had none.
func codeOf(err error) string {
	if e, ok := errors.AsType[*answeredError](err); ok {
		return e.code
	}
	if e, ok := errors.AsType[*tokenError](err); ok {
		return cmp.Or(e.code, "HTTP "+strconv.Itoa(e.status))
	}
	return ""
}

// sentence makes one of an error's text.
func sentence(s string) string {
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

func humanLimit(d time.Duration) string {
	if d >= time.Minute {
		return strconv.Itoa(int(d.Minutes())) + " minutes"
	}
	return d.String()
}

// registeredPort returns the port of a loopback redirect URI, or 0.
func registeredPort(r *Registration) int {
	if r == nil {
		return 0
	}
	u, err := url.Parse(r.RedirectURI)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	return port
}
