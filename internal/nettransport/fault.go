package nettransport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Explain says in our words why a request to host failed before an answer came,
// and what helps. The library's text is left out where it may repeat a URL with
// a code or a password in it.
func Explain(host string, err error) (reason, advice string) {
	if private, ok := errors.AsType[*PrivateError](err); ok {
		return private.Error() + ", so it was not asked", "do not sign in there if you do not know that host; if it is your organisation's, name it: --auth-server-metadata-url https://HOST/PATH"
	}
	switch {
	case isProxy(err): // before the others, which would blame the host for it
		return explainProxy(host, err)
	case errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err):
		return host + " did not answer in time", "check the network and try again; behind a company proxy give --proxy"
	case isDNS(err):
		return "the name " + host + " cannot be resolved", "check the network and the spelling of --url; behind a company proxy give --proxy"
	case isPlainHTTP(err):
		return host + " speaks HTTP where HTTPS is expected", "check the spelling of --url and its port"
	case isTLS(err):
		reason, advice = explainTLS(err)
		return "the TLS certificate of " + host + " is not trusted: " + reason, advice
	default:
		return host + " cannot be reached: " + Cause(err), "check the network; behind a company proxy give --proxy"
	}
}

// explainProxy tells a proxy that refuses from one that is not there.
func explainProxy(host string, err error) (reason, advice string) {
	refused, _ := errors.AsType[*ProxyError](err)
	switch {
	case refused != nil && refused.Status == http.StatusProxyAuthRequired:
		return "the proxy refused the connection to " + host + ": it wants a user name and a password (407)",
			"give them once: payu-mcp login --proxy http://USER:PASSWORD@PROXY:PORT; whoever runs the network knows them"
	case refused != nil:
		return fmt.Sprintf("the proxy refused the connection to %s (%d)", host, refused.Status),
			"ask whoever runs the network to let the proxy connect to " + host + ", or check --proxy or HTTPS_PROXY"
	case isDNS(err):
		return "the name of the proxy cannot be resolved", "check --proxy or HTTPS_PROXY"
	}
	return "the proxy cannot be reached: " + Cause(err), "check --proxy or HTTPS_PROXY"
}

// IsClock tells a certificate that is fine but for the time: mostly the clock of
// this computer is wrong, and not the server's side.
func IsClock(err error) bool {
	e, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && e.Reason == x509.Expired
}

func isDNS(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// isPlainHTTP: the bytes that are no TLS record are the beginning of an HTTP
// answer.
func isPlainHTTP(err error) bool {
	e, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok && string(e.RecordHeader[:]) == "HTTP/"
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

func explainTLS(err error) (reason, advice string) {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "it is signed by an unknown authority", "if your company inspects TLS, give its certificate with --ca-file"
	}
	if IsClock(err) {
		return "it has expired or is not valid yet; check the clock", "set the clock of this computer; if it is right, the server's certificate is out of date: try again later"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "it belongs to another name", "check the spelling of --url, and open any web page in the browser: a network that wants a sign-in of its own answers so"
	}
	return "the server does not speak TLS properly", "check --url and its port; if your company inspects TLS, give its certificate with --ca-file"
}

func isProxy(err error) bool {
	if _, refused := errors.AsType[*ProxyError](err); refused {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "proxyconnect"
}

// Cause is the reason inside err without the URL that net/http puts before it, and
// without what it repeats of the other side's bytes.
func Cause(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	return withoutQuotes(err.Error())
}

// withoutQuotes cuts off what net/http and its HTTP/2 repeat of an answer that
// they cannot read, which stands in quotes but for a header line.
func withoutQuotes(text string) string {
	const line = "malformed MIME header"
	if before, _, cut := strings.Cut(text, line); cut {
		return before + line
	}
	text, _, _ = strings.Cut(text, `"`)
	return strings.TrimRight(text, " ,:=")
}
