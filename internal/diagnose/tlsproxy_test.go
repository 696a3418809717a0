package diagnose_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

// A proxy that is spoken to over TLS has a certificate too, which is not the
// server's: nothing is said of that one before it was seen.
func TestWire_proxyOverTLS_notTakenForTheServer(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		answer     http.HandlerFunc
		trusted    bool
		text, next string
	}{
		{func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }, true, `^the proxy https://\S+ \(flag\) wants a user name and a password \(407\)`, `USER:PASSWORD`},
		{func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, true, `does not let requests to PayU through: it answered 403`, `allow api\.payu\.in`},
		{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true, `^the proxy https://\S+ \(flag\) cannot be used`, `check --proxy`},
		{fineServer, false, `^the certificate of the proxy https://\S+ \(flag\) is signed by "Inspector Root"`, `--ca-file`},
	} {
		proxy := serveWith(t, now.Add(-time.Hour), now.Add(time.Hour))
		proxy.Config.Handler = c.answer
		options := nettransport.Options{Proxy: proxy.URL}
		if c.trusted {
			options.CAFile = caFile(t, proxy)
		}
		lines, _ := look(t, diagnose.Way{Proxy: proxy.URL, From: "flag", CAFile: c.trusted}, options, "https://api.payu.in/mcp")
		wantFault(t, lines, "proxy", diagnose.Network, c.text, c.next)
		if len(lines) != 1 {
			t.Errorf("besides the proxy something is told of that was not seen: %+v", lines)
		}
	}
}
