package auth

import (
	"net/url"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// PayU's own addresses (PAYU P1 to P3) and the pin on them (OAUTH section 8).
const (
	// PayUEndpoint is PayU's Remote MCP endpoint.
	PayUEndpoint = "https://api.payu.in/mcp"

	payuOrigin   = "https://api.payu.in"
	payuAccounts = "https://accounts.payu.in"
	payuDomain   = "payu.in"
)

// isPayU tells whether resource is at PayU's host, however it is written.
func isPayU(resource string) bool {
	u, err := url.Parse(resource)
	return err == nil && u.Scheme == "https" && strings.EqualFold(u.Hostname(), "api.payu.in") && (u.Port() == "" || u.Port() == "443")
}

// checkPinnedIssuer allows PayU's two issuers and no other (OAUTH Y1, Y2).
func checkPinnedIssuer(resource, issuer string) error {
	if !isPayU(resource) || issuer == payuOrigin || issuer == payuAccounts {
		return nil
	}
	return hint.With(serverFault("PayU's endpoint names %q as its authorization server, which is not PayU's", clean(issuer)), "do not sign in. "+payuContact(resource))
}

// checkPin keeps PayU's endpoints on https, the default port and payu.in or a
// subdomain of it (OAUTH Y2). Other resources are not pinned.
func checkPin(resource, name string, u *url.URL) error {
	if !isPayU(resource) {
		return nil
	}
	if u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") && onPayU(strings.ToLower(u.Hostname())) {
		return nil
	}
	return hint.With(serverFault("PayU's metadata puts the %s endpoint at %s, which is not an address of payu.in", name, clean(u.Host)),
		"do not sign in. "+payuContact(resource))
}

// onPayU tells whether host, in lower case, is payu.in or a name under it.
func onPayU(host string) bool { return host == payuDomain || strings.HasSuffix(host, "."+payuDomain) }
