package auth

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// resultPage is the last page of a sign-in: what happened and what to do.
func resultPage(cred *Credential, err error) loopback.Page {
	switch {
	case err == nil:
		return successPage(cred)
	case errors.Is(err, ErrDenied):
		return failurePage(loopback.KindDenied, "Sign-in denied", err)
	default:
		return failurePage(loopback.KindFailed, "Sign-in failed", err)
	}
}

func failurePage(kind loopback.Kind, title string, err error) loopback.Page {
	lines := []string{sentence(err.Error()), "No login was stored; one that was there before is unchanged."}
	if h := hint.Of(err); h != "" {
		lines = append(lines, "What helps: "+h+".")
	}
	return loopback.Page{Kind: kind, Title: title, Lines: append(lines, "You can close this tab.")}
}

func successPage(cred *Credential) loopback.Page {
	p := loopback.Page{Kind: loopback.KindSuccess, Title: "You are signed in", Lines: []string{"payu-mcp has stored the login on this computer. You can close this tab."}}
	if cred.Account != "" {
		p.Facts = append(p.Facts, loopback.Fact{Name: "Account", Value: cred.Account})
	}
	p.Facts = append(p.Facts, loopback.Fact{Name: "Endpoint", Value: cred.Resource})
	if len(cred.Scopes) > 0 {
		p.Facts = append(p.Facts, loopback.Fact{Name: "Scopes", Value: clean(strings.Join(cred.Scopes, " "))})
	}
	return p
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
