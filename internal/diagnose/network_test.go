package diagnose_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// look sends one request and judges the way.
func look(t *testing.T, way diagnose.Way, o nettransport.Options, raw string) ([]diagnose.Line, diagnose.Seen) {
	t.Helper()
	tr, err := nettransport.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return lookThrough(t, way, tr, raw, time.Now)
}

func lookThrough(t *testing.T, way diagnose.Way, rt http.RoundTripper, raw string, now func() time.Time) ([]diagnose.Line, diagnose.Seen) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, raw, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	dialled := req.URL.Hostname()
	if way.Proxy != "" {
		dialled = "127.0.0.1"
	}
	seen := diagnose.Probe(t.Context(), rt, req, dialled, now)
	return way.Wire(&seen), seen
}

// wantFault checks that there is one fault, at the end, and what it says.
func wantFault(t *testing.T, lines []diagnose.Line, id string, side diagnose.Side, text, next string) {
	t.Helper()
	last := lines[len(lines)-1]
	if last.ID != id || last.Result != diagnose.Fault || last.Side != side ||
		!regexp.MustCompile(text).MatchString(last.Text) || !regexp.MustCompile(next).MatchString(last.Next) {
		t.Errorf("got %+v\nwant %s at %s: %s; next: %s", last, id, side, text, next)
	}
	for _, l := range lines[:len(lines)-1] {
		if l.Result != diagnose.OK {
			t.Errorf("before it: %+v", l)
		}
	}
}

func fineServer(http.ResponseWriter, *http.Request) {}

// deaf resolves nothing: a name server that cannot be asked.
func deaf() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}
}

func TestWire_names_cannotBeResolved(t *testing.T) {
	t.Parallel()
	lines, _ := look(t, diagnose.Way{}, nettransport.Options{Resolver: deaf()}, "https://api.payu.in/mcp")
	wantFault(t, lines, "names", diagnose.Network, `^the name api\.payu\.in cannot be resolved$`, `spelling of --url`)

	way := diagnose.Way{Proxy: "http://proxy.office:3128", From: "profile"}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.payu.in/mcp", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := nettransport.New(nettransport.Options{Resolver: deaf(), Proxy: way.Proxy})
	if err != nil {
		t.Fatal(err)
	}
	seen := diagnose.Probe(t.Context(), tr, req, "proxy.office", time.Now)
	wantFault(t, way.Wire(&seen), "proxy", diagnose.Network, `proxy\.office:3128 \(profile\) cannot be used: the name proxy\.office cannot be resolved`, `--proxy or HTTPS_PROXY`)
}

func TestWire_nobodyListens_connection(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	lines, _ := look(t, diagnose.Way{From: "HTTPS_PROXY is set, but not used"}, nettransport.Options{}, srv.URL)
	wantFault(t, lines, "connection", diagnose.Network, `^127\.0\.0\.1 cannot be reached`, `check the network`)
	if !strings.Contains(lines[0].Text, "HTTPS_PROXY is set, but not used") {
		t.Errorf("the proxy line: %+v", lines[0])
	}
}

// A server that takes connections and says nothing, and one that agrees on TLS and
// says nothing: known by where it stops, in the time of one request.
func TestWire_silence_knownInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var theirs []net.Conn
		rt := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, other := net.Pipe()
			theirs = append(theirs, other)
			go func() { // it reads, and never answers
				buf := make([]byte, 1<<10)
				for {
					if _, err := other.Read(buf); err != nil {
						return
					}
				}
			}()
			return ours, nil
		}}
		begun := time.Now()
		lines, seen := lookThrough(t, diagnose.Way{}, rt, "http://127.0.0.1/mcp", time.Now)
		if took := time.Since(begun); took > 10*time.Second || seen.Answered() {
			t.Errorf("it took %v, %+v", took, seen)
		}
		wantFault(t, lines, "connection", diagnose.Network, `did not answer in time`, `firewall or a proxy`)
		for _, c := range theirs {
			_ = c.Close()
		}
		rt.CloseIdleConnections()
	})
}

func TestWire_proxyRefuses_saysWhich(t *testing.T) {
	t.Parallel()
	for status, want := range map[int][2]string{
		http.StatusProxyAuthRequired: {`^the proxy http://\S+ \(flag\) wants a user name and a password \(407\)`, `PAYU_MCP_PROXY=http://USER:PASSWORD@HOST:PORT`},
		http.StatusForbidden:         {`does not let requests to PayU through: it answered 403`, `allow api\.payu\.in and accounts\.payu\.in`},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(srv.Close)
		lines, _ := look(t, diagnose.Way{Proxy: srv.URL, From: "flag"}, nettransport.Options{Proxy: srv.URL}, "https://api.payu.in/mcp")
		wantFault(t, lines, "proxy", diagnose.Network, want[0], want[1])
		if len(lines) != 1 {
			t.Errorf("the proxy is told of twice: %+v", lines)
		}
	}
}

