package auth

import "net/url"

// OnPayU tells whether raw is an https address, on the default port, of payu.in
// or a subdomain of it (OAUTH Y2).
func OnPayU(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && checkPin(PayUEndpoint, "", u) == nil
}
