package auth

import (
	"net/url"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// Reach says where requests of a sign-in at resource may go (OAUTH A33, X3):
// public addresses; the endpoint's own host and that of serverMetadataURL ("":
// none), because a person chose them; PayU's hosts for PayU's endpoint, whose pin
// and certificate leave nobody else a way in; and this computer, if the endpoint
// is on it. For Config.HTTP's transport.
func Reach(resource, serverMetadataURL string) *nettransport.Guard {
	chosen := []string{hostOf(resource), hostOf(serverMetadataURL)}
	payu := isPayU(resource)
	return &nettransport.Guard{
		Loopback: IsLoopback(resource),
		Chosen: func(host string) bool {
			host = strings.ToLower(host)
			return host != "" && (host == chosen[0] || host == chosen[1]) || payu && onPayU(host)
		},
	}
}

// hostOf is the host of raw in lower case, "" when there is none.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