// serveWith is a TLS server with a certificate of its own.
func serveWith(t *testing.T, from, to time.Time) *httptest.Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Inspector\x1b Root", Organization: []string{"Office Firewall"}},
		NotBefore: from, NotAfter: to, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(fineServer))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func caFile(t *testing.T, srv *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.TLS.Certificates[0].Certificate[0]})
	if err := os.WriteFile(file, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWire_unknownAuthority_named(t *testing.T) {
	t.Parallel()
	now := time.Now()
	srv := serveWith(t, now.Add(-time.Hour), now.Add(time.Hour))
	lines, _ := look(t, diagnose.Way{}, nettransport.Options{}, srv.URL)
	wantFault(t, lines, "tls", diagnose.Network, `signed by "Inspector Root" of "Office Firewall", which this computer does not trust`, `give the certificate of that authority with --ca-file`)

	other := serveWith(t, now.Add(-time.Hour), now.Add(time.Hour))
	lines, _ = look(t, diagnose.Way{CAFile: true}, nettransport.Options{CAFile: caFile(t, other)}, srv.URL)
	wantFault(t, lines, "tls", diagnose.Network, `Inspector Root`, `check that the file of --ca-file holds`)
}

// Only --ca-file makes it trusted: somebody in between reads along.
func TestWire_authorityOfCAFile_namedAsInspecting(t *testing.T) {
	t.Parallel()
	now := time.Now()
	srv := serveWith(t, now.Add(-time.Hour), now.Add(time.Hour))
	lines, seen := look(t, diagnose.Way{CAFile: true}, nettransport.Options{CAFile: caFile(t, srv)}, srv.URL)
	if !seen.Answered() || seen.Status != http.StatusOK {
		t.Fatalf("%+v", seen)
	}
	got := map[string]diagnose.Line{}
	for _, l := range lines {
		got[l.ID] = l
		if l.Result != diagnose.OK {
			t.Errorf("%+v", l)
		}
	}
	if text := got["tls"].Text; !strings.Contains(text, `"Inspector Root" of "Office Firewall", which only --ca-file makes trusted`) {
		t.Errorf("tls: %s", text)
	}
	for _, id := range []string{"proxy", "names", "clock"} {
		if got[id].Text == "" {
			t.Errorf("no line %s", id)
		}
	}
}

// A certificate that is not good yet means that the clock is behind; one that is not
// good any more may be the server's fault.
func TestWire_certificateOutOfItsTime_clockOrServer(t *testing.T) {
	t.Parallel()
	now := time.Now()
	early := serveWith(t, now.Add(24*time.Hour), now.Add(48*time.Hour))
	lines, _ := look(t, diagnose.Way{CAFile: true}, nettransport.Options{CAFile: caFile(t, early)}, early.URL)
	wantFault(t, lines, "clock", diagnose.Here, `is good from .* to .*, and the clock here says`, `set this computer's clock`)
	late := serveWith(t, now.Add(-48*time.Hour), now.Add(-24*time.Hour))
	lines, _ = look(t, diagnose.Way{CAFile: true}, nettransport.Options{CAFile: caFile(t, late)}, late.URL)
	wantFault(t, lines, "tls", diagnose.Network, `is good from .* to .*, and the clock here says`, `set this computer's clock`)
}

func TestWire_clock_againstTheServersDate(t *testing.T) {
	t.Parallel()
	server := time.Date(2026, 11, 26, 4, 0, 0, 0, time.UTC)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", server.Format(http.TimeFormat))
	}))
	t.Cleanup(srv.Close)
	for ahead, want := range map[time.Duration]struct {
		result diagnose.Result
		text   string
	}{
		0:                 {diagnose.OK, `agrees`},
		50 * time.Second:  {diagnose.OK, `agrees`},
		-50 * time.Second: {diagnose.OK, `agrees`},
		2 * time.Minute:   {diagnose.Warning, `^the clock is 2m\d+s ahead of the server's`},
		-2 * time.Minute:  {diagnose.Warning, `^the clock is (2m0s|1m5\ds) behind the server's`},
		24 * time.Hour:    {diagnose.Fault, `^the clock is 24h0m\d+s ahead of the server's`},
		-24 * time.Hour:   {diagnose.Fault, `^the clock is (24h0m0s|23h59m5\ds) behind the server's`},
	} {
		lines, _ := lookThrough(t, diagnose.Way{}, http.DefaultTransport, srv.URL, func() time.Time { return server.Add(ahead) })
		l := lines[len(lines)-1]
		if l.ID != "clock" || l.Side != diagnose.Here || l.Result != want.result || !regexp.MustCompile(want.text).MatchString(l.Text) || (l.Next == "") != (want.result == diagnose.OK) {
			t.Errorf("%v ahead: %+v", ahead, l)
		}
	}
}

// An event stream has no end: its head is enough.
func TestProbe_endlessAnswer_headIsEnough(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte(": hello\n\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(srv.Close)
	_, seen := lookThrough(t, diagnose.Way{}, http.DefaultTransport, srv.URL, time.Now)
	if !seen.Answered() || seen.Status != http.StatusOK || seen.Header.Get("Content-Type") != "text/event-stream" || seen.Took > 5*time.Second {
		t.Errorf("%+v", seen)
	}
}
