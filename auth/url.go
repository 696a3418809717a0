package auth

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// CheckEndpoint tells whether raw can be the URL of an MCP endpoint: https, or
// http on this computer; with a host, without userinfo, query or fragment
// (RFC 8707 section 2 forbids the fragment).
func CheckEndpoint(raw string) error {
	u, err := checkURL(raw, true)
	if err != nil {
		return hint.With(fmt.Errorf("the endpoint: %w", err), "give the endpoint as --url https://HOST/PATH; plain http is for 127.0.0.1 only")
	}
	if u.Fragment != "" || u.RawQuery != "" {
		return hint.With(errors.New("the endpoint has a query or fragment"), "give the endpoint as --url https://HOST/PATH")
	}
	return nil
}

// checkURL is the one rule for every URL that a server or a user names
// (OAUTH A31, A32, X1, X4): https, or http on loopback where that is allowed; a
// host; no userinfo, no control characters.
func checkURL(raw string, loopbackHTTP bool) (*url.URL, error) {
	if hasBlanks(raw) {
		return nil, errors.New("the URL holds white space, a backslash or control characters")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("this is not a URL")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the URL's scheme is not http or https")
	case u.Hostname() == "":
		return nil, errors.New("the URL has no host")
	case strings.Contains(u.Host, "%"):
		return nil, errors.New("the URL's host holds a zone or an escape")
	case u.User != nil:
		return nil, errors.New("the URL holds a user name")
	case u.Scheme == "http" && (!loopbackHTTP || !nettransport.IsLoopback(u.Hostname())):
		return nil, fmt.Errorf("plain http to %s is refused: only https is safe there", clean(u.Hostname()))
	}
	return u, nil
}

// hasBlanks tells what no URL holds, and parsers disagree about.
func hasBlanks(raw string) bool {
	return strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' })
}

// origin returns scheme and authority of a URL that checkURL passed.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// IsLoopback tells whether the URL raw points to this computer.
func IsLoopback(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && nettransport.IsLoopback(u.Hostname())
}
