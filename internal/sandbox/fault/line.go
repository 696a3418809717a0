package fault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// lineCut is a fault of a connection.
type lineCut int

const (
	cutNone      lineCut = iota
	cutDial              // nobody listens
	cutHandshake         // closed at the first byte of the handshake
	cutReset             // reset when a request comes, unread
	cutStream            // REFUSED_STREAM for the next stream
	cutGoAway            // GOAWAY that leaves out the next stream
)

// Line stands between a client and the resource server of a sandbox and passes
// bytes, with TLS the frames of HTTP/2. A client reaches it by Dial. All methods
// are safe for concurrent use.
type Line struct {
	lis    net.Listener
	target string
	server *tls.Config // nil: plain HTTP/1.1
	roots  *tls.Config
	tasks  sync.WaitGroup

	mu     sync.Mutex
	armed  []lineCut
	fired  int
	conns  []*lineConn
	dialed []*noticed
	closed bool
}

// NewLine opens a line to sb, which speaks HTTP/2 if sb has TLS.
func NewLine(ctx context.Context, sb *sandbox.Sandbox) (*Line, error) {
	_, host, _ := strings.Cut(sb.ResourceOrigin(), "://")
	l := &Line{target: host, server: sb.ServerTLS()}
	if l.server != nil {
		l.server.NextProtos = []string{"h2"}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(sb.CAPEM())
		l.roots = &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	}
	var err error
	if l.lis, err = (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("opening a line: %w", err)
	}
	l.tasks.Go(l.accept)
	return l, nil
}

// deadAddress is where nobody listens. A port that was free a moment ago would
// not do: the next sandbox may have it.
const deadAddress = "127.0.0.1:1"

// Dial connects to the sandbox through the line, whatever the address.
func (l *Line) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	to := l.lis.Addr().String()
	if l.take(cutDial) != cutNone {
		to = deadAddress
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, to)
	if err != nil {
		return nil, err
	}
	n := &noticed{Conn: conn, gone: make(chan struct{})}
	n.once = sync.OnceFunc(func() { close(n.gone) })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialed = append(l.dialed, n)
	return n, nil
}

// Fired counts the connections and requests that met a fault.
func (l *Line) Fired() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fired
}

// Close ends the line and all that goes over it.
func (l *Line) Close() error {
	l.mu.Lock()
	l.closed = true
	conns := slices.Clone(l.conns)
	l.mu.Unlock()
	err := l.lis.Close()
	for _, c := range conns {
		c.close()
	}
	l.tasks.Wait()
	return err
}

// DropIdle closes all connections, as a server does with those that idle, and
// returns when the client has noticed.
func (l *Line) DropIdle(ctx context.Context) error {
	l.mu.Lock()
	conns, dialed := slices.Clone(l.conns), slices.Clone(l.dialed)
	l.fired += len(conns)
	l.mu.Unlock()
	for _, c := range conns {
		c.close()
	}
	for _, n := range dialed {
		select {
		case <-n.gone:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the client to notice: %w", ctx.Err())
		}
	}
	return nil
}

func (l *Line) arm(c lineCut) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = append(l.armed, c)
}

// take returns the first armed fault among those that can happen here.
func (l *Line) take(here ...lineCut) lineCut {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.armed, func(c lineCut) bool { return slices.Contains(here, c) })
	if i < 0 {
		return cutNone
	}
	c := l.armed[i]
	l.armed = slices.Delete(l.armed, i, i+1)
	l.fired++
	return c
}

func (l *Line) accept() {
	for {
		conn, err := l.lis.Accept()
		if err != nil {
			return // closed
		}
		l.tasks.Go(func() { l.serve(conn) })
	}
}

// noticed is the client's end of a connection; gone closes when the client lets
// go of it.
type noticed struct {
	net.Conn

	gone chan struct{}
	once func()
}

// Close implements net.Conn.
func (n *noticed) Close() error {
	n.once()
	return n.Conn.Close()
}

// lineConn is one connection over the line.
type lineConn struct {
	line           *Line
	raw            net.Conn // to the client
	client, server io.ReadWriteCloser
}

func (l *Line) serve(raw net.Conn) {
	defer raw.Close()
	if l.take(cutHandshake) != cutNone {
		_, _ = raw.Read(make([]byte, 1)) // of the handshake
		return
	}
	c := &lineConn{line: l, raw: raw, client: raw}
	up, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", l.target) // ends with Close: the sandbox is on loopback
	if err != nil {
		return
	}
	c.server = up
	if l.server != nil {
		c.client, c.server = tls.Server(raw, l.server), tls.Client(up, l.roots)
	}
	if !l.join(c) {
		c.close()
		return
	}
	c.relay()
	c.close()
	l.leave(c)
}

func (l *Line) join(c *lineConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c)
	return !l.closed
}

func (l *Line) leave(c *lineConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = slices.DeleteFunc(l.conns, func(o *lineConn) bool { return o == c })
}

// relay passes bytes both ways until one side ends.
func (c *lineConn) relay() {
	toClient := &framed{w: c.client}
	back := make(chan struct{})
	go func() {
		defer close(back)
		_ = c.answers(toClient) // either side may end at any time
		c.close()
	}()
	if c.line.server != nil {
		_ = c.relayFrames(toClient, &framed{w: c.server}) // as above
	} else {
		_ = c.relayBytes() // as above
	}
	c.close()
	<-back
}

func (c *lineConn) answers(toClient *framed) error {
	if c.line.server == nil {
		_, err := io.Copy(c.client, c.server)
		return err
	}
	for {
		f, err := readFrame(c.server)
		if err != nil {
			return err
		}
		if err := toClient.send(f); err != nil {
			return err
		}
	}
}

func (c *lineConn) relayBytes() error {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.client.Read(buf)
		if err != nil {
			return err
		}
		if c.line.take(cutReset) != cutNone {
			return c.reset()
		}
		if _, err := c.server.Write(buf[:n]); err != nil {
			return err
		}
	}
}

// reset ends the connection with a RST.
func (c *lineConn) reset() error {
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end would be in good order
	}
	return c.raw.Close()
}

func (c *lineConn) close() {
	_ = c.raw.Close() // first: a TLS connection would wait for a last word
	_ = c.server.Close()
}
