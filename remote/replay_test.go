package remote_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/remote"
)

// restarting is a server with sessions that can be lost. It answers every
// request of the newest session, and says which requests came.
type restarting struct {
	*wire

	mu    sync.Mutex
	made  int
	alive string
	auth  func(r *http.Request) bool // false: 401; nil: everybody
}

func newRestarting(t *testing.T) *restarting {
	t.Helper()
	s := &restarting{}
	s.wire = serve(t, func(w http.ResponseWriter, r *http.Request, body string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		id := r.Header.Get("Mcp-Session-Id")
		switch {
		case s.auth != nil && !s.auth(r):
			w.WriteHeader(401)
		case r.Method != http.MethodPost:
			w.WriteHeader(405)
		case strings.Contains(body, `"initialize"`):
			s.made++
			s.alive = fmt.Sprint("s", s.made)
			w.Header().Set("Mcp-Session-Id", s.alive)
			answerTo(w, body, `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"resources":{"subscribe":true}}}`)
		case id != s.alive:
			w.WriteHeader(404)
		case !strings.Contains(body, `"id"`):
			w.WriteHeader(202)
		default:
			answerTo(w, body, `{}`)
		}
	})
	return s
}

// answerTo answers a request with a result.
func answerTo(w http.ResponseWriter, request, result string) {
	m, err := jsonmsg.Scan([]byte(request))
	if err != nil {
		w.WriteHeader(400)
		return
	}
	reply(w, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, result))
}

// restart makes the server forget its sessions.
func (s *restarting) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive = "none"
}

// story is what came since the nth request: method, id if it is ours, session.
func (s *restarting) story(n int) []string {
	var lines []string
	for _, r := range s.requests()[n:] {
		m, _ := jsonmsg.Scan([]byte(r.body))
		own := ""
		if strings.HasPrefix(string(m.ID), `"payu-mcp/`) {
			own = " (ours)"
		}
		lines = append(lines, strings.TrimSpace(r.method+" "+m.Method+own+" "+r.header.Get("Mcp-Session-Id")))
	}
	return lines
}

const (
	setLevel    = `{"jsonrpc":"2.0","id":"l","method":"logging/setLevel","params":{"level":"debug"}}`
	subscribe   = `{"jsonrpc":"2.0","id":"s","method":"resources/subscribe","params":{"uri":"file:///%s"}}`
	unsubscribe = `{"jsonrpc":"2.0","id":"u","method":"resources/unsubscribe","params":{"uri":"file:///%s"}}`
)

