package diagnose

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// Way is how requests leave this computer.
type Way struct {
	// Proxy is the proxy without its user and password; "": none.
	Proxy string
	// From is where the proxy was named: an option, a variable or the profile. Without
	// a proxy it is why one that is named is not used, or empty.
	From string
	// CAFile: certificate authorities of a file are trusted besides the system's.
	CAFile bool
}

// Wire judges the way to a server: name, connection or proxy, certificate, clock.
// It ends with the first fault, because nothing after that was seen.
func (w Way) Wire(s *Seen) []Line {
	lines := []Line{w.proxy(s)}
	if !s.through() {
		lines = append(lines, w.broken(s))
		if lines[1].ID == lines[0].ID { // what is wrong with the proxy says which one it is
			lines = lines[1:]
		}
		return lines
	}
	lines = append(lines, s.name(w))
	if s.TLS != nil {
		lines = append(lines, w.certificate(s))
	}
	if s.Answered() {
		return append(lines, s.clock()...)
	}
	reason, _ := s.explain()
	return append(lines, Line{
		ID: "connection", Result: Fault, Side: Network, Text: reason,
		Next: "try again; if it stays so, a firewall or a proxy between here and " + s.Host + " holds the answers back: ask whoever runs the network",
	})
}

// through tells whether the server was connected to.
func (s *Seen) through() bool { return s.Stage >= StageAnswer }

func (w Way) proxy(s *Seen) Line {
	l := Line{ID: "proxy", Result: OK, Side: Network, Text: "none is used for " + s.Host}
	switch {
	case w.Proxy != "":
		l.Text = w.named() + " is used"
	case w.From != "":
		l.Text += ": " + w.From
	}
	return l
}

func (w Way) named() string { return "the proxy " + w.Proxy + " (" + w.From + ")" }

// name is the line of a name that leads somewhere.
func (s *Seen) name(w Way) Line {
	l := Line{ID: "names", Result: OK, Side: Network, Text: s.Dialled + " is an address: no name is looked up"}
	if _, err := netip.ParseAddr(s.Dialled); err != nil {
		l.Text, l.Took = s.Dialled+" is known: "+strings.Join(s.Addresses, ", "), Took(s.Named)
	}
	if w.Proxy != "" {
		l.Text += "; the proxy looks up " + s.Host
	}
	return l
}

// broken says why no server was reached.
func (w Way) broken(s *Seen) Line {
	reason, advice := s.explain()
	l := Line{Result: Fault, Side: Network, Text: reason, Next: advice}
	refused, byProxy := errors.AsType[*nettransport.ProxyError](s.Err)
	_, noName := errors.AsType[*net.DNSError](s.Err)
	switch {
	case byProxy:
		return w.refused(l, refused.Status)
	case s.Stage <= StageName && (noName || s.Stage == StageName):
		l.ID, l.Text = "names", "the name "+s.Dialled+" cannot be resolved"
		l.Next = "check the network and the spelling of --url; behind a company proxy give --proxy"
	case s.Stage == StageTLS && s.shaking && w.Proxy != "" && withProxy(s.Err):
		l.ID = "proxy"
		return w.distrusted(s, l, w.named())
	case s.Stage == StageTLS && s.shaking:
		l.ID = "tls"
		return w.distrusted(s, l, s.Host)
	default:
		l.ID = "connection"
	}
	if w.Proxy != "" {
		l.ID, l.Text, l.Next = "proxy", w.named()+" cannot be used: "+l.Text, "check --proxy or HTTPS_PROXY, and whether this network wants that proxy"
	}
	return l
}

// refused is a proxy that answered, and did not let the request through.
func (w Way) refused(l Line, status int) Line {
	l.ID, l.Text = "proxy", fmt.Sprintf("%s does not let requests to PayU through: it answered %d", w.named(), status)
	l.Next = "ask whoever runs the proxy to allow api.payu.in and accounts.payu.in"
	if status == http.StatusProxyAuthRequired {
		l.Text = w.named() + " wants a user name and a password (407)"
		l.Next = "set PAYU_MCP_PROXY=http://USER:PASSWORD@HOST:PORT and run payu-mcp login, which remembers it; ask whoever runs the proxy for them"
	}
	return l
}

