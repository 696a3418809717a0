package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

const (
	deviceGrant  = "urn:ietf:params:oauth:grant-type:device_code"
	deviceSecret = "the-device-code-of-this-sign-in"
)

// codeServer is an authorization server in memory, for clocks that are not real:
// the token endpoint answers as the test says.
type codeServer struct {
	origin string

	mu     sync.Mutex
	doc    map[string]any // replaces members of the metadata; nil removes
	code   func(*http.Request) *http.Response
	tokens []func(*http.Request) *http.Response // in turn; the last one stays
	reg    func(asked map[string]any) *http.Response
	asked  []codeRequest
}

type codeRequest struct {
	path string
	at   time.Time
	form url.Values
	body string
}

func newCodeServer(tokens ...func(*http.Request) *http.Response) *codeServer {
	return &codeServer{origin: "https://mcp.example", tokens: tokens, code: says(http.StatusOK, codeAnswer(nil))}
}

// codeAnswer is a good answer of the device authorization endpoint, changed.
func codeAnswer(change map[string]any) string {
	return object(map[string]any{
		"device_code": deviceSecret, "user_code": "WDJB-MJHT", "verification_uri": "https://mcp.example/device",
		"verification_uri_complete": "https://mcp.example/device?user_code=WDJB-MJHT", "expires_in": 300, "interval": 5,
	}, change)
}

func object(members, change map[string]any) string {
	maps.Copy(members, change)
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	b, _ := json.Marshal(members)
	return string(b)
}

// says answers with a JSON body.
func says(status int, body string, header ...string) func(*http.Request) *http.Response {
	return func(*http.Request) *http.Response {
		res := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
		for i := 0; i+1 < len(header); i += 2 {
			res.Header.Set(header[i], header[i+1])
		}
		return res
	}
}

func fails(code string) func(*http.Request) *http.Response {
	return says(http.StatusBadRequest, `{"error":"`+code+`","error_description":"about `+deviceSecret+`\u001b[31m"}`)
}

func grants(access string) func(*http.Request) *http.Response {
	return says(http.StatusOK, `{"access_token":"`+access+`","token_type":"Bearer","expires_in":3600,"refresh_token":"r-`+access+`","email":"me@shop.example"}`)
}

// lost is an answer that never comes.
func lost(*http.Request) *http.Response { return nil }

// RoundTrip implements http.RoundTripper.
func (s *codeServer) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	form, _ := url.ParseQuery(string(body))
	s.mu.Lock()
	s.asked = append(s.asked, codeRequest{r.URL.Path, time.Now(), form, string(body)})
	answer := s.answer(r.URL.Path, body)
	s.mu.Unlock()
	if res := answer(r); res != nil {
		return res, nil
	}
	return nil, errors.New("connection reset by peer")
}

func (s *codeServer) answer(path string, body []byte) func(*http.Request) *http.Response {
	switch path {
	case "/.well-known/oauth-authorization-server":
		return says(http.StatusOK, object(map[string]any{
			"issuer": s.origin, "authorization_endpoint": s.origin + "/authorize", "token_endpoint": s.origin + "/token",
			"registration_endpoint": s.origin + "/register", "revocation_endpoint": s.origin + "/revoke",
			"device_authorization_endpoint": s.origin + "/device_authorization", "code_challenge_methods_supported": []string{"S256"},
			"grant_types_supported": []string{"authorization_code", "refresh_token", deviceGrant},
		}, s.doc))
	case "/register":
		var asked map[string]any
		_ = json.Unmarshal(body, &asked)
		if s.reg != nil {
			return func(*http.Request) *http.Response { return s.reg(asked) }
		}
		return says(http.StatusCreated, `{"client_id":"this-client","token_endpoint_auth_method":"none"}`)
	case "/device_authorization":
		return s.code
	case "/token":
		next := s.tokens[0]
		if len(s.tokens) > 1 {
			s.tokens = s.tokens[1:]
		}
		return next
	case "/revoke":
		return says(http.StatusOK, "")
	}
	return says(http.StatusNotFound, "{}")
}

