package loopback

import (
	"net"
	"net/http"
	"net/netip"
)

// Peer tells whose the other end of a connection is.
type Peer int

// What can be known of a peer.
const (
	// PeerUnknown: the system does not tell, or the other end is outside of what
	// this process sees (a Windows browser before WSL).
	PeerUnknown Peer = iota
	// PeerOwn: the user of this process, or root, from whom nothing here is hidden.
	PeerOwn
	// PeerStranger: another user of this computer, or somebody who has hung up so
	// fast that it cannot be told any more.
	PeerStranger
)

// peerOf tells whose request r is (OAUTH X9).
func (l *Listener) peerOf(r *http.Request) Peer {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if err != nil || !ok {
		return PeerUnknown
	}
	lookup := l.flow.Peer
	if lookup == nil {
		lookup = systemPeer
	}
	return lookup(unmap(client), unmap(addr.AddrPort()))
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
