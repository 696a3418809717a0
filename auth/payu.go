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

func isPayU(resource string) bool { return resource == PayUEndpoint }

// checkPin keeps PayU's endpoints on https, the default port and payu.in or a
// subdomain of it (OAUTH Y2). Other resources are not pinned.
func checkPin(resource, name string, u *url.URL) error {
	if !isPayU(resource) {
		return nil
	}
	host := strings.ToLower(u.Hostname())
	onDomain := host == payuDomain || strings.HasSuffix(host, "."+payuDomain)
	if u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") && onDomain {
		return nil
	}
	return hint.With(serverFault("PayU's metadata names a %s endpoint at %s, which is not an address of payu.in", name, clean(u.Host)),
		"do not sign in; "+payuContact(resource))
}

// payuContact says whom to write to when PayU's side lacks something.
func payuContact(resource string) string {
	if !isPayU(resource) {
		return "Ask whoever runs the server."
	}
	return "Write to ai-solutions@payu.in with this message and the time."
}