func (s *codeServer) requests(path string) []codeRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.asked), func(r codeRequest) bool { return r.path != path })
}

func (s *codeServer) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// pauses are the seconds between the code and the first question, and from one
// question to the next.
func (s *codeServer) pauses() []float64 {
	codes := s.requests("/device_authorization")
	last := codes[len(codes)-1].at
	var all []float64
	for _, r := range s.requests("/token") {
		all = append(all, r.at.Sub(last).Seconds())
		last = r.at
	}
	return all
}

// coder is somebody who signs in by code.
type coder struct {
	t      *testing.T
	server *codeServer
	store  *memory
	client *auth.Client
	log    bytes.Buffer

	mu    sync.Mutex
	codes []auth.UserCode
	urls  []string
	no    []error
}

func newCoder(t *testing.T, s *codeServer, change ...func(*auth.Config)) *coder {
	t.Helper()
	p := &coder{t: t, server: s, store: newMemory()}
	p.client = p.newClient(change...)
	return p
}

// newClient is another process of the same store.
func (p *coder) newClient(change ...func(*auth.Config)) *auth.Client {
	p.t.Helper()
	cfg := auth.Config{Resource: p.server.origin + "/mcp", HTTP: &http.Client{Transport: p.server}, Store: p.store, Log: slog.New(slog.NewTextHandler(&p.log, nil))}
	for _, f := range change {
		f(&cfg)
	}
	c, err := auth.New(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = c.Rejected(p.t.Context(), "", []string{`Bearer scope="read pay"`})
	return c
}

func (p *coder) prompt() auth.Prompt {
	add := func(f func()) { p.mu.Lock(); defer p.mu.Unlock(); f() }
	return auth.Prompt{
		Anew: true, WantCode: true,
		ShowCode: func(c auth.UserCode) { add(func() { p.codes = append(p.codes, c) }) },
		Show:     func(u string, _ error) { add(func() { p.urls = append(p.urls, u) }) },
		NoCode:   func(err error) { add(func() { p.no = append(p.no, err) }) },
	}
}

func (p *coder) signIn() (*auth.Credential, error) {
	p.t.Helper()
	return p.client.SignIn(p.t.Context(), p.prompt())
}

func (p *coder) mustSignIn() *auth.Credential {
	p.t.Helper()
	cred, err := p.signIn()
	if err != nil {
		p.t.Fatal(err)
	}
	return cred
}

// RFC 8628, the good way.
func TestSignIn_byCode_signedIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCodeServer(fails("authorization_pending"), fails("authorization_pending"), grants("one"))
		p := newCoder(t, s)
		cred := p.mustSignIn()
		want := []auth.UserCode{{Page: "https://mcp.example/device", Link: "https://mcp.example/device?user_code=WDJB-MJHT", Code: "WDJB-MJHT"}}
		if diff := cmp.Diff(want, p.codes); diff != "" || p.urls != nil || p.no != nil {
			t.Errorf("shown: %s %v %v", diff, p.urls, p.no)
		}
		if diff := cmp.Diff([]float64{5, 5, 5}, s.pauses()); diff != "" {
			t.Error(diff)
		}
		if cur := p.store.current(); !cur.SignedIn() || cur.Attempt != nil || cur.Account != "me@shop.example" || cur.AccessToken != cred.AccessToken {
			t.Errorf("stored: %+v", cur.Summary())
		}
		wantForm(t, s.requests("/device_authorization")[0].form, url.Values{"client_id": {"this-client"}, "scope": {"read pay"}, "resource": {"https://mcp.example/mcp"}})
		wantForm(t, s.requests("/token")[0].form, url.Values{
			"grant_type": {deviceGrant}, "device_code": {deviceSecret}, "client_id": {"this-client"}, "resource": {"https://mcp.example/mcp"},
		})
		if reg := s.requests("/register"); len(reg) != 1 || !strings.Contains(reg[0].body, `"grant_types":["authorization_code","refresh_token","`+deviceGrant+`"]`) {
			t.Errorf("registrations: %v", reg)
		}
	})
}

