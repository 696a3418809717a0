// Package nettransport prepares the HTTP transport for everything that leaves
// this computer: proxy, additional certificate authority, dial and handshake
// limits (RELAY B1), and HTTP/2 pings that find connections that died while the
// computer slept (RELAY S2). It imports nothing of ours but leaves.
package nettransport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

const (
	dialTimeout      = 10 * time.Second // RELAY B1
	handshakeTimeout = 10 * time.Second // RELAY B1
	idleTimeout      = 90 * time.Second // RELAY S4
	pingAfter        = 15 * time.Second // RELAY S2
	pingTimeout      = 10 * time.Second // RELAY S2
	idlePerHost      = 256              // RELAY B7 says 64: what is over it dials anew for each call
	maxHeader        = 256 << 10        // the default of net/http is 10 MiB
)

// Options says how connections leave this computer. The zero value uses the
// proxy of the environment and the system's certificate authorities.
type Options struct {
	// CAFile names a PEM file with certificate authorities that are trusted
	// besides the system's. Empty means none.
	CAFile string
	// Proxy is the URL of an http or https proxy; empty means the environment's
	// (HTTPS_PROXY, NO_PROXY). Loopback targets are never proxied (RELAY S6).
	Proxy string
	// NoCompression asks servers for plain answers, so that a size limit means
	// what it says (OAUTH X14).
	NoCompression bool
	// Guard limits where requests may go; nil: anywhere.
	Guard *Guard
	// Resolver looks names up; nil: the system's.
	Resolver *net.Resolver
}

// Transport is an http.Transport that reads the system's certificate authorities
// with its first request and not before: that takes a tenth of a second on a slow
// machine, and a bridge has a host to answer.
type Transport struct {
	http  *http.Transport
	trust func() // to be called before anything is dialled
	guard *Guard // nil: none
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.trust()
	if t.guard == nil {
		return t.http.RoundTrip(r)
	}
	proxy, err := t.http.Proxy(r)
	ctx := r.Context()
	if err == nil {
		ctx, err = t.guard.admit(ctx, r.URL, proxy)
	}
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper does, whatever comes
		}
		return nil, err
	}
	return t.http.RoundTrip(r.WithContext(ctx))
}

// CloseIdleConnections closes the connections that no request uses.
func (t *Transport) CloseIdleConnections() { t.http.CloseIdleConnections() }

// New returns a transport for o. It fails when the CA file cannot be used or
// the proxy URL is not http(s) with a host.
func New(o Options) (*Transport, error) {
	pem, err := readCAFile(o.CAFile)
	if err != nil {
		return nil, err
	}
	proxy, err := proxyFunc(o.Proxy)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Resolver: o.Resolver}
	dial := dialer.DialContext
	if o.Guard != nil {
		dial = o.Guard.dial(dialer)
	}
	t := &http.Transport{
		Proxy:               proxy,
		DialContext:         dial,
		TLSHandshakeTimeout: handshakeTimeout,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		IdleConnTimeout:     idleTimeout,
		MaxIdleConnsPerHost: idlePerHost,

		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     o.NoCompression,
		OnProxyConnectResponse: refusedByProxy,
	}
	return &Transport{http: t, guard: o.Guard, trust: sync.OnceFunc(func() { t.TLSClientConfig.RootCAs = roots(pem) })}, nil
}

// RefuseRedirects is the CheckRedirect of every client here: no request follows
// a redirect, because the bearer and the message would travel along (OAUTH X15).
func RefuseRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func readCAFile(file string) ([]byte, error) {
	if file == "" {
		return nil, nil // none is fine
	}
	pem, err := os.ReadFile(file) // the path is the user's own option
	if err != nil {
		return nil, hint.With(fmt.Errorf("reading the CA file: %w", err), "check the path given with --ca-file")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return nil, hint.With(errors.New("the CA file holds no certificate in PEM form"), "check the file given with --ca-file")
	}
	return pem, nil
}

// roots are the system's with those of the file; nil, net/http's word for the
// system's, without one.
func roots(pem []byte) *x509.CertPool {
	if pem == nil {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(pem)
	return pool
}

func proxyFunc(raw string) (func(*http.Request) (*url.URL, error), error) {
	if raw == "" {
		return http.ProxyFromEnvironment, nil
	}
	// The text of url.Parse's error would repeat a password that stands in the URL.
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil, hint.With(errors.New("the proxy is not an http(s) URL with a host"), "give --proxy http://HOST:PORT")
	}
	return func(r *http.Request) (*url.URL, error) {
		if IsLoopback(r.URL.Hostname()) {
			return nil, nil // nil is net/http's word for a direct connection
		}
		return u, nil
	}, nil
}

// IsLoopback tells whether host (a name or IP literal without port) is this
// computer. Of names only "localhost" counts: others are what DNS makes of them.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
