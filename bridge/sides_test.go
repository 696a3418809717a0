package bridge_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
	"github.com/payu-mcp/payu-mcp/remote"
)

// way answers in the place of the network.
type way func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (w way) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.ReadAll(r.Body)
	}
	return w(r)
}

func broken(err error) way { return func(*http.Request) (*http.Response, error) { return nil, err } }

func says(status int, kind, body string, headers ...string) way {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {kind}}
		for i := 0; i+1 < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	}
}

// Whatever goes wrong, the host is told on whose side, in the text, since many
// show nothing else, and in data.side; and what helps.
func TestFaults_eachNamesItsSide(t *testing.T) {
	t.Parallel()
	untrusted := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	for name, c := range map[string]struct {
		way              way
		side, text, hint string
		isCall           bool
	}{
		"not enabled":    {says(403, "text/plain", "no"), "PayU", "not enabled for MCP (HTTP 403)", "key account manager at PayU or ai-solutions@payu.in", true},
		"no permission":  {says(403, "text/plain", "", "WWW-Authenticate", `Bearer error="insufficient_scope", scope="refunds"`), "PayU", "the sign-in is missing or no longer valid", "sign in", true},
		"rate limit":     {says(429, "text/plain", "", "Retry-After", "42"), "PayU", "too many requests (HTTP 429) (it asks to wait for 42s) (request id ", "wait", true},
		"a fault":        {says(500, "text/plain", ""), "PayU", "the service has a fault (HTTP 500) (request id ", "repeat the request", false},
		"a fault, call":  {says(502, "text/plain", ""), "PayU", "outcome unknown, the call may have run (HTTP 502) (sent ", "check in PayU", true},
		"a page":         {says(200, "text/html", "<p>"), "network", "a network that wants a sign-in of its own", "open any web page", false},
		"a page, call":   {says(200, "text/html", "<p>"), "network", "outcome unknown", "check in PayU", true},
		"511":            {says(511, "text/html", "<p>"), "network", "a network that wants a sign-in of its own (HTTP 511)", "open any web page", true},
		"a redirect":     {says(302, "text/html", "", "Location", "http://portal.example/"), "network", "redirects elsewhere", "whether this network wants a sign-in", true},
		"broken":         {says(200, "application/json", "{"), "PayU", "its answer cannot be read (HTTP 200) (request id ", "check in PayU", true},
		"407":            {broken(&nettransport.ProxyError{Status: 407}), "network", "the proxy refused the connection to payu.example: it wants a user name and a password (407)", "--proxy http://USER:PASSWORD@", true},
		"refused":        {broken(&nettransport.ProxyError{Status: 403}), "network", "the proxy refused the connection to payu.example (403)", "let the proxy connect to payu.example", true},
		"no proxy":       {broken(&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}), "network", "the proxy cannot be reached", "HTTPS_PROXY", true},
		"unknown CA":     {broken(untrusted(x509.UnknownAuthorityError{})), "network", "signed by an unknown authority", "--ca-file", true},
		"clock":          {broken(untrusted(x509.CertificateInvalidError{Reason: x509.Expired})), "this computer", "not valid yet; check the clock", "set the clock of this computer", true},
		"no name":        {broken(&net.DNSError{Err: "no such host", Name: "payu.example", IsNotFound: true}), "network", "the name payu.example cannot be resolved", "check the network", true},
		"no login":       {says(401, "text/plain", ""), "PayU", "the sign-in is missing or no longer valid", "sign in", true},
		"too much":       {says(200, "application/json", `{"x":"`+strings.Repeat("x", 5000)), "PayU", "the answer is too large", "ask for less", true},
		"another answer": {says(404, "text/plain", ""), "PayU", "the request was refused (HTTP 404)", "payu-mcp status", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up, err := remote.New(remote.Config{Endpoint: "https://payu.example/mcp", HTTP: c.way, Limits: remote.Limits{Answer: 1000}})
			if err != nil {
				t.Fatal(err)
			}
			h := start(t, bridge.Config{Remote: up})
			method := "resources/read"
			if c.isCall {
				method = "tools/call"
			}
			h.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"name":"x","uri":"x:y"}}`, method))
			f := h.nextFault()
			if f.Error.Data.Side != c.side || !strings.HasPrefix(f.Error.Message, c.side+": ") || !strings.Contains(f.Error.Message, c.text) || !strings.Contains(f.Error.Data.Hint, c.hint) {
				t.Errorf("%+v", f.Error)
			}
		})
	}
}

// What the host itself got wrong is on its side.
func TestFaults_badMessage_isTheHosts(t *testing.T) {
	t.Parallel()
	h := start(t, bridge.Config{Remote: &fake{}})
	h.send(`{"jsonrpc":"2.0","id":1,"method":7}`)
	if f := h.nextFault(); f.Error.Data.Side != "host" || f.Error.Data.Kind != "bad_message" {
		t.Errorf("%+v", f.Error)
	}
}

// A sign-in that PayU has ended is not the same as one that never was.
func TestFaults_revoked_saidBeforeTheNextSignIn(t *testing.T) {
	t.Parallel()
	for standing, want := range map[bridge.Standing]bool{bridge.StandingEnded: true, bridge.StandingSignedOut: false} {
		l := &fakeLogin{standing: standing, open: func(context.Context, bridge.How) (bridge.Invitation, error) {
			return bridge.Invitation{}, errors.New("no page")
		}}
		h := start(t, bridge.Config{Remote: &fake{}, Login: l})
		h.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`)
		if text := h.next(); strings.Contains(text, "revoked in PayU's dashboard") != want || !strings.Contains(text, "did not succeed") {
			t.Errorf("standing %v: %s", standing, text)
		}
	}
}
