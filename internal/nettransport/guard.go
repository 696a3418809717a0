package nettransport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// Guard keeps requests to addresses that a server named away from this computer
// and the networks behind it (OAUTH A33, X3: server-side request forgery). What
// it allows beside public addresses is what a person chose. The zero value
// allows only public addresses.
type Guard struct {
	// Chosen tells whether a person chose the host (a name or IP literal without
	// port), or its name cannot lead astray: it may be anywhere. nil: none is.
	Chosen func(host string) bool
	// Loopback allows this computer.
	Loopback bool
}

// PrivateError refuses a host.
type PrivateError struct {
	// Host is the name or IP literal that was asked for.
	Host string
	// Addr is what it leads to; invalid when that was not looked up.
	Addr netip.Addr
}

// Error implements error.
func (e *PrivateError) Error() string {
	if e.Addr.IsValid() && e.Addr.String() != e.Host {
		return fmt.Sprintf("%s leads to %s, which is not a public address", e.Host, e.Addr)
	}
	return e.Host + " is not a public address"
}

// CheckHost refuses with PrivateError what is not public by its name already: IP
// literals, in any spelling that a resolver would understand, and names that are
// kept for private networks (RFC 6761, 6762, 8375). What DNS makes of other names
// is checked when they are dialled; behind a proxy it is the proxy that knows.
func (g *Guard) CheckHost(host string) error {
	if g.chosen(host) {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.check(host, ip)
	}
	if g.Loopback && IsLoopback(host) {
		return nil
	}
	if isPrivateName(host) {
		return &PrivateError{Host: host}
	}
	return nil
}

func (g *Guard) chosen(host string) bool { return g.Chosen != nil && g.Chosen(host) }

func (g *Guard) check(host string, ip netip.Addr) error {
	if IsPublic(ip) || g.Loopback && ip.Unmap().IsLoopback() {
		return nil
	}
	return &PrivateError{Host: host, Addr: ip}
}

// dial checks each address that the name of addr leads to right before it is
// connected to: between a check and a second look-up, DNS may change its mind.
// A connection to a proxy, which RoundTrip has marked, is the person's choice.
func (g *Guard) dial(d net.Dialer) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		guarded := d
		if ctx.Value(proxied{}) == nil && !g.chosen(host) {
			guarded.Control = func(_, address string, _ syscall.RawConn) error {
				to, err := netip.ParseAddrPort(address)
				if err != nil {
					return err
				}
				return g.check(host, to.Addr())
			}
		}
		return guarded.DialContext(ctx, network, addr)
	}
}

// proxied is the context key of requests that go through a proxy. net/http dials
// with the values of the request's context.
type proxied struct{}

// admit checks what can be checked of a request before anything is dialled.
func (g *Guard) admit(ctx context.Context, target, proxy *url.URL) (context.Context, error) {
	if err := g.CheckHost(target.Hostname()); err != nil {
		return nil, err
	}
	if proxy == nil {
		return ctx, nil
	}
	return context.WithValue(ctx, proxied{}, true), nil
}

// isPrivateName tells names that can be no public host.
func isPrivateName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == host || last == "" { // no dot: a name of this network, or a number
		return true
	}
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return true // "127.1", "0x7f.0.0.1": resolvers read them as IPv4 addresses
	}
	return last == "localhost" || last == "local" || last == "internal" || strings.HasSuffix(host, ".home.arpa")
}

// IsPublic tells whether ip belongs to no private, local or reserved network,
// however it is wrapped up.
func IsPublic(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return isPublic4(ip)
	}
	b := ip.As16()
	switch {
	case within(ip, "64:ff9b::/96"): // NAT64 (RFC 6052): on networks without IPv4 each public server has such an address
		return isPublic4(netip.AddrFrom4([4]byte(b[12:])))
	case within(ip, "2002::/16"): // 6to4 (RFC 3056)
		return isPublic4(netip.AddrFrom4([4]byte(b[2:6])))
	}
	// Of the rest only 2000::/3 is given out; in it, Teredo (RFC 4380) leads to
	// IPv4 addresses too, and two blocks are for documentation.
	return within(ip, "2000::/3") && !within(ip, "2001::/32", "2001:db8::/32", "3fff::/20")
}

// isPublic4 follows IANA's registry of special-purpose addresses, but for
// 198.18.0.0/15: VPN programs give out such addresses for all public names.
func isPublic4(ip netip.Addr) bool {
	return !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !within(ip,
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3")
}

func within(ip netip.Addr, prefixes ...string) bool {
	for _, p := range prefixes {
		if netip.MustParsePrefix(p).Contains(ip) {
			return true
		}
	}
	return false
}
