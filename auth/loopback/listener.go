package loopback

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	callbackPath = "/callback"
	donePath     = "/done"
	startPath    = "/start/"

	readHeaderTimeout = 5 * time.Second // OAUTH X13
	maxHeaderBytes    = 16 << 10        // OAUTH X13
	maxConnections    = 64              // a browser needs six; slow strangers may hold the rest
	holdAnswer        = 15 * time.Second
)

// Flow is what the listener needs to know of one sign-in.
type Flow struct {
	// AuthorizationURL is where the start page sends the browser.
	AuthorizationURL string
	// Accept tells whether a callback belongs to this sign-in (its state). It
	// must compare in constant time. The first accepted callback wins; a wrong
	// one is answered 400 and does not end the wait (OAUTH X10).
	Accept func(url.Values) bool
	// Bound says that only the browser that opened the start page may finish:
	// a cookie is set there and demanded at the callback (OAUTH X9).
	Bound bool
	// Start is the nonce of the start page's address, Cookie the cookie's value;
	// empty: new ones. A flow that goes on in another process keeps them.
	Start, Cookie string
	// Opened says that a browser has the cookie already: no other one gets it.
	Opened bool
	// OnOpen is called before the first browser gets the cookie; nil: nothing.
	OnOpen func()
	// OnStranger is called when a request of another user of this computer was
	// refused; nil: nothing.
	OnStranger func()
	// Peer tells whose the other end of a connection is; nil: what the system says.
	Peer func(client, server netip.AddrPort) Peer
}

// Listener is one bound port of 127.0.0.1 and the sign-in that runs on it.
// Its methods are safe for concurrent use.
type Listener struct {
	ln   net.Listener
	ln6  net.Listener // the same port of [::1], for a flow at localhost where there is IPv6
	name string       // in the redirect URI: the IP literal, or localhost
	srv  *http.Server
	hold time.Duration

	callback  chan url.Values // 1 slot: the accepted callback
	shown     chan struct{}   // closed when the result page was served
	contested chan struct{}   // closed when nobody can tell whose browser it is

	flow *Flow // set by Serve, before the first request

	opening sync.Mutex
	opened  bool // a browser has the cookie
	sure    bool // it is the browser of this process's user

	mu        sync.Mutex
	used      bool          // a callback was accepted, or none will be
	finished  chan struct{} // closed by Finish; GoOn makes another
	onward    string        // the authorization URL that GoOn gave
	result    Page
	late      *Page       // set by Linger
	lingering *time.Timer // set by Linger
}

// Listen binds port on 127.0.0.1; 0 takes any free one. Nothing is answered
// before Serve.
func Listen(ctx context.Context, port int) (*Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp4", net.JoinHostPort(literal, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("binding the callback port: %w", err)
	}
	return &Listener{
		ln:        &limited{Listener: ln, slots: make(chan struct{}, maxConnections)},
		name:      literal,
		hold:      holdAnswer,
		callback:  make(chan url.Values, 1),
		finished:  make(chan struct{}),
		shown:     make(chan struct{}),
		contested: make(chan struct{}),
	}, nil
}

// Port returns the bound port.
func (l *Listener) Port() int {
	addr, ok := l.ln.Addr().(*net.TCPAddr)
	if !ok {
		return 0
	}
	return addr.Port
}

func (l *Listener) host() string { return net.JoinHostPort(l.name, strconv.Itoa(l.Port())) }

// RedirectURI returns the redirect URI of this port, an IP literal as RFC 8252
// section 8.3 advises, unless UseLocalhost was called.
func (l *Listener) RedirectURI() string { return "http://" + l.host() + callbackPath }

// RedirectURI returns the redirect URI that a listener on port has.
func RedirectURI(port int) string {
	return "http://" + net.JoinHostPort(literal, strconv.Itoa(port)) + callbackPath
}

// StartURL returns the address of the start page: what the opener gets instead
// of the authorization URL, so that state and challenge are not in its argv. It
// is known once Serve was called.
func (l *Listener) StartURL() string { return StartURL(l.RedirectURI(), l.flow.Start) }

// StartURL returns the address of the start page of a flow with this redirect URI
// and nonce: at the same host, for which the cookie is.
func StartURL(redirectURI, nonce string) string {
	return strings.TrimSuffix(redirectURI, callbackPath) + startPath + nonce
}

// Serve starts to answer requests for f, until Close.
func (l *Listener) Serve(f Flow) {
	f.Start, f.Cookie = cmp.Or(f.Start, rand.Text()), cmp.Or(f.Cookie, rand.Text())
	l.flow, l.opened = &f, f.Opened
	l.srv = &http.Server{
		Handler:           l.handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readHeaderTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(discard{}, "", 0), // its lines may quote a request, and stderr is the host's
	}
	go func() { _ = l.srv.Serve(l.ln) }() // ends with Close
	if l.ln6 != nil {
		go func() { _ = l.srv.Serve(l.ln6) }()
	}
}

// Take marks the flow as answered by another way than the callback. It returns
// false when a callback was faster.
func (l *Listener) Take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.used
	l.used = true
	return first
}

// Callback gives the parameters of the first accepted callback.
func (l *Listener) Callback() <-chan url.Values { return l.callback }

// Finish says how the sign-in ended; the held browser is sent to that page.
// Only the first call counts.
func (l *Listener) Finish(p Page) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.result.Kind != "" {
		return
	}
	l.result = p
	close(l.finished)
}

// Shown waits until the browser has got the result page, at most until ctx
// ends. It returns at once when no callback was accepted: then nobody waits.
func (l *Listener) Shown(ctx context.Context) {
	l.mu.Lock()
	used := l.used
	l.mu.Unlock()
	if !used {
		return
	}
	select {
	case <-l.shown:
	case <-ctx.Done():
	}
}

// Contested is closed when two browsers have opened the start page of a bound
// flow and nobody can tell which one is the person's: the system does not say
// whose a connection is, and the opener's argument list may have been read by
// another user (OAUTH X9). No callback is accepted from then on.
func (l *Listener) Contested() <-chan struct{} { return l.contested }

// Close frees the port. Answers under way get a moment to finish.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.lingering != nil {
		l.lingering.Stop()
	}
	l.mu.Unlock()
	if l.srv == nil {
		return l.unbind()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // bounds our own wait, nobody else's
	defer cancel()
	// Shutdown does not know the port yet if Serve's goroutine has not run.
	_ = l.unbind()
	if err := l.srv.Shutdown(ctx); err != nil {
		return errors.Join(l.srv.Close())
	}
	return nil
}

// unbind frees the port; answers under way go on.
func (l *Listener) unbind() error {
	err := l.ln.Close()
	if l.ln6 != nil {
		_ = l.ln6.Close() // it holds nothing
	}
	return err
}

// limited caps the open connections (OAUTH X13).
type limited struct {
	net.Listener
	slots chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err // net/http reads this error's type
	}
	return &limitedConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
