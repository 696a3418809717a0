package remote_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

// household is a login that other processes change, and the server that it is
// for: it takes any token, keeps streams open, and holds calls of "slow" back
// until release.
type household struct {
	tokens

	release chan struct{}
	public  bool // it wants no token for what is no call

	mu      sync.Mutex
	inForce string
	err     error
	got     []string // method, session, token
	streams int
}

func newHousehold() *household {
	return &household{
		tokens:  tokens{list: []redact.Secret{"old"}, grants: map[redact.Secret]string{"old": "1", "new": "2"}},
		inForce: "1", release: make(chan struct{}),
	}
}

// change is what another process does.
func (h *household) change(token redact.Secret, grant string, err error) {
	h.tokens.mu.Lock()
	h.list = []redact.Secret{token}
	h.tokens.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inForce, h.err = grant, err
}

func (h *household) current(context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.inForce, h.err
}

func (h *household) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	body := ""
	if r.Body != nil {
		raw, _ := io.ReadAll(r.Body)
		body = string(raw)
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	h.got = append(h.got, strings.TrimSpace(r.Method+" "+r.Header.Get("Mcp-Session-Id")+" "+token))
	switch {
	case r.Method == http.MethodGet, strings.Contains(body, "subscriptions/listen"):
		h.streams++
		context.AfterFunc(r.Context(), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.streams--
		})
		pr, pw := io.Pipe()
		context.AfterFunc(r.Context(), func() { pw.CloseWithError(r.Context().Err()) })
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: pr}, nil
	case token == "" && r.Method != http.MethodDelete && (!h.public || strings.Contains(body, "tools/call")):
		return response(401, "text/plain", ""), nil
	case strings.Contains(body, `"slow"`):
		h.mu.Unlock()
		<-h.release
		h.mu.Lock()
	}
	m, err := jsonmsg.Scan([]byte(body))
	if err != nil || m.ID == nil {
		return response(202, "text/plain", ""), nil
	}
	return response(200, "application/json", `{"id":`+string(m.ID)+`,"result":{"protocolVersion":"2025-11-25"}}`, "Mcp-Session-Id", "s1"), nil
}

func (h *household) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.got...)
}

func (h *household) open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams
}

// live runs a client with an open session and stream in a bubble of fake time.
func live(t *testing.T, story func(t *testing.T, h *household, c *remote.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHousehold()
		c := client(t, "https://example.test/", transport(h), with(&h.tokens), func(c *remote.Config) { c.InForce = h.current })
		ctx, cancel := context.WithCancel(t.Context())
		var listening sync.WaitGroup
		for _, line := range []string{initialize, inited} {
			if _, err := do(t, c, line); err != nil {
				t.Fatal(err)
			}
		}
		listening.Go(func() { c.Listen(ctx, func(jsonmsg.Message) {}) })
		synctest.Wait()
		if h.open() != 1 {
			t.Fatal("no stream")
		}
		story(t, h, c)
		cancel()
		listening.Wait()
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A logout or another sign-in, in another process, ends session and stream of an
// idle bridge, once and with the token that they had (OAUTH L11).
func TestGone_idle_sessionAndStreamEndWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		token redact.Secret
		grant string
		err   error
		ends  bool
	}{
		"logout":           {"", "", nil, true},
		"another sign-in":  {"new", "2", nil, true},
		"refresh":          {"old2", "1", nil, false},
		"not told for now": {"old", "", errNobody, false},
	} {
		live(t, func(t *testing.T, h *household, _ *remote.Client) {
			before := len(h.requests())
			h.change(c.token, c.grant, c.err)
			want := []string{}
			if c.ends {
				want = []string{"DELETE s1 old"}
			}
			for _, later := range []time.Duration{5 * time.Second, time.Hour} {
				time.Sleep(later) // fake time
				if diff := cmp.Diff(want, h.requests()[before:]); diff != "" || h.open() == 0 != c.ends {
					t.Errorf("%s, after %s: %s, %d streams", name, later, diff, h.open())
				}
			}
		})
	}
}

