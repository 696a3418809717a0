package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// OAUTH X1, A32, Y2: what a person is to open is judged as every URL of a server.
// The sign-in ends there; nothing is shown.
//
//oauth:row X1 auth/device.go "u, err := c.checkServerURL(*address)" => "u, err := url.Parse(*address)"
//oauth:row A32 auth/device.go "u, err := c.checkServerURL(*address)" => "u, err := url.Parse(*address)"
func TestSignIn_byCodeWithUnsafePage_refused(t *testing.T) {
	t.Parallel()
	const payu = "https://api.payu.in"
	for name, c := range map[string]struct{ origin, page, link string }{
		"javascript":       {"", "javascript:alert(1)", ""},
		"javascript link":  {"", "https://mcp.example/device", "javascript:alert(1)"},
		"file":             {"", "file:///etc/passwd", ""},
		"plain http":       {"", "http://mcp.example/device", ""},
		"loopback":         {"", "http://127.0.0.1:1/device", ""},
		"option":           {"", "--help", ""},
		"no host":          {"", "https:///device", ""},
		"user name":        {"", "https://mcp.example@evil.example/device", ""},
		"escape sequence":  {"", "https://mcp.example/\x1b[31mdevice", ""},
		"line break":       {"", "https://mcp.example/device\nOpen https://evil.example", ""},
		"backslash":        {"", `https://mcp.example\@evil.example/`, ""},
		"direction":        {"", "https://mcp.example/device?x=\u202egpj", ""},
		"direction, link":  {"", "https://mcp.example/device", "https://mcp.example/device?x=\u202e"},
		"look-alike":       {"", "https://mcp.example/device?\u0430", ""},
		"C1 control":       {"", "https://mcp.example/device?\u009b31m", ""},
		"outside the pin":  {payu, "https://payu.in.evil.example/device", ""},
		"link outside":     {payu, "https://accounts.payu.in/device", "https://evil.example/device?user_code=X"},
		"port off the pin": {payu, "https://accounts.payu.in:8443/device", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCodeServer(grants("one"))
			if c.origin != "" {
				s.origin = c.origin
			}
			change := map[string]any{"verification_uri": c.page, "verification_uri_complete": c.link}
			s.code = says(http.StatusOK, codeAnswer(change))
			p := newCoder(t, s)
			_, err := p.signIn()
			if !errors.Is(err, auth.ErrServer) || !strings.Contains(hint.Of(err), "do not sign in") {
				t.Fatalf("err = %v, hint %q", err, hint.Of(err))
			}
			if p.codes != nil || p.urls != nil || len(s.requests("/token")) != 0 {
				t.Errorf("shown: %v %v", p.codes, p.urls)
			}
			if text := err.Error(); strings.ContainsAny(text, "\x1b\n\u202e\u009b") {
				t.Errorf("told: %q", text)
			}
		})
	}
}

// OAUTH A31, Y2: the endpoint is judged with the others, before anything is sent.
//
//oauth:row A31 auth/server_meta.go `{"device authorization", s.DeviceEndpoint},` => ``
//oauth:row X4 auth/server_meta.go `{"device authorization", s.DeviceEndpoint},` => ``
func TestSignIn_unsafeDeviceEndpoint_refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ origin, endpoint string }{
		"plain http":      {"https://mcp.example", "http://mcp.example/device_authorization"},
		"scheme":          {"https://mcp.example", "smb://mcp.example/device_authorization"},
		"outside the pin": {"https://api.payu.in", "https://evil.example/device_authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCodeServer(grants("one"))
			s.origin, s.doc = c.origin, map[string]any{"device_authorization_endpoint": c.endpoint}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := newCoder(t, s)
			prompt := p.prompt()
			prompt.Show, prompt.ShowCode = func(string, error) { cancel() }, func(auth.UserCode) { cancel() }
			if _, err := p.client.SignIn(ctx, prompt); !errors.Is(err, auth.ErrServer) {
				t.Errorf("err = %v", err)
			}
			if len(s.requests("/register"))+len(s.requests("/device_authorization")) != 0 {
				t.Error("something was sent")
			}
		})
	}
}

