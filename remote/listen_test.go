package remote_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

// opening is one GET: when, with what token, and how the server answered.
type opening struct {
	after time.Duration
	token string
}

// listen runs Listen for a while against a server that answers the nth GET by
// answer(n), in a bubble of fake time.
func listen(t *testing.T, a remote.Authorizer, long time.Duration, answer func(n int) (*http.Response, error)) (gets []opening, got []string, early bool) {
	t.Helper()
	return listenAs(t, a, long, func(*http.Request) (*http.Response, error) { return answer(len(gets)) }, &gets)
}

// listenRequests is listen for a server that looks at the requests.
func listenRequests(t *testing.T, long time.Duration, answer roundTripper) (gets []opening, got []string, early bool) {
	t.Helper()
	return listenAs(t, nil, long, answer, &gets)
}

func listenAs(t *testing.T, a remote.Authorizer, long time.Duration, answer roundTripper, gets *[]opening) (_ []opening, got []string, early bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		rt := roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method != http.MethodGet || r.Header.Get("Accept") != "text/event-stream" {
				t.Errorf("%s %v", r.Method, r.Header)
			}
			*gets = append(*gets, opening{time.Since(start), r.Header.Get("Authorization")})
			return answer(r)
		})
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		client(t, "https://example.test/", transport(rt), with(a)).Listen(ctx, func(m jsonmsg.Message) { got = append(got, string(m.Raw)) })
		early = ctx.Err() == nil
	})
	return *gets, got, early
}

func TestListen_streamEnds_reopenedSlowerAndSlower(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(int) (*http.Response, error){
		"empty":  func(int) (*http.Response, error) { return response(200, "text/event-stream", ": hi\n\n"), nil },
		"503":    func(int) (*http.Response, error) { return response(503, "text/plain", ""), nil },
		"no net": func(int) (*http.Response, error) { return nil, errors.New("unreachable") },
	} {
		gets, _, early := listen(t, nil, time.Hour, answer)
		if early {
			t.Errorf("%s: gave up", name)
		}
		base := time.Second
		for i := 1; i < len(gets); i++ {
			if pause := gets[i].after - gets[i-1].after; pause < base || pause > base+max(base, 10*time.Second) {
				t.Errorf("%s: pause %d is %s after %s", name, i, pause, base)
			}
			base = min(2*base, 30*time.Second)
		}
		if n := len(gets); n < 60 || n > 125 {
			t.Errorf("%s: %d requests in an idle hour", name, n)
		}
	}
}

func TestListen_streamThatSpoke_reopenedSoonAndAsTheServerSays(t *testing.T) {
	t.Parallel()
	body := "data: {\"method\":\"notifications/tools/list_changed\"}\n\ndata: {\n\n"
	gets, got, _ := listen(t, nil, time.Minute, func(int) (*http.Response, error) {
		return response(200, "text/event-stream", body), nil
	})
	if len(gets) < 5 || len(got) != len(gets) {
		t.Errorf("%d requests, %d messages in a minute", len(gets), len(got))
	}
	gets, _, _ = listen(t, nil, time.Second, func(int) (*http.Response, error) {
		return response(200, "text/event-stream", "retry: 500\n"+body), nil
	})
	if len(gets) != 2 || gets[1].after < 500*time.Millisecond || gets[1].after > 600*time.Millisecond {
		t.Errorf("with retry 500: %v", gets)
	}
}

func TestListen_noSuchStream_asksOnceAndWaits(t *testing.T) {
	t.Parallel()
	for _, status := range []int{405, 404, 501, 400, 302} {
		gets, _, early := listen(t, nil, time.Hour, func(int) (*http.Response, error) { return response(status, "text/plain", ""), nil })
		if len(gets) != 1 || early {
			t.Errorf("%d: %d requests", status, len(gets))
		}
	}
	gets, _, early := listen(t, nil, time.Hour, func(int) (*http.Response, error) { return response(200, "text/html", "<html>"), nil })
	if len(gets) != 1 || early {
		t.Errorf("HTML: %d requests", len(gets))
	}
}

// The next stream goes on after the last event, and starts anew where the server
// does not know it any more (RELAY H8).
func TestListen_eventsWithIDs_goneOnWith(t *testing.T) {
	t.Parallel()
	var after []string
	_, got, _ := listenRequests(t, 2*time.Minute, func(r *http.Request) (*http.Response, error) {
		after = append(after, r.Header.Get("Last-Event-ID"))
		switch len(after) {
		case 1:
			return response(200, "text/event-stream", "id: a 1\ndata: {\"method\":\"m\"}\n\nid: b\ndata\n\n"), nil
		case 2:
			return response(200, "text/event-stream", ": nothing new\n\n"), nil
		case 3:
			return response(400, "text/plain", "no such event"), nil
		}
		return response(405, "text/plain", ""), nil
	})
	if diff := cmp.Diff([]string{"", "b", "b", ""}, after); diff != "" || len(got) != 1 {
		t.Error(diff, got)
	}
}

func TestListen_401_waitsForAnotherToken(t *testing.T) {
	t.Parallel()
	a := &tokens{list: []redact.Secret{"old"}}
	refused := func(int) (*http.Response, error) { return response(401, "text/plain", ""), nil }
	gets, _, early := listen(t, a, time.Hour, refused)
	if early || len(gets) != 1 || a.rejections() != "old" {
		t.Errorf("signed out: %d requests in an hour, rejected %q", len(gets), a.rejections())
	}

	a = &tokens{list: []redact.Secret{"old"}}
	gets, got, _ := listen(t, a, 2*time.Minute, func(n int) (*http.Response, error) {
		if n == 1 {
			go func() {
				time.Sleep(40 * time.Second) // fake time
				a.mu.Lock()
				defer a.mu.Unlock()
				a.list = []redact.Secret{"new"}
			}()
			return refused(n)
		}
		return response(200, "text/event-stream", "data: {\"method\":\"m\"}\n\n"), nil
	})
	if len(got) == 0 || gets[1].token != "Bearer new" || gets[1].after < 40*time.Second || gets[1].after > 101*time.Second {
		t.Errorf("after a sign-in: %v", gets[:min(2, len(gets))])
	}
}

func TestListen_401WithARefresh_opensAtOnce(t *testing.T) {
	t.Parallel()
	a := &tokens{list: []redact.Secret{"old", "new"}}
	gets, got, _ := listen(t, a, 500*time.Millisecond, func(n int) (*http.Response, error) {
		if n == 1 {
			return response(401, "text/plain", ""), nil
		}
		return response(200, "text/event-stream", "data: {\"method\":\"m\"}\n\n"), nil
	})
	if diff := cmp.Diff([]string{"Bearer old", "Bearer new"}, []string{gets[0].token, gets[1].token}); diff != "" {
		t.Error(diff)
	}
	if gets[1].after != 0 || !slices.Equal(got, []string{`{"method":"m"}`}) {
		t.Error(gets, got)
	}
}
