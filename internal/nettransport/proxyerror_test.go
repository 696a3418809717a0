package nettransport_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// proxySaying is a proxy that answers every request with a status line.
func proxySaying(t *testing.T, status string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
			}
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// A proxy words its refusal as it likes: the number counts.
func TestProxyError_refusals_knownByTheirStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]int{
		"407 Proxy Authentication Required": 407, "407 go away": 407, "403 Forbidden": 403, "502 Bad Gateway": 502,
	} {
		_, err := get(t, nettransport.Options{Proxy: proxySaying(t, status)}, "https://api.payu.in/mcp")
		refused, ok := errors.AsType[*nettransport.ProxyError](err)
		if !ok || refused.Status != want {
			t.Errorf("%s: %v", status, err)
			continue
		}
		if reason, advice := nettransport.Explain("api.payu.in", err); !strings.Contains(reason, "the proxy refused") || !strings.Contains(advice, "--proxy") {
			t.Errorf("%s: %s; %s", status, reason, advice)
		}
	}
}
