package nettransport_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

func get(t *testing.T, o nettransport.Options, url string) (int, error) {
	t.Helper()
	tr, err := nettransport.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: tr, CheckRedirect: nettransport.RefuseRedirects}).Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

//oauth:row X4 internal/nettransport/transport.go "MinVersion: tls.VersionTLS12" => "MinVersion: tls.VersionTLS12, InsecureSkipVerify: true"
func TestNew_caFile_trustsIt(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, nettransport.Options{}, srv.URL); err == nil {
		t.Error("an unknown authority was trusted")
	}
	if code, err := get(t, nettransport.Options{CAFile: file}, srv.URL); err != nil || code != http.StatusNotFound {
		t.Errorf("with --ca-file: %d, %v", code, err)
	}
}

func TestNew_badOptions_errorWithHint(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]nettransport.Options{
		"missing CA": {CAFile: empty + ".no"},
		"empty CA":   {CAFile: empty},
		"no scheme":  {Proxy: "user:hunter2@proxy"},
		"ftp":        {Proxy: "ftp://user:hunter2@proxy"},
		"no host":    {Proxy: "http://"},
		"unreadable": {Proxy: "http://user:hunter2@pro xy/%zz"},
	} {
		_, err := nettransport.New(o)
		if err == nil || hint.Of(err) == "" {
			t.Errorf("%s: err %v, hint %q", name, err, hint.Of(err))
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the message repeats the password: %v", name, err)
		}
	}
}

func TestNew_proxy_loopbackGoesDirect(t *testing.T) {
	t.Parallel()
	proxied := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { proxied <- r.URL.Host }))
	defer proxy.Close()
	target := httptest.NewServer(http.NotFoundHandler())
	defer target.Close()
	if code, err := get(t, nettransport.Options{Proxy: proxy.URL}, target.URL); err != nil || code != http.StatusNotFound {
		t.Errorf("loopback: %d, %v", code, err)
	}
	if code, err := get(t, nettransport.Options{Proxy: proxy.URL}, "http://payu.invalid/"); err != nil || code != http.StatusOK {
		t.Errorf("through the proxy: %d, %v", code, err)
	}
	if host := <-proxied; host != "payu.invalid" {
		t.Errorf("the proxy saw %q", host)
	}
}

func TestNew_redirect_notFollowed(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect))
	defer srv.Close()
	if code, err := get(t, nettransport.Options{}, srv.URL); err != nil || code != http.StatusTemporaryRedirect {
		t.Errorf("got %d, %v", code, err)
	}
}

func TestIsLoopback_table(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "localhost": true, "LOCALHOST": true, "::ffff:127.0.0.1": true,
		"api.payu.in": false, "10.0.0.1": false, "localhost.evil.example": false, "": false, "0.0.0.0": false,
	} {
		if got := nettransport.IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %v", host, got)
		}
	}
}

// A server that sends header lines for ever is cut off soon; a large header of
// an honest one passes.
func TestNew_header_isBounded(t *testing.T) {
	t.Parallel()
	for lines, fits := range map[int]bool{200: true, 300: false} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range lines {
				w.Header().Add("X-Filler", strings.Repeat("a", 1<<10))
			}
		}))
		defer srv.Close()
		if _, err := get(t, nettransport.Options{}, srv.URL); (err == nil) != fits {
			t.Errorf("a header of %d KiB: %v", lines, err)
		}
	}
}