// Where it is not offered nobody asks for it.
func TestSignIn_codeNotOffered_address(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]map[string]any{
		"no endpoint":    {"device_authorization_endpoint": nil},
		"not in list":    {"grant_types_supported": []string{"authorization_code", "refresh_token"}},
		"list is empty":  {"grant_types_supported": []string{}},
		"another's type": {"device_authorization_endpoint": ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCodeServer(grants("one"))
			s.doc = doc
			p := newCoder(t, s)
			p.leave(func(*auth.Prompt) {})
			if len(p.urls) != 1 || p.codes != nil || p.no != nil {
				t.Errorf("shown: %v %v %v", p.urls, p.codes, p.no)
			}
			if strings.Contains(s.requests("/register")[0].body, "device_code") {
				t.Error("the grant was asked for")
			}
		})
	}
}

// A list of grant types is not needed (RFC 8414 section 2).
func TestSignIn_codeOfferedWithoutList_code(t *testing.T) {
	t.Parallel()
	s := newCodeServer(grants("one"))
	s.doc = map[string]any{"grant_types_supported": nil}
	p := newCoder(t, s)
	p.leave(func(*auth.Prompt) {})
	if len(p.codes) != 1 {
		t.Errorf("shown: %v %v", p.urls, p.codes)
	}
}

// The resource indicator that the user chose goes into both requests, or none.
func TestSignIn_byCode_resourceAsConfigured(t *testing.T) {
	t.Parallel()
	for configured, want := range map[string]string{"": "https://mcp.example/mcp", "none": "", "https://mcp.example/other": "https://mcp.example/other"} {
		synctest.Test(t, func(t *testing.T) {
			s := newCodeServer(grants("one"))
			newCoder(t, s, func(c *auth.Config) { c.ResourceIndicator = configured }).mustSignIn()
			for _, path := range []string{"/device_authorization", "/token"} {
				form := s.requests(path)[0].form
				if got := form.Get("resource"); got != want || form.Has("resource") != (want != "") {
					t.Errorf("%q: %s got resource %q", configured, path, got)
				}
			}
		})
	}
}

// A client id metadata document is the client here too.
func TestSignIn_byCodeWithDocument_isClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const document = "https://client.example/payu-mcp.json"
		s := newCodeServer(grants("one"))
		s.doc = map[string]any{"client_id_metadata_document_supported": true}
		newCoder(t, s, func(c *auth.Config) { c.ClientMetadataURL = document }).mustSignIn()
		for _, path := range []string{"/device_authorization", "/token"} {
			if got := s.requests(path)[0].form.Get("client_id"); got != document {
				t.Errorf("%s got client_id %q", path, got)
			}
		}
		if len(s.requests("/register")) != 0 {
			t.Error("it was registered")
		}
	})
}

// opened begins a sign-in by code and waits until its code is shown.
func (p *coder) opened(ctx context.Context, c *auth.Client) <-chan error {
	p.t.Helper()
	done, shown := make(chan error, 1), make(chan struct{})
	prompt := p.prompt()
	show := prompt.ShowCode
	prompt.ShowCode = func(c auth.UserCode) { show(c); close(shown) }
	go func() {
		_, err := c.SignIn(ctx, prompt)
		done <- err
	}()
	<-shown
	return done
}

// OAUTH L10: the process that asked for the code dies, and another one asks on:
// the person allows the access to the code that they have.
func TestSignIn_byCodeOwnerGone_goesOnElsewhere(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(p *coder, c *auth.Client) error{
		"login again": func(p *coder, c *auth.Client) error {
			_, err := c.SignIn(p.t.Context(), p.prompt())
			return err
		},
		"a bridge": func(p *coder, c *auth.Client) error { return c.Await(p.t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pending := fails("authorization_pending")
				s := newCodeServer(pending, pending, grants("one"))
				p := newCoder(t, s)
				ctx, cancel := context.WithCancel(t.Context())
				done := p.opened(ctx, p.client)
				time.Sleep(6 * time.Second)
				cancel()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Errorf("the first one: %v", err)
				}
				p.client.Close(t.Context())
				if err := next(p, p.newClient()); err != nil {
					t.Fatal(err)
				}
				if n := len(s.requests("/device_authorization")); n != 1 {
					t.Errorf("%d codes were asked for", n)
				}
				if cur := p.store.current(); !cur.SignedIn() || cur.Attempt != nil {
					t.Errorf("stored: %+v", cur.Summary())
				}
				if len(p.codes) > 1 && p.codes[0] != p.codes[1] {
					t.Errorf("shown: %v", p.codes)
				}
			})
		})
	}
}

