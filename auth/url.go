package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
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

// CheckPage tells whether raw, which a server names, is an address that a person
// may be shown to open: it says where it leads to every reader. It returns the host,
// with the port if there is one. Whose page it is, OnPayU tells.
func CheckPage(raw string) (host string, err error) {
	u, err := checkURL(raw, false)
	if err != nil {
		return "", err
	}
	return u.Host, nil
}

// longestURL leaves room for the parameters of an authorization request, and fits
// into the request line that servers take.
const longestURL = 8 << 10

// checkURL is the one rule for every URL that a server or a user names
// (OAUTH A31, A32, X1, X4): https, or http on loopback where that is allowed; a
// host that is one to every reader; no userinfo; and no character that RFC 3986
// does not have, so that nothing is left to how a browser, a shell or a command
// line repairs it.
func checkURL(raw string, loopbackHTTP bool) (*url.URL, error) {
	switch {
	case len(raw) > longestURL:
		return nil, errors.New("the URL is too long")
	case strings.ContainsFunc(raw, notInURL):
		return nil, errors.New("the URL holds white space, control characters or others that have no place in a URL")
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
	case u.User != nil:
		return nil, errors.New("the URL holds a user name")
	case u.Scheme == "http" && (!loopbackHTTP || !nettransport.IsLoopback(u.Hostname())):
		return nil, fmt.Errorf("plain http to %s is refused: only https is safe there", clean(u.Hostname()))
	case !plainHost(u.Hostname()):
		return nil, errors.New("the URL's host is neither a plain name nor an IP address")
	case !validPort(u):
		return nil, errors.New("the URL's port is no port")
	}
	if _, err := url.QueryUnescape(u.RawQuery); err != nil {
		return nil, errors.New("this is not a URL")
	}
	return u, nil
}

// notInURL tells characters that RFC 3986 section 2 has in no place. A name in
// another script is written in its ASCII form there.
func notInURL(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", r) }

// plainHost allows an IP address and a DNS name (RFC 1123, and the underscore that
// some have). A name that ends in a number is an IPv4 address to some readers,
// such as 2130706433 or 0x7f.1, and a name to others.
func plainHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}

func validPort(u *url.URL) bool {
	_, port, found := strings.Cut(strings.TrimPrefix(u.Host, "["+u.Hostname()+"]"), ":")
	n, err := strconv.ParseUint(port, 10, 16)
	return !found || err == nil && n > 0
}

// origin returns scheme and authority of a URL that checkURL passed.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// IsLoopback tells whether the URL raw points to this computer.
func IsLoopback(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && nettransport.IsLoopback(u.Hostname())
}