func wantForm(t *testing.T, got, want url.Values) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("form: %s", diff)
	}
}

// OAUTH A12: also by code ten sign-ins make one registration, and each ends the
// login that it replaces.
//
//oauth:row A12 auth/signin.go `(known.Device || d.server.DeviceEndpoint == "")` => `false`
func TestSignIn_byCodeTenTimes_oneRegistration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCodeServer(grants("0"))
		p := newCoder(t, s)
		for i := range 10 {
			s.set(func() { s.tokens = s.tokens[:0]; s.tokens = append(s.tokens, grants(string(rune('0'+i)))) })
			p.mustSignIn()
		}
		registered := map[string]bool{}
		for _, r := range s.requests("/register") {
			if registered[r.body] {
				t.Errorf("registered again: %s", r.body)
			}
			registered[r.body] = true // another body: a test beside this one has got the port
		}
		if n := len(registered); n > 3 {
			t.Errorf("%d registrations", n)
		}
		if n := len(s.requests("/revoke")); n != 2*9 {
			t.Errorf("%d revocations", n)
		}
	})
}

// RFC 8628 section 3.5: how often the server is asked.
func TestSignIn_byCode_pauses(t *testing.T) {
	t.Parallel()
	pending, slow := fails("authorization_pending"), fails("slow_down")
	for name, c := range map[string]struct {
		interval any
		answers  []func(*http.Request) *http.Response
		want     []float64
	}{
		"as told":          {7, []func(*http.Request) *http.Response{pending, pending}, []float64{7, 7, 7}},
		"not told":         {nil, []func(*http.Request) *http.Response{pending}, []float64{5, 5}},
		"nonsense":         {-3, []func(*http.Request) *http.Response{pending}, []float64{5, 5}},
		"endless":          {1e9, nil, []float64{300}},
		"slow down":        {5, []func(*http.Request) *http.Response{slow, pending, slow, pending}, []float64{5, 10, 10, 15, 15}},
		"connection":       {5, []func(*http.Request) *http.Response{lost, lost, lost, lost, pending}, []float64{5, 10, 20, 40, 60, 5}},
		"502":              {5, []func(*http.Request) *http.Response{says(502, "<html>", "Content-Type", "text/html"), pending}, []float64{5, 10, 5}},
		"captive portal":   {5, []func(*http.Request) *http.Response{says(200, "<html>", "Content-Type", "text/html"), pending}, []float64{5, 10, 5}},
		"redirect":         {5, []func(*http.Request) *http.Response{says(302, "", "Location", "https://evil.example/"), pending}, []float64{5, 10, 5}},
		"429":              {5, []func(*http.Request) *http.Response{says(429, "{}", "Retry-After", "30"), pending}, []float64{5, 30, 5}},
		"429, for ever":    {5, []func(*http.Request) *http.Response{says(429, "{}", "Retry-After", "99999999"), pending}, []float64{5, 10, 5}},
		"busy, slow after": {5, []func(*http.Request) *http.Response{fails("temporarily_unavailable"), slow, pending}, []float64{5, 10, 10, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newCodeServer(append(slices.Clone(c.answers), grants("one"))...)
				s.code = says(http.StatusOK, codeAnswer(map[string]any{"interval": c.interval}))
				newCoder(t, s).mustSignIn()
				if diff := cmp.Diff(c.want, s.pauses()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// What was stored before stays, and the code's secret is told to nobody.
func TestSignIn_byCode_ends(t *testing.T) {
	t.Parallel()
	pending := fails("authorization_pending")
	for name, c := range map[string]struct {
		change  map[string]any
		limit   time.Duration
		answers []func(*http.Request) *http.Response
		want    error
		hint    string
		after   time.Duration
	}{
		"denied":            {nil, 0, []func(*http.Request) *http.Response{pending, fails("access_denied")}, auth.ErrDenied, "payu-mcp login", 10 * time.Second},
		"expired":           {nil, 0, []func(*http.Request) *http.Response{fails("expired_token")}, auth.ErrTimeout, "--no-browser", 5 * time.Second},
		"unknown code":      {nil, 0, []func(*http.Request) *http.Response{fails("invalid_grant")}, auth.ErrServer, "payu-mcp login", 5 * time.Second},
		"unknown client":    {nil, 0, []func(*http.Request) *http.Response{fails("invalid_client")}, auth.ErrServer, "--no-browser", 5 * time.Second},
		"no bearer":         {nil, 0, []func(*http.Request) *http.Response{says(200, `{"access_token":"x","token_type":"mac"}`)}, auth.ErrServer, "", 5 * time.Second},
		"no header":         {nil, 0, []func(*http.Request) *http.Response{says(200, `{"access_token":"x\r\ny","token_type":"Bearer"}`)}, auth.ErrServer, "", 5 * time.Second},
		"code's own time":   {map[string]any{"expires_in": 60}, 0, []func(*http.Request) *http.Response{pending}, auth.ErrTimeout, "--no-browser", time.Minute},
		"time not told":     {map[string]any{"expires_in": nil}, 0, []func(*http.Request) *http.Response{pending}, auth.ErrTimeout, "--no-browser", 10 * time.Minute},
		"sign-in's time":    {map[string]any{"expires_in": 3600}, 2 * time.Minute, []func(*http.Request) *http.Response{pending}, auth.ErrTimeout, "--no-browser", 2 * time.Minute},
		"server stays away": {nil, 0, []func(*http.Request) *http.Response{lost}, auth.ErrTimeout, "--no-browser", 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newCodeServer(grants("old"))
				p := newCoder(t, s, func(cfg *auth.Config) { cfg.SignInLimit = c.limit })
				old := p.mustSignIn()
				s.set(func() { s.tokens, s.code = c.answers, says(http.StatusOK, codeAnswer(c.change)) })
				begin := time.Now()
				_, err := p.signIn()
				if !errors.Is(err, c.want) || !strings.Contains(hint.Of(err), c.hint) || time.Since(begin) != c.after {
					t.Errorf("after %v: %v, hint %q", time.Since(begin), err, hint.Of(err))
				}
				if cur := p.store.current(); cur.RefreshToken != old.RefreshToken || cur.Attempt != nil {
					t.Errorf("stored: %+v", cur.Summary())
				}
				if out := err.Error() + hint.Of(err) + p.log.String(); strings.Contains(out, deviceSecret) || strings.Contains(out, "\x1b") {
					t.Errorf("told: %q", out)
				}
				if len(s.requests("/revoke")) != 0 {
					t.Error("the old login was revoked")
				}
			})
		})
	}
}

// A server that offers codes and gives none: the last page's address is pasted
// instead.
func TestSignIn_noCode_pastedInstead(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]func(*http.Request) *http.Response{
		"unauthorized_client": fails("unauthorized_client"),
		"invalid_client":      says(http.StatusUnauthorized, `{"error":"invalid_client"}`),
		"not there":           says(http.StatusNotFound, "<html>", "Content-Type", "text/html"),
		"a page":              says(http.StatusOK, "<html>", "Content-Type", "text/html"),
		"no answer":           lost,
		"no code":             says(http.StatusOK, codeAnswer(map[string]any{"user_code": nil})),
		"code of nothing":     says(http.StatusOK, codeAnswer(map[string]any{"user_code": "\u0007 \u202e"})),
		"no secret":           says(http.StatusOK, codeAnswer(map[string]any{"device_code": nil})),
		"no page":             says(http.StatusOK, codeAnswer(map[string]any{"verification_uri": nil})),
		"another type":        says(http.StatusOK, `{"device_code":["x"]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCodeServer(grants("one"))
			s.code = code
			p := newCoder(t, s)
			paste, prompt := make(chan string), p.prompt()
			prompt.Pasted = paste
			prompt.Show = func(raw string, _ error) {
				u, err := url.Parse(raw)
				if err != nil {
					t.Error(err)
					return
				}
				answer := url.Values{"state": {u.Query().Get("state")}, "code": {"the-code"}}
				go func() { paste <- u.Query().Get("redirect_uri") + "?" + answer.Encode() }()
			}
			if _, err := p.client.SignIn(t.Context(), prompt); err != nil {
				t.Fatal(err)
			}
			if len(p.no) != 1 || !errors.Is(p.no[0], auth.ErrServer) || strings.Contains(p.no[0].Error(), "\x1b") || p.codes != nil {
				t.Errorf("told: %v %v", p.no, p.codes)
			}
			if got := s.requests("/token")[0].form.Get("grant_type"); got != "authorization_code" {
				t.Errorf("grant type %q", got)
			}
		})
	}
}

// OAUTH A12: a registration without the grant is replaced once, whatever the
// server makes of it; a sign-in that wants no code does not ask for the grant.
func TestSignIn_byCodeWithOlderRegistration_registersOnce(t *testing.T) {
	t.Parallel()
	granted := func(asked map[string]any) *http.Response { return says(http.StatusCreated, `{"client_id":"c"}`)(nil) }
	choosy := func(asked map[string]any) *http.Response {
		if b, _ := json.Marshal(asked["grant_types"]); strings.Contains(string(b), deviceGrant) {
			return says(http.StatusBadRequest, `{"error":"invalid_client_metadata"}`)(nil)
		}
		return granted(asked)
	}
	for name, c := range map[string]struct {
		reg         func(map[string]any) *http.Response
		code        func(*http.Request) *http.Response
		first, more int
		codes       int
	}{
		"given":                     {granted, says(http.StatusOK, codeAnswer(nil)), 1, 1, 3},
		"left out without a word":   {granted, fails("unauthorized_client"), 1, 1, 0},
		"refused with registration": {choosy, says(http.StatusOK, codeAnswer(nil)), 1, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCodeServer(grants("one"))
			s.reg, s.code = c.reg, c.code
			p := newCoder(t, s)
			p.leave(func(prompt *auth.Prompt) { prompt.WantCode = false })
			if reg := s.requests("/register"); len(reg) != c.first || strings.Contains(reg[0].body, "device_code") {
				t.Errorf("registrations: %v", reg)
			}
			for range 3 {
				p.leave(func(*auth.Prompt) {})
			}
			if n := len(s.requests("/register")); n != c.first+c.more {
				t.Errorf("%d registrations more, want %d", n-c.first, c.more)
			}
			if len(p.codes) != c.codes {
				t.Errorf("%d codes shown, want %d", len(p.codes), c.codes)
			}
		})
	}
}

// leave begins a sign-in, and leaves when there is something to see. The open
// attempt is forgotten, the registration is not.
func (p *coder) leave(change func(*auth.Prompt)) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	prompt := p.prompt()
	change(&prompt)
	show, code := prompt.Show, prompt.ShowCode
	prompt.Show = func(u string, err error) { show(u, err); cancel() }
	prompt.ShowCode = func(c auth.UserCode) { code(c); cancel() }
	if _, err := p.client.SignIn(ctx, prompt); !errors.Is(err, context.Canceled) {
		p.t.Fatal(err)
	}
	p.client.Close(p.t.Context())
	cur := *p.store.current()
	cur.Attempt = nil
	p.store.set(&cur)
}
