package auth_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// An answer that never ends, in each way and to each request of a login's life:
// after a megabyte nobody reads on.
//
//oauth:row X14 auth/fetch.go "io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))" => "io.ReadAll(res.Body)"
func TestFlood_everyRequest_cutAtTheLimit(t *testing.T) {
	t.Parallel()
	var taken atomic.Int64
	bomb := fault.Bomb()
	for kind, c := range map[string]struct {
		f    fault.Fault
		says string
	}{
		"flood":  {fault.Flood(&taken), "larger than 1 MiB"},
		"bomb":   {bomb, ""}, // no compression was asked for, so this is no JSON
		"header": {fault.EndlessHeader(), "cannot be reached"},
	} {
		for name := range (&world{}).steps() {
			t.Run(kind+" as "+name, func(t *testing.T) {
				t.Parallel()
				in := &fault.Injector{}
				w := newWorld(t, sandbox.Options{Wrap: in.Wrap})
				tr, err := nettransport.New(nettransport.Options{NoCompression: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(tr.CloseIdleConnections)
				w.client = w.newClient(func(cfg *auth.Config) { cfg.HTTP = &http.Client{Transport: tr} })
				step := w.steps()[name]
				step.ready()
				in.AddIf(func(r fault.Request) bool { return r.Path == step.path }, -1, c.f)
				err = step.do()
				if kind == "bomb" && (name == "resource metadata" || name == "revocation") {
					return // what is no document is none (OAUTH A16); a 200 says revoked (RFC 7009)
				}
				if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 1000 {
					t.Errorf("%.2000v", err)
				}
			})
		}
	}
	t.Cleanup(func() { // after the parallel ones
		const most = 6 * 16 * mib // a megabyte each, and what the system's buffers hold
		if n := taken.Load(); n > most {
			t.Errorf("%d bytes were taken", n)
		}
	})
}

const mib = 1 << 20

// dripping answers each request at once and sends a byte of the body every other
// second.
type dripping struct{ asked atomic.Int32 }

// RoundTrip implements http.RoundTripper.
func (d *dripping) RoundTrip(r *http.Request) (*http.Response, error) {
	d.asked.Add(1)
	h := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(drip{r}), Request: r}, nil
}

type drip struct{ r *http.Request }

// Read implements io.Reader, as a connection whose request is cancelled.
func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(2 * time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.r.Context().Done():
		return 0, d.r.Context().Err()
	}
}

// A body that comes byte by byte: the limit is for all of the answer, not for
// the time between two bytes.
//
//oauth:row X14 auth/fetch.go "ctx, cancel := context.WithTimeout(ctx, requestTimeout)" => "ctx, cancel := context.WithCancel(ctx)"
func TestDrip_everyRequest_givenUpAfterFifteenSeconds(t *testing.T) {
	t.Parallel()
	const limit = 15 * time.Second
	server := auth.Server{
		Issuer: "http://127.0.0.1:1", AuthorizationEndpoint: "http://127.0.0.1:1/a", TokenEndpoint: "http://127.0.0.1:1/t", RevocationEndpoint: "http://127.0.0.1:1/r",
	}
	for name, c := range map[string]struct {
		do    func(*testing.T, *auth.Client) error
		limit time.Duration
	}{
		"metadata": {func(t *testing.T, c *auth.Client) error {
			_ = c.Rejected(t.Context(), "", nil)
			_, err := c.SignIn(t.Context(), auth.Prompt{Anew: true})
			return err
		}, limit},
		"refresh": {func(t *testing.T, c *auth.Client) error {
			_, err := c.Token(t.Context())
			return err
		}, 2 * limit}, // the answer was lost, so it is sent once more (OAUTH L6)
		"revocation": {func(t *testing.T, c *auth.Client) error {
			done, err := c.Logout(t.Context())
			for _, r := range done {
				err = errors.Join(err, r.Err)
			}
			return err
		}, 2 * limit}, // of two tokens
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := newMemory()
				if name != "metadata" {
					store.cred = &auth.Credential{
						Resource: "http://127.0.0.1:1/mcp", Server: server, Registration: auth.Registration{Issuer: server.Issuer, ClientID: "c"},
						AccessToken: "access", RefreshToken: redact.Secret("refresh"), ObtainedAt: time.Now().Add(-time.Hour), Expiry: time.Now().Add(-time.Minute),
					}
				}
				net := &dripping{}
				client, err := auth.New(auth.Config{Resource: "http://127.0.0.1:1/mcp", HTTP: &http.Client{Transport: net}, Store: store})
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				err = c.do(t, client)
				if took := time.Since(start); took > c.limit || net.asked.Load() == 0 {
					t.Errorf("given up after %v and %d requests", took, net.asked.Load())
				}
				if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "did not answer in time") {
					t.Errorf("%v", err)
				}
			})
		})
	}
}
