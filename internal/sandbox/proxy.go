package sandbox

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// proxyHandler is a CONNECT proxy that leads PayU's own names to the sandbox, so
// that the built binary meets its PayU pin without meeting PayU (PAYU S1).
func (s *Sandbox) proxyHandler() http.Handler {
	return s.record(RoleProxy, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, known := map[string]string{
			"api.payu.in:443": s.resource, "accounts.payu.in:443": s.accounts,
		}[r.Host]
		if r.Method != http.MethodConnect || !known {
			http.Error(w, "the sandbox's proxy leads to PayU's names only", http.StatusForbidden)
			return
		}
		_, addr, _ := strings.Cut(to, "://")
		tunnel(w, r, addr)
	}))
}

func tunnel(w http.ResponseWriter, r *http.Request, addr string) {
	remote, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", addr)
	if err != nil {
		http.Error(w, "the sandbox is closed", http.StatusBadGateway)
		return
	}
	defer remote.Close()
	local, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "the sandbox's proxy speaks HTTP/1.1", http.StatusHTTPVersionNotSupported)
		return
	}
	defer local.Close()
	// By hand: the server's own answer would be framed as a body.
	if rec, ok := w.(*recorder); ok {
		rec.note(http.StatusOK)
	}
	_, _ = io.WriteString(local, "HTTP/1.1 200 Connection established\r\n\r\n")
	// A hijacked connection is out of the server's hands: Close ends it here.
	stop := context.AfterFunc(r.Context(), func() {
		_ = local.Close()
		_ = remote.Close()
	})
	defer stop()
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(remote, buffered)
		_ = remote.Close()
	})
	_, _ = io.Copy(local, remote)
	_ = local.Close()
	up.Wait()
}