// After it nothing of the host's goes out in the old session, nor bare: it is
// told that somebody must sign in; and with a sign-in a new session is made.
func TestGone_nextMessage_needsASignInThenANewSession(t *testing.T) {
	t.Parallel()
	live(t, func(t *testing.T, h *household, c *remote.Client) {
		h.change("", "", nil)
		time.Sleep(5 * time.Second) // fake time
		before := len(h.requests())
		if _, err := do(t, c, call); !errors.Is(err, remote.ErrSignIn) {
			t.Error(err)
		}
		h.change("new", "2", nil)
		if _, err := do(t, c, call); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"POST", "POST  new", "POST s1 new", "POST s1 new", "GET s1 new"}, sorted(h.requests()[before:])); diff != "" {
			t.Error(diff)
		}
	})
}

// sorted puts the GET of the stream last: it comes at any time after initialize.
func sorted(requests []string) []string {
	var posts, gets []string
	for _, r := range requests {
		if strings.HasPrefix(r, http.MethodGet) {
			gets = append(gets, r)
		} else {
			posts = append(posts, r)
		}
	}
	return append(posts, gets...)
}

// A session that began before anybody was signed in belongs to who is since then.
func TestGone_signedInDuringTheSession_endsWithThatSignIn(t *testing.T) {
	t.Parallel()
	for _, next := range []struct {
		token redact.Secret
		grant string
	}{{"", ""}, {"new", "2"}} {
		synctest.Test(t, func(t *testing.T) {
			h := newHousehold()
			h.public = true
			h.change("", "", nil)
			c := client(t, "https://example.test/", transport(h), with(&h.tokens), func(c *remote.Config) { c.InForce = h.current })
			for _, line := range []string{initialize, inited} {
				if _, err := do(t, c, line); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Hour) // fake time
			h.change("old", "1", nil)
			if _, err := do(t, c, call); err != nil {
				t.Fatal(err)
			}
			h.change(next.token, next.grant, nil)
			time.Sleep(5 * time.Second) // fake time
			if diff := cmp.Diff([]string{"POST", "POST s1", "POST s1 old", "DELETE s1 old"}, h.requests()); diff != "" {
				t.Errorf("%q: %s", next.token, diff)
			}
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A call that is under way may move money: the server is not told to end its
// session before it is answered.
func TestGone_callInFlight_sessionEndsAfterItsAnswer(t *testing.T) {
	t.Parallel()
	live(t, func(t *testing.T, h *household, c *remote.Client) {
		before, done := len(h.requests()), make(chan error)
		go func() {
			_, err := do(t, c, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow"}}`)
			done <- err
		}()
		synctest.Wait()
		h.change("", "", nil)
		time.Sleep(30 * time.Second) // fake time
		if diff := cmp.Diff([]string{"POST s1 old"}, h.requests()[before:]); diff != "" {
			t.Error(diff)
		}
		close(h.release)
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"POST s1 old", "DELETE s1 old"}, h.requests()[before:]); diff != "" {
			t.Error(diff)
		}
	})
}

// A bridge that uses its token before it has looked ends the session then.
func TestGone_seenByA401_endsAtOnce(t *testing.T) {
	t.Parallel()
	live(t, func(t *testing.T, h *household, c *remote.Client) {
		h.change("", "", nil)
		before := len(h.requests())
		if _, err := do(t, c, call); !errors.Is(err, remote.ErrSignIn) {
			t.Error(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"POST s1", "DELETE s1 old"}, h.requests()[before:]); diff != "" || h.open() != 0 {
			t.Error(diff, h.open())
		}
	})
}

// The modern era has no session; a subscription ends as if the server had asked
// for a token.
func TestGone_subscription_endsAsA401Would(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHousehold()
		c := client(t, "https://example.test/", transport(h), with(&h.tokens), func(c *remote.Config) { c.InForce = h.current })
		ended := make(chan error)
		go func() {
			ended <- c.Do(t.Context(), message(t, `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`), remote.Hooks{})
		}()
		synctest.Wait()
		if h.open() != 1 {
			t.Fatal("no stream")
		}
		h.change("", "", nil)
		since := time.Now()
		if err := <-ended; !errors.Is(err, remote.ErrSignIn) || time.Since(since) > 5*time.Second {
			t.Errorf("after %s: %v", time.Since(since), err)
		}
		synctest.Wait()
		if h.open() != 0 {
			t.Error("the stream is still open")
		}
	})
}
