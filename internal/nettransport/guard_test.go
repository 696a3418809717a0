package nettransport_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

func TestIsPublic_table(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "100.63.255.255": true, "100.128.0.0": true, "172.15.255.255": true, "172.32.0.0": true, "223.255.255.255": true, "198.18.0.1": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.0": false, "100.127.255.255": false, "127.0.0.1": false, "127.9.9.9": false, "169.254.169.254": false,
		"172.16.0.0": false, "172.31.255.255": false, "192.0.0.1": false, "192.0.2.1": false, "192.168.255.255": false, "198.51.100.1": false, "203.0.113.1": false,
		"224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,
		"2606:4700:4700::1111": true, "2a00:1450::1": true, "::": false, "::1": false, "::8.8.8.8": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "fc00::1": false,
		"fdff::1": false, "ff02::1": false, "2001:db8::1": false, "3fff::1": false, "100::1": false, "2001:0:4136:e378::1": false, "4000::1": false,
		"::ffff:8.8.8.8": true, "::ffff:10.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:0:127.0.0.1": false,
		"64:ff9b::8.8.8.8": true, "64:ff9b::10.0.0.1": false, "64:ff9b::127.0.0.1": false, "64:ff9b::169.254.169.254": false, "64:ff9b:1::8.8.8.8": false,
		"2002:808:808::1": true, "2002:a00:1::1": false, "2002:7f00:1::1": false, "2002:a9fe:a9fe::1": false,
	} {
		if got := nettransport.IsPublic(netip.MustParseAddr(ip)); got != want {
			t.Errorf("IsPublic(%s) = %v", ip, got)
		}
	}
}

func TestCheckHost_table(t *testing.T) {
	t.Parallel()
	strict := &nettransport.Guard{Chosen: func(host string) bool { return host == "mcp.internal" || host == "10.1.1.1" }}
	local := &nettransport.Guard{Loopback: true}
	for host, want := range map[string][2]bool{
		"accounts.example": {true, true}, "accounts.example.": {true, true}, "8.8.8.8": {true, true}, "2606:4700::1": {true, true},
		"localhost": {false, true}, "LocalHost": {false, true}, "127.0.0.1": {false, true}, "127.1.2.3": {false, true}, "::1": {false, true}, "::ffff:127.0.0.1": {false, true},
		"localhost.": {false, false}, "x.localhost": {false, false}, "0.0.0.0": {false, false}, "::": {false, false}, "10.0.0.1": {false, false}, "169.254.169.254": {false, false},
		"2130706433": {false, false}, "127.1": {false, false}, "0x7f.0.0.1": {false, false}, "0x7f000001": {false, false}, "127.0.0.0x1": {false, false}, "0177.0.0.1": {false, false},
		"intranet": {false, false}, "printer.local": {false, false}, "metadata.google.internal": {false, false}, "METADATA.GOOGLE.INTERNAL.": {false, false}, "nas.home.arpa": {false, false},
		"": {false, false}, ".": {false, false}, "mcp.internal": {true, false}, "10.1.1.1": {true, false},
	} {
		for i, g := range []*nettransport.Guard{strict, local} {
			err := g.CheckHost(host)
			if _, private := errors.AsType[*nettransport.PrivateError](err); (err == nil) != want[i] || private == want[i] {
				t.Errorf("CheckHost(%q), loopback %v: %v", host, g.Loopback, err)
			}
		}
	}
}

// names is a DNS server of its own: each look-up of a name gets the next of its
// lists of addresses, and the last one ever after.
type names struct {
	mu    sync.Mutex
	lists map[string][][]string
	asked int
}

// resolver asks n, whatever the system is configured for.
func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go n.serve(theirs)
		return ours, nil
	}}
}

// serve speaks DNS over TCP (RFC 1035 section 4.2.2), which is what the resolver
// takes a pipe for.
func (n *names) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := c.Read(size[:1]); err != nil {
			return
		}
		if _, err := c.Read(size[1:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		for at := 0; at < len(q); {
			k, err := c.Read(q[at:])
			if err != nil {
				return
			}
			at += k
		}
		a := n.answer(q)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...)); err != nil {
			return
		}
	}
}

// answer knows IPv4 addresses only.
func (n *names) answer(q []byte) []byte {
	var labels []string
	at := 12
	for q[at] != 0 {
		labels = append(labels, string(q[at+1:at+1+int(q[at])]))
		at += 1 + int(q[at])
	}
	question := q[12 : at+5]
	var found []string
	if kind := binary.BigEndian.Uint16(q[at+1:]); kind == 1 { // A
		found = n.next(strings.Join(labels, "."))
	}
	a := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, byte(len(found)), 0, 0, 0, 0}, question...)
	for _, ip := range found {
		b := netip.MustParseAddr(ip).As4()
		a = append(append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), b[:]...)
	}
	return a
}

