package diagnose

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// unverified returns the certificates that a server showed and that did not pass.
func unverified(err error) []*x509.Certificate {
	e, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return nil
	}
	return e.UnverifiedCertificates
}

func issuer(c *x509.Certificate) string  { return quoted(c.Issuer) }
func subject(c *x509.Certificate) string { return quoted(c.Subject) }

// quoted is a name as people know it. Whoever is between here and the server has
// chosen it.
func quoted(n pkix.Name) string {
	const most = 80
	org := strings.Join(n.Organization, ", ")
	name := strconv.Quote(printable.Line(cmp.Or(n.CommonName, org, "an authority without a name"), most))
	if org != "" && n.CommonName != "" {
		name += " of " + strconv.Quote(printable.Line(org, most))
	}
	return name
}

func day(t time.Time) string { return t.UTC().Format(time.DateTime + " UTC") }
