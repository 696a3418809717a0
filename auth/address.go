package auth

import "net/url"

// CheckAddress is the rule for every URL that a user or a server names: https,
// or, where loopbackHTTP says so, http on this computer; a host; no user name and
// no control characters (OAUTH A31, X1, X4).
func CheckAddress(raw string, loopbackHTTP bool) error {
	_, err := checkURL(raw, loopbackHTTP)
	return err
}

// OnPayU tells whether raw is an https address, on the default port, of payu.in
// or a subdomain of it (OAUTH Y2).
func OnPayU(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && checkPin(PayUEndpoint, "", u) == nil
}