func (n *names) next(name string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	lists := n.lists[name]
	if len(lists) == 0 {
		return nil
	}
	if len(lists) > 1 {
		n.lists[name] = lists[1:]
	}
	return lists[0]
}

// counted is a server on 127.0.0.1 that counts connections.
func counted(t *testing.T) (port string, connections *atomic.Int32) {
	t.Helper()
	connections = &atomic.Int32{}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	_, port, _ = strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	return port, connections
}

// DNS rebinding: the name was public when it was looked at, and is not when it is
// dialled. What counts is the address that would be connected to.
//
//oauth:row X3 internal/nettransport/guard.go "return g.check(host, to.Addr())" => "_ = to; return nil"
//oauth:row A33 internal/nettransport/guard.go "return g.check(host, to.Addr())" => "_ = to; return nil"
func TestGuard_namesThatLeadInwards_areNotDialled(t *testing.T) {
	t.Parallel()
	port, connections := counted(t)
	for name, lists := range map[string][][]string{
		"rebinding":       {{"8.8.8.8"}, {"127.0.0.1"}},
		"private":         {{"127.0.0.1"}, {"127.0.0.1"}},
		"unspecified":     {{"0.0.0.0"}, {"0.0.0.0"}},
		"all of them bad": {{"127.0.0.1", "127.0.0.2"}, {"127.0.0.1", "127.0.0.2", "0.0.0.0"}},
	} {
		n := &names{lists: map[string][][]string{"as.example": lists}}
		o := nettransport.Options{Guard: &nettransport.Guard{Chosen: func(h string) bool { return h == "mcp.example" }}, Resolver: n.resolver()}
		// Who would check beforehand sees this.
		if first, err := o.Resolver.LookupHost(t.Context(), "as.example"); err != nil || first[0] != lists[0][0] {
			t.Fatalf("%s: %v, %v", name, first, err)
		}
		_, err := get(t, o, "http://as.example:"+port+"/")
		private, ok := errors.AsType[*nettransport.PrivateError](err)
		if !ok || private.Host != "as.example" || !private.Addr.IsValid() {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if reason, advice := nettransport.Explain("as.example", err); !strings.Contains(reason, "not a public address") || !strings.Contains(advice, "--auth-server-metadata-url") {
			t.Errorf("%s: %q, %q", name, reason, advice)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("the listener saw %d connections", n)
	}
}

// What a person chose may be anywhere, and so may everything if the endpoint is
// on this computer and the address too.
func TestGuard_chosenAndLoopback_areReached(t *testing.T) {
	t.Parallel()
	port, connections := counted(t)
	n := &names{lists: map[string][][]string{"mcp.example": {{"127.0.0.1"}}, "as.example": {{"127.0.0.1"}}}}
	chosen := &nettransport.Guard{Chosen: func(h string) bool { return h == "mcp.example" }}
	for name, c := range map[string]struct {
		guard *nettransport.Guard
		host  string
	}{
		"chosen by name":         {chosen, "mcp.example"},
		"a name of this machine": {&nettransport.Guard{Loopback: true}, "as.example"},
		"its address":            {&nettransport.Guard{Loopback: true}, "127.0.0.1"},
		"no guard":               {nil, "as.example"},
	} {
		code, err := get(t, nettransport.Options{Guard: c.guard, Resolver: n.resolver()}, "http://"+c.host+":"+port+"/")
		if err != nil || code != http.StatusNotFound {
			t.Errorf("%s: %d, %v", name, code, err)
		}
	}
	if n := connections.Load(); n != 4 {
		t.Errorf("%d connections, want 4", n)
	}
}

// Behind a proxy the names are all that can be checked. The proxy itself is the
// person's choice and may be anywhere; an address of it that a server names, to
// go there directly, is not.
//
//oauth:row X3 internal/nettransport/guard.go "if err := g.CheckHost(target.Hostname()); err != nil {" => "if err := error(nil); err != nil {"
func TestGuard_behindAProxy_namesAndLiteralsAreChecked(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Host }))
	t.Cleanup(proxy.Close)
	o := nettransport.Options{Proxy: proxy.URL, Guard: &nettransport.Guard{}}
	if code, err := get(t, o, "http://as.example/"); err != nil || code != http.StatusOK {
		t.Errorf("a public name: %d, %v", code, err)
	}
	for _, host := range []string{
		"localhost", "127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[64:ff9b::a9fe:a9fe]", "2130706433", "0x7f.1", "x.localhost", "intranet", "metadata.google.internal",
		strings.TrimPrefix(proxy.URL, "http://"),
	} {
		_, err := get(t, o, "http://"+host+"/")
		if _, ok := errors.AsType[*nettransport.PrivateError](err); !ok {
			t.Errorf("%s: %v", host, err)
		}
	}
	if host := <-asked; len(asked) != 0 || host != "as.example" {
		t.Errorf("the proxy was asked for %q and %d others", host, len(asked))
	}
}
