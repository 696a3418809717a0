package loopback

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// systemPeer looks the client's end of a connection up in the kernel's list of
// sockets, where its owner stands.
func systemPeer(client, server netip.AddrPort) Peer {
	list, ok := listSockets()
	if !ok {
		return PeerUnknown
	}
	if s, listed := findSocket(list, client, server); listed {
		return s.peer()
	}
	// Either it is where we cannot see it, or it was closed before we looked. Our
	// own end tells, looked at once more: it does not stay open without the other.
	list, _ = listSockets()
	if own, listed := findSocket(list, server, client); listed && own.established {
		return PeerUnknown
	}
	return PeerStranger
}

// socket is one line of /proc/net/tcp (proc_pid_net(5)).
type socket struct {
	local, remote netip.AddrPort
	established   bool
	uid           string
	orphan        bool // no process has it any more, so uid says nothing
}

func (s socket) peer() Peer {
	if !s.orphan && (s.uid == strconv.Itoa(os.Getuid()) || s.uid == "0") {
		return PeerOwn
	}
	return PeerStranger
}

// listSockets returns the list, one socket a line. A connection over IPv4 stands
// in the second file if its client's socket is of the IPv6 kind; a computer
// without IPv6 has no such file.
func listSockets() (list string, ok bool) {
	v4, err := os.ReadFile("/proc/self/net/tcp")
	v6, _ := os.ReadFile("/proc/self/net/tcp6")
	return string(v4) + string(v6), err == nil
}

func findSocket(list string, local, remote netip.AddrPort) (found socket, listed bool) {
	for line := range strings.Lines(list) {
		if s, ok := parseSocket(line); ok && s.local == local && s.remote == remote {
			return s, true
		}
	}
	return socket{}, false
}

func parseSocket(line string) (socket, bool) {
	const state, uid, inode = 3, 7, 9 // columns
	f := strings.Fields(line)
	if len(f) <= inode {
		return socket{}, false
	}
	local, okLocal := parseSocketAddr(f[1])
	remote, okRemote := parseSocketAddr(f[2])
	return socket{local, remote, f[state] == "01", f[uid], f[inode] == "0"}, okLocal && okRemote
}

// parseSocketAddr reads 0100007F:1F90: words of 32 bits as this computer keeps
// them, and the port.
func parseSocketAddr(s string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(s, ":")
	raw, hostErr := hex.DecodeString(host)
	p, portErr := strconv.ParseUint(port, 16, 16)
	if hostErr != nil || portErr != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := range slices.Chunk(raw, 4) {
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	a, ok := netip.AddrFromSlice(raw)
	return unmap(netip.AddrPortFrom(a, uint16(p))), ok
}
