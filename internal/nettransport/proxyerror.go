package nettransport

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// ProxyError is a proxy's refusal to lead to a server (RFC 9110 section 9.3.6).
type ProxyError struct {
	// Status is the proxy's answer to CONNECT: 407 wants a user name and a password.
	Status int
}

// Error implements error.
func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy answered %d to the request for the way on", e.Status)
}

// refusedByProxy is http.Transport's OnProxyConnectResponse: net/http's own error
// is the text after the status, which a proxy may word as it likes.
func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{Status: res.StatusCode}
}
