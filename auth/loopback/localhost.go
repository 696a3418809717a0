package loopback

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

const (
	literal   = "127.0.0.1"
	localhost = "localhost"
)

// UseLocalhost makes the name localhost stand in the redirect URI, for a server
// that refuses the IP literal. It comes before Serve. A browser may take the name
// for [::1] too, so that port is bound as well, and an error means that another
// program may have it and would get the callback (RFC 8252 section 8.3).
func (l *Listener) UseLocalhost(ctx context.Context) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(l.Port())))
	switch {
	case err == nil:
		l.ln6 = &limited{Listener: ln, slots: make(chan struct{}, maxConnections)}
	case hasIPv6(ctx):
		return fmt.Errorf("binding the callback port of localhost: %w", err)
	}
	l.name = localhost
	return nil
}

// hasIPv6 tells whether localhost can be an address of IPv6 here.
func hasIPv6(ctx context.Context) bool {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = ln.Close() // nothing is lost with a port
	return true
}

// LocalhostURI returns the redirect URI that a listener on port has after
// UseLocalhost.
func LocalhostURI(port int) string {
	return "http://" + net.JoinHostPort(localhost, strconv.Itoa(port)) + callbackPath
}
