package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/nettransport"
)

const (
	requestTimeout = 15 * time.Second // RELAY B3
	maxAnswer      = 1 << 20          // RELAY B3: 1 MiB, and no compression on this client
)

// answer is a bounded reply of an authorization server.
type answer struct {
	status int
	json   bool // the content type says JSON
	body   []byte
	retry  string // Retry-After
}

// errNotJSON: the answer is something else, such as a page of a captive portal.
var errNotJSON = errors.New("the answer is not JSON")

var errNoObject = errors.New("the answer is no JSON object")

// send makes one request to the authorization server. A redirect is an answer,
// not a way to go: the request carries a code, a token or a secret (OAUTH X15).
// The address is judged once more: it may come from a stored login.
func (c *Client) send(ctx context.Context, req *http.Request) (*answer, error) {
	if _, err := c.checkServerURL(req.URL.String()); err != nil {
		return nil, serverFault("an address of the authorization server is not safe: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req = req.WithContext(ctx)
	req.GetBody = nil // nothing is sent again behind our back (RELAY section 6)
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, transportFault(req.URL.Host, err)
	}
	defer res.Body.Close() // read to the end or given up
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, transportFault(req.URL.Host, err)
	}
	if len(body) > maxAnswer {
		return nil, serverFault("the answer of %s is larger than 1 MiB", clean(req.URL.Host))
	}
	return &answer{status: res.StatusCode, json: isJSON(res.Header), body: body, retry: res.Header.Get("Retry-After")}, nil
}

func (c *Client) get(ctx context.Context, url string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	a, err := c.send(ctx, req)
	if c.seen != nil {
		c.seen(url, a)
	}
	return a, err
}

// isAbsence tells whether the server said that there is nothing: not a fault of
// the moment, and not a page of somebody else's.
func (a *answer) isAbsence() bool {
	return a.status >= 400 && a.status < 500 && a.status != http.StatusRequestTimeout && a.status != http.StatusTooManyRequests
}

// decode reads a JSON object into v; the error never quotes the body, which may
// hold a secret (OAUTH Z3).
func (a *answer) decode(v any) error {
	if !a.json {
		return errNotJSON
	}
	if !bytes.HasPrefix(bytes.TrimLeft(a.body, " \t\r\n"), []byte("{")) { // oauthex panics at null
		return errNoObject
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("the answer is broken JSON (%T)", err)
	}
	return nil
}

func isJSON(h http.Header) bool {
	mt, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (mt == "application/json" || strings.HasSuffix(mt, "+json"))
}

// transportFault says why host could not be asked, and whose fault that is.
func transportFault(host string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, ErrTimeout) { // the cause of our own limit: net/http passes it on
		err = context.DeadlineExceeded
	}
	reason, advice := nettransport.Explain(clean(host), err)
	return &lostError{hint.With(serverFault("%s", reason), advice)}
}

// lostError: no whole answer came, so the request may or may not have run.
type lostError struct{ error }

// Unwrap gives the reason.
func (e *lostError) Unwrap() error { return e.error }