// A sealed code of a stranger's file leads nobody to a stranger's page (X17).
func TestSignIn_sealedCodeWithUnsafePage_notTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCodeServer(grants("one"))
		p := newCoder(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		done := p.opened(ctx, p.client)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		p.client.Close(t.Context())
		cur := *p.store.current()
		a, d := *cur.Attempt, *cur.Attempt.Device
		d.Link = "javascript:alert(1)"
		a.Device, cur.Attempt = &d, &a
		p.store.set(&cur)
		p.client = p.newClient()
		p.mustSignIn()
		if n := len(s.requests("/device_authorization")); n != 2 || p.codes[1].Link != "https://mcp.example/device?user_code=WDJB-MJHT" {
			t.Errorf("%d codes were asked for, shown: %v", n, p.codes)
		}
	})
}

// One sign-in is open at a time: others are told, with the code.
func TestSignIn_byCodeElsewhere_told(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCodeServer(fails("authorization_pending"), grants("one"))
		p := newCoder(t, s)
		done := p.opened(t.Context(), p.client)
		_, err := p.newClient().SignIn(t.Context(), auth.Prompt{By: "a host"})
		other, ok := errors.AsType[*auth.ElsewhereError](err)
		if !ok || other.URL != "https://mcp.example/device?user_code=WDJB-MJHT" || other.Code == nil || other.Code.Code != "WDJB-MJHT" {
			t.Errorf("err = %+v", err)
		}
		follower := p.newClient()
		if _, err := follower.SignIn(t.Context(), p.prompt()); err != nil { // waits for the same one
			t.Errorf("who waits: %v", err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if len(p.codes) != 2 || p.codes[0] != p.codes[1] || len(s.requests("/device_authorization")) != 1 {
			t.Errorf("shown: %v", p.codes)
		}
	})
}

// Whoever leaves while the tokens are on their way strands no grant.
func TestSignIn_byCodeCallerLeavesWhileAsking_isStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reached, release := make(chan struct{}), make(chan struct{})
		s := newCodeServer(func(r *http.Request) *http.Response {
			close(reached)
			<-release
			return grants("one")(r)
		})
		p := newCoder(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		done := p.opened(ctx, p.client)
		<-reached
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(release)
		p.client.Close(t.Context())
		if cur := p.store.current(); !cur.SignedIn() || cur.Attempt != nil {
			t.Errorf("stored: %+v", cur.Summary())
		}
	})
}

// OAUTH A41: no refresh token came; the login lasts as long as its access token.
//
//oauth:row A41 auth/standing.go `cred.RefreshToken == "" && c.expired(cred)` => `false`
func TestSignIn_byCodeWithoutRefreshToken_lastsUntilExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCodeServer(says(http.StatusOK, `{"access_token":"only","token_type":"Bearer","expires_in":60}`), grants("next"))
		p := newCoder(t, s)
		p.mustSignIn()
		time.Sleep(time.Minute)
		quiet := p.prompt()
		quiet.Anew = false
		if cred, err := p.client.SignIn(t.Context(), quiet); err != nil || cred.AccessToken.Reveal() != "next" {
			t.Errorf("after the expiry: %v", err)
		}
		if n := len(s.requests("/token")); n != 2 {
			t.Errorf("%d token requests: something was refreshed", n)
		}
	})
}

// The sealed file keeps what another process needs to ask on.
func TestSeal_openCode_roundTrip(t *testing.T) {
	t.Parallel()
	want := &auth.Credential{
		Registration: auth.Registration{ClientID: "c", AuthMethod: "none", Dynamic: true, Device: true},
		Attempt: &auth.Attempt{
			State: "s", Registration: auth.Registration{ClientID: "c", Device: true},
			Device: &auth.Device{UserCode: auth.UserCode{Page: "p", Link: "l", Code: "c"}, Secret: "d", Pause: time.Second},
		},
	}
	b, err := want.Seal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := auth.Unseal(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