// withProxy tells whether it was the connection to the proxy itself that failed.
func withProxy(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "proxyconnect"
}

// distrusted is TLS with a server, or with the proxy, that failed. The certificate
// that was shown names who is between here and the server.
func (w Way) distrusted(s *Seen, l Line, whose string) Line {
	shown := unverified(s.Err)
	if len(shown) == 0 {
		return l
	}
	last := shown[len(shown)-1]
	if e, ok := errors.AsType[x509.CertificateInvalidError](s.Err); ok && e.Reason == x509.Expired {
		c := shown[0]
		l.Text = fmt.Sprintf("the certificate of %s is good from %s to %s, and the clock here says %s", whose, day(c.NotBefore), day(c.NotAfter), day(s.Sent))
		l.Next = "set this computer's clock; if it is right, the server's certificate is out of date: try again later"
		if s.Sent.Before(c.NotBefore) {
			l.ID, l.Side = "clock", Here
		}
		return l
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](s.Err); ok {
		l.Text = fmt.Sprintf("the certificate of %s is signed by %s, which this computer does not trust: a company's firewall or a virus scanner may inspect TLS", whose, issuer(last))
		l.Next = "if your company inspects TLS, give the certificate of that authority with --ca-file to payu-mcp login; else do not go on in this network"
		if w.CAFile {
			l.Next = "check that the file of --ca-file holds the certificate of that authority; else do not go on in this network"
		}
	}
	return l
}

// certificate names who vouches for the server. An authority that only --ca-file
// knows is one that inspects TLS.
func (w Way) certificate(s *Seen) Line {
	l := Line{ID: "tls", Result: OK, Side: Network, Text: "the certificate of " + s.Host + " is good"}
	certs := s.TLS.PeerCertificates
	if chains := s.TLS.VerifiedChains; len(chains) > 0 {
		certs = chains[0]
	}
	if len(certs) == 0 {
		return l
	}
	root := subject(certs[len(certs)-1])
	l.Text += ": vouched for by " + root
	if w.CAFile && !trustedWithout(s) {
		l.Text += ", which only --ca-file makes trusted: it inspects TLS, and can read what is sent"
	}
	return l
}

// trustedWithout tells whether the system's own authorities vouch for the server.
func trustedWithout(s *Seen) bool {
	certs := s.TLS.PeerCertificates
	if len(certs) == 0 {
		return true
	}
	between := x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	_, err := certs[0].Verify(x509.VerifyOptions{DNSName: s.Host, Intermediates: between})
	return err == nil
}

// How far the clocks may be apart. Tokens live for an hour or two, and a sign-in
// has minutes.
const (
	skewed   = time.Minute
	tooWrong = 5 * time.Minute
)

// clock compares the wall clock with the server's Date.
func (s *Seen) clock() []Line {
	date, err := http.ParseTime(s.Header.Get("Date"))
	if err != nil {
		return nil // a server without a clock tells nothing
	}
	ahead := s.Sent.Add(s.Took / 2).Sub(date).Round(time.Second)
	l := Line{ID: "clock", Result: OK, Side: Here, Text: "the clock agrees with the server's"}
	apart := ahead.Abs()
	if apart <= skewed {
		return []Line{l}
	}
	direction := "ahead of"
	if ahead < 0 {
		direction = "behind"
	}
	l.Result, l.Text = Warning, fmt.Sprintf("the clock is %v %s the server's", apart, direction)
	if apart > tooWrong {
		l.Result = Fault
		l.Text += ": logins seem to end too soon or too late"
	}
	l.Next = "let the system set date, time and time zone by itself, then run payu-mcp doctor again"
	return []Line{l}
}