func TestReplay_sessionLost_hostNoticesNothing(t *testing.T) {
	t.Parallel()
	s := newRestarting(t)
	c := client(t, s.URL)
	changed := make(chan string, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, line := range []string{initialize, inited, setLevel, fmt.Sprintf(subscribe, "a"), fmt.Sprintf(subscribe, "b"), fmt.Sprintf(unsubscribe, "a")} {
		if _, err := do(t, c, line); err != nil {
			t.Fatal(line, err)
		}
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		c.Listen(ctx, func(m jsonmsg.Message) { changed <- string(m.Raw) })
	}()
	s.waitFor(t, func(r seen) bool { return r.method == http.MethodGet })
	s.restart()
	before := len(s.requests())
	got, err := do(t, c, call)
	if err != nil || len(got) != 1 || !strings.Contains(got[0], "9007199254740993") {
		t.Fatal(got, err)
	}
	want := []string{
		"POST tools/call s1", "POST initialize (ours)", "POST notifications/initialized s2",
		"POST logging/setLevel (ours) s2", "POST resources/subscribe (ours) s2", "POST tools/call s2",
	}
	story := slices.DeleteFunc(s.story(before), func(l string) bool { return strings.HasPrefix(l, "GET") })
	if diff := cmp.Diff(want, story); diff != "" {
		t.Error(diff)
	}
	for _, feature := range []string{"resources", "tools"} {
		if l := <-changed; l != `{"jsonrpc":"2.0","method":"notifications/`+feature+`/list_changed"}` {
			t.Error(l)
		}
	}
	s.waitFor(t, func(r seen) bool { return r.method == http.MethodGet && r.header.Get("Mcp-Session-Id") == "s2" })
	cancel()
	<-heard
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReplay_manyNotice_oneInitialize(t *testing.T) {
	t.Parallel()
	s := newRestarting(t)
	c := client(t, s.URL)
	for _, line := range []string{initialize, inited} {
		if _, err := do(t, c, line); err != nil {
			t.Fatal(err)
		}
	}
	s.restart()
	var g sync.WaitGroup
	for i := range 32 {
		g.Go(func() {
			if _, err := do(t, c, fmt.Sprintf(`{"id":%d,"method":"tools/call","params":{"name":"x"}}`, i)); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if s.mu.Lock(); s.made != 2 {
		t.Errorf("%d sessions were made, want 2", s.made)
	}
	s.mu.Unlock()
}

func TestReplay_signInInBetween_newSessionBeforeTheCall(t *testing.T) {
	t.Parallel()
	s := newRestarting(t)
	good := "old"
	s.auth = func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+good }
	a := &tokens{list: []redact.Secret{"old"}}
	c := client(t, s.URL, with(a))
	for _, line := range []string{initialize, inited} {
		if _, err := do(t, c, line); err != nil {
			t.Fatal(err)
		}
	}
	s.mu.Lock()
	good = "new"
	s.mu.Unlock()
	if _, err := do(t, c, call); !errors.Is(err, remote.ErrSignIn) {
		t.Fatal(err)
	}
	a.mu.Lock()
	a.list = []redact.Secret{"new"} // somebody signed in
	a.mu.Unlock()
	before := len(s.requests())
	if _, err := do(t, c, call); err != nil {
		t.Fatal(err)
	}
	want := []string{"POST initialize (ours)", "POST notifications/initialized s2", "POST tools/call s2"}
	if diff := cmp.Diff(want, s.story(before)); diff != "" {
		t.Error(diff)
	}
}

// Another process has signed in, perhaps as somebody else, and no 401 was met
// here: the session is the old account's all the same. A refresh is no sign-in.
func TestReplay_signInElsewhere_newSessionBeforeTheCall(t *testing.T) {
	t.Parallel()
	for next, want := range map[redact.Secret][]string{
		"refreshed": {"POST tools/call s1"},
		"other":     {"POST initialize (ours)", "POST notifications/initialized s2", "POST tools/call s2"},
		"unknown":   {"POST tools/call s1"},
	} {
		s := newRestarting(t)
		a := &tokens{list: []redact.Secret{"old"}, grants: map[redact.Secret]string{"old": "1", "refreshed": "1", "other": "2"}}
		c := client(t, s.URL, with(a))
		for _, line := range []string{initialize, inited} {
			if _, err := do(t, c, line); err != nil {
				t.Fatal(err)
			}
		}
		a.mu.Lock()
		a.list = []redact.Secret{next}
		a.mu.Unlock()
		before := len(s.requests())
		if _, err := do(t, c, call); err != nil {
			t.Fatal(err)
		}
		if next == "other" { // the old one is ended as whom it was begun, at any time from then on
			s.waitFor(t, func(r seen) bool {
				return r.method == http.MethodDelete && r.header.Get("Mcp-Session-Id") == "s1" && r.header.Get("Authorization") == "Bearer old"
			})
		}
		story := slices.DeleteFunc(s.story(before), func(line string) bool { return strings.HasPrefix(line, http.MethodDelete) })
		if diff := cmp.Diff(want, story); diff != "" {
			t.Errorf("%s: %s", next, diff)
		}
	}
}

func TestReplay_nobodySignedIn_saysSignIn(t *testing.T) {
	t.Parallel()
	s := newRestarting(t)
	c := client(t, s.URL, with(&tokens{list: []redact.Secret{"tok"}}))
	for _, line := range []string{initialize, inited} {
		if _, err := do(t, c, line); err != nil {
			t.Fatal(err)
		}
	}
	s.restart()
	s.mu.Lock()
	s.auth = func(r *http.Request) bool { return r.Header.Get("Mcp-Session-Id") != "" } // not for initialize
	s.mu.Unlock()
	_, err := do(t, c, call)
	if e := kindOf(t, err); e.Kind != remote.KindSignIn || !errors.Is(err, remote.ErrSignIn) {
		t.Error(err)
	}
}
