package loopback_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

// childEnv makes this test binary the other user: it asks for the address that
// stands there and prints the status.
const childEnv = "LOOPBACK_TEST_ASK"

func TestChild_asksAsAnotherUser(t *testing.T) {
	t.Parallel()
	target := os.Getenv(childEnv)
	if target == "" {
		t.Skip("this is what other tests start")
	}
	kind, target, _ := strings.Cut(target, " ")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	if kind == "6" {
		tr.DialContext = func(_ context.Context, _, address string) (net.Conn, error) { return dialMapped(address) }
	}
	res, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	fmt.Fprintf(os.Stderr, "status %d, cookie %v\n", res.StatusCode, res.Header.Get("Set-Cookie") != "")
}

// dialMapped connects over IPv4 from a socket of the IPv6 kind, as Java does.
func dialMapped(address string) (net.Conn, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	if err := unix.Connect(fd, &unix.SockaddrInet6{Port: to.Port, Addr: [16]byte(to.IP.To16())}); err != nil {
		return nil, err
	}
	return net.FileConn(f)
}

// asUser runs this test binary as another user, who may not even see its file.
func asUser(t *testing.T, uid uint32, kind, target string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can be two users")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestChild_asksAsAnotherUser$")
	cmd.Env, cmd.Dir = []string{childEnv + "=" + kind + " " + target}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the other user: %v\n%s", err, out)
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return string(line)
}

// The system tells whose a connection is, however it was made.
//
//oauth:row X9 auth/loopback/peer_linux.go "if !s.orphan && (s.uid ==" => "if s.uid != `` || (s.uid =="
//oauth:row X9 auth/loopback/peer_linux.go "/proc/self/net/tcp6" => "/proc/self/net/none"
func TestPeer_realSecondUser_refusedAndPersonGoesOn(t *testing.T) {
	t.Parallel()
	const nobody = 65534
	b := startBound(t, func(f *loopback.Flow) { f.Peer = nil })
	for _, kind := range []string{"4", "6"} {
		for _, u := range []string{b.ln.StartURL(), b.ln.RedirectURI() + "?code=evil&state=" + goodState} {
			if got := asUser(t, nobody, kind, u); got != "status 403, cookie false" {
				t.Errorf("IPv%s, %s: %s", kind, u, got)
			}
		}
	}
	if b.opened.Load() != 0 || b.strangers.Load() != 4 {
		t.Errorf("opened %d, told of %d strangers", b.opened.Load(), b.strangers.Load())
	}
	own := browser(t)
	if r := b.come(own, 0, b.ln.StartURL()); r.code != http.StatusFound {
		t.Errorf("the person's browser = %d", r.code)
	}
	b.wantFinish(own)
}

// Who hangs up before anybody can look is nobody: it does not count as the
// browser that opened the page.
//
//oauth:row X9 auth/loopback/peer_linux.go "if !s.orphan && (" => "if s.orphan || ("
func TestPeer_hangsUpAtOnce_refused(t *testing.T) {
	t.Parallel()
	ln, err := loopback.Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	conn := dial(t, ln)
	if _, err := io.WriteString(conn, fmt.Sprintf("GET /start/NONCE HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", ln.Port())); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close() // before anybody serves it
	gone, opened := make(chan struct{}, 1), make(chan struct{}, 1)
	ln.Serve(loopback.Flow{
		Bound: true, Start: "NONCE", Accept: accept, AuthorizationURL: ln.RedirectURI(),
		OnStranger: func() { gone <- struct{}{} }, OnOpen: func() { opened <- struct{}{} },
	})
	select {
	case <-gone:
	case <-opened:
		t.Error("somebody who is not there has opened the page")
	case <-time.After(10 * time.Second):
		t.Error("nothing happened")
	}
}
