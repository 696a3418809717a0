package nettransport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
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
	case errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err):
		return host + " did not answer in time", "check the network and try again; behind a company proxy give --proxy"
	case isDNS(err):
		return "the name " + host + " cannot be resolved", "check the network and the spelling of --url; behind a company proxy give --proxy"
	case isPlainHTTP(err):
		return host + " speaks HTTP where HTTPS is expected", "check the spelling of --url and its port"
	case isTLS(err):
		return "the TLS certificate of " + host + " is not trusted: " + tlsReason(err), "if your company inspects TLS, give its certificate with --ca-file"
	case isProxy(err):
		return "the proxy refused the connection to " + host, "check --proxy or HTTPS_PROXY"
	default:
		return host + " cannot be reached: " + Cause(err), "check the network; behind a company proxy give --proxy"
	}
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

func tlsReason(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "it is signed by an unknown authority"
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "it has expired or is not valid yet; check the clock"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "it belongs to another name"
	}
	return "the server does not speak TLS properly"
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
