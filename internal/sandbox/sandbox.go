package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	endpointPath = "/mcp"
	payuResource = "https://api.payu.in"
	payuAccounts = "https://accounts.payu.in"
)

// Sandbox is a running stand-in for PayU. All methods are safe for concurrent
// use.
type Sandbox struct {
	opts      Options
	now       func() time.Time
	log       *Log
	ca        *authority // nil without TLS
	transport *http.Transport

	servers                           []*server
	resource, accounts, proxy, abroad string // loopback origins
	cancel                            context.CancelFunc
	// life is held for reading by each request; Close takes it for good.
	life    sync.RWMutex
	closing sync.Once
	closed  error

	knobMu  sync.Mutex
	current Knobs

	latency latency
	clients registry
	logins  logins
	devices devices
	grants  grants
	gateway gateway
}

// Start opens the listeners and serves until Close. The context bounds only the
// start.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	if err := o.settle(); err != nil {
		return nil, err
	}
	s := &Sandbox{opts: o, now: o.Now, log: newLog(), current: o.Knobs}
	if o.TLS {
		ca, err := newAuthority()
		if err != nil {
			return nil, err
		}
		s.ca = ca
	}
	s.transport = s.newTransport()
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends listeners, streams, tunnels and waiting requests, and returns when
// no request is being served any more. A second Close does nothing.
func (s *Sandbox) Close() error {
	s.closing.Do(func() {
		if s.cancel != nil {
			s.cancel()
		}
		s.gateway.close()
		errs := make([]error, 0, len(s.servers))
		for _, srv := range s.servers {
			errs = append(errs, srv.close())
		}
		s.transport.CloseIdleConnections()
		s.life.Lock() // waits for the requests being served; kept, so that later ones are turned away
		s.closed = errors.Join(errs...)
	})
	return s.closed
}

// Endpoint is the MCP endpoint on loopback.
func (s *Sandbox) Endpoint() string { return s.resource + endpointPath }

// ResourceOrigin is the loopback origin of RS.
func (s *Sandbox) ResourceOrigin() string { return s.resource }

// AccountsOrigin is the loopback origin of AS; with OnePort that of RS.
func (s *Sandbox) AccountsOrigin() string { return s.accounts }

// ProxyURL is the CONNECT proxy that knows api.payu.in:443 and
// accounts.payu.in:443 and refuses everything else.
func (s *Sandbox) ProxyURL() string { return s.proxy }

// ForeignURL is the origin of the foreign listener.
func (s *Sandbox) ForeignURL() string { return s.abroad }

// CAPEM is the CA's certificate as PEM, nil without TLS.
func (s *Sandbox) CAPEM() []byte {
	if s.ca == nil {
		return nil
	}
	return s.ca.pem
}

// ServerTLS is what RS and AS serve with, nil without TLS: for a listener of a
// test that stands in front of them.
func (s *Sandbox) ServerTLS() *tls.Config {
	if s.ca == nil {
		return nil
	}
	return s.ca.serverConfig()
}

// HTTPClient returns a new client without a cookie jar that trusts the CA and
// goes straight to the loopback origins.
func (s *Sandbox) HTTPClient() *http.Client { return &http.Client{Transport: s.transport} }

// Log returns the request log.
func (s *Sandbox) Log() *Log { return s.log }

// Secrets lists every secret issued or received so far: tokens, codes, client
// secrets, code verifiers and session ids. Outputs are searched for them.
func (s *Sandbox) Secrets() []string { return s.log.Secrets() }

// resourceName and accountsName are the origins that documents name.
func (s *Sandbox) resourceName() string {
	if s.opts.PayUNames {
		return payuResource
	}
	return s.resource
}

func (s *Sandbox) accountsName() string {
	if s.opts.PayUNames {
		return payuAccounts
	}
	return s.accounts
}

func (s *Sandbox) newTransport() *http.Transport {
	t := &http.Transport{
		DialContext: (&net.Dialer{}).DialContext, ForceAttemptHTTP2: s.opts.HTTP2,
		IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 16, Protocols: new(http.Protocols),
	}
	h2c := s.opts.HTTP2 && !s.opts.TLS
	t.Protocols.SetHTTP1(!h2c)
	t.Protocols.SetHTTP2(s.opts.HTTP2)
	t.Protocols.SetUnencryptedHTTP2(h2c)
	if s.ca != nil {
		t.TLSClientConfig = s.ca.clientConfig()
	}
	return t
}

// newSecret returns n random hex digits and enters them in the list of secrets.
// PayU's tokens have 64 (PAYU P8).
func (s *Sandbox) newSecret(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	v := hex.EncodeToString(b)[:n]
	s.log.secret(v)
	return v
}
