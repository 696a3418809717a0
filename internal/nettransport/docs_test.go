package nettransport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// Each thing that can be amiss on the way has words of its own, a row in the
// documents, and a hint that helps with it.
func TestExplain_allCauses_areInTheDocuments(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	proxy := func(err error) error { return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err} }
	untrusted := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	rows := 0
	for name, err := range map[string]error{
		"silence":      context.DeadlineExceeded,
		"no name":      &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true},
		"plain":        tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake", RecordHeader: [5]byte{'H', 'T', 'T', 'P', '/'}},
		"no TLS":       tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake", RecordHeader: [5]byte{1}},
		"authority":    untrusted(x509.UnknownAuthorityError{}),
		"clock":        untrusted(x509.CertificateInvalidError{Reason: x509.Expired}),
		"another name": untrusted(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}),
		"407":          &nettransport.ProxyError{Status: 407},
		"403":          &nettransport.ProxyError{Status: 403},
		"no proxy":     proxy(syscall.ECONNREFUSED),
		"proxy name":   proxy(&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}),
		"else":         errors.New("connection refused"),
	} {
		reason, advice := nettransport.Explain("HOST", err)
		rows++
		if row := "\n| " + reason + " | " + advice + " |\n"; !strings.Contains(string(b), row) {
			t.Errorf("%s: docs/errors.md lacks the row%s", name, row)
		}
		if side := nettransport.IsClock(err); side != (name == "clock") {
			t.Errorf("%s: the clock is %t", name, side)
		}
	}
	_, table, _ := strings.Cut(string(b), "\n| on the way | hint |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if got := strings.Count(table, "\n") + 1; got != rows {
		t.Errorf("docs/errors.md has %d rows for %d causes", got, rows)
	}
}
