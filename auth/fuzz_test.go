package auth

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// safeURL is a second opinion on the URLs that come out of metadata (OAUTH A31, X1,
// Y2): it shares nothing with checkURL and checkPin.
func safeURL(raw string, pinned bool) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsFunc(raw, unicode.IsControl) || strings.ContainsAny(raw, " \\") {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return !pinned || (u.Port() == "" || u.Port() == "443") && (host == "payu.in" || strings.HasSuffix(host, ".payu.in"))
}

// speakable tells whether a text may stand on a terminal (OAUTH X19).
func speakable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
}

// toldOf is the whole text of an error.
func toldOf(err error) string { return err.Error() + hint.Of(err) }

// canned answers every request of a kind with the same body, and notes what was
// asked.
type canned struct {
	resource, server, other []byte
	status                  int
	asked                   []string
}

// RoundTrip implements http.RoundTripper.
func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	c.asked = append(c.asked, r.URL.String())
	body, status := c.other, c.status
	switch {
	case strings.HasPrefix(r.URL.Path, "/.well-known/oauth-protected-resource"):
		body, status = c.resource, http.StatusOK
	case strings.Contains(r.URL.Path, "/.well-known/"):
		body, status = c.server, http.StatusOK
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(body))), Request: r,
	}, nil
}

func cannedClient(tb testing.TB, resource string, answers *canned) *Client {
	tb.Helper()
	c, err := New(Config{Resource: resource, HTTP: &http.Client{Transport: answers}})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// FuzzParseChallenge: whatever stands in WWW-Authenticate, there is no panic, and
// nothing comes out that was not in it.
func FuzzParseChallenge(f *testing.F) {
	for _, s := range []string{
		`Bearer`, `Bearer realm="", scope="a"`, `Basic x, Bearer resource_metadata="https://h/"`, `Bearer a="\"", b=c`, `,,,`, `"`,
		`Bearer error="insufficient_scope", scope="a b"`, "Bearer scope=\"a\x1b[31m\"", `Bearer scope="a\b"`, `Bearer scope*=UTF-8''a`, `bearer scope=a, Bearer scope=b`,
		`Negotiate oQ==, DPoP algs="ES256", Bearer scope="x"`, `Bearer error=insufficient_scope scope=x`, `Bearer resource_metadata="javascript:x"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ch := parseChallenge([]string{s})
		plain := strings.ReplaceAll(s, `\`, "")
		for _, v := range []string{ch.scope, ch.resourceMetadata} {
			if !strings.Contains(plain, strings.ReplaceAll(v, `\`, "")) {
				t.Errorf("%q out of nothing", v)
			}
		}
		if ch.stepUp && !strings.Contains(plain, "insufficient_scope") {
			t.Error("a step-up out of nothing")
		}
	})
}

// FuzzDiscovery: whatever a challenge and the metadata of resource and server say,
// only safe addresses are asked and come out, the resource is ours, and PayU's stay
// at PayU.
//
//oauth:row X1 auth/server_meta.go `u, err := c.checkServerURL(endpoint)` => `u, err := url.Parse(endpoint)`
//oauth:row X7 auth/resource_meta.go `return &found, false, c.checkResource(found.Resource)` => `return &found, false, nil`
func FuzzDiscovery(f *testing.F) {
	good := []byte(`{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t","code_challenge_methods_supported":["S256"]}`)
	prm := []byte(`{"resource":"https://h.example/mcp","authorization_servers":["https://as.example"],"scopes_supported":["a\u001b"]}`)
	f.Add(`Bearer resource_metadata="https://h.example/.well-known/oauth-protected-resource/x", scope="a"`, prm, good, false)
	f.Add(`Bearer resource_metadata="http://169.254.169.254/"`, []byte(`{"resource":"https://h.example","authorization_servers":["https://as.example/p/"]}`), good, false)
	f.Add("", []byte(`{"resource":"https://evil.example"}`), []byte(`{"issuer":"https://h.example","authorization_endpoint":"javascript:x","token_endpoint":"smb://localhost/x"}`), false)
	f.Add("", []byte(`{"resource":"https://evil.example","authorization_servers":["https://as.example"]}`), good, false)
	f.Add("", prm, []byte(`{"issuer":"https://as.example","authorization_endpoint":"javascript:x","token_endpoint":"https://as.example/t","code_challenge_methods_supported":["S256"]}`), false)
	f.Add("", []byte(`[]`), []byte(`{"issuer":"https://api.payu.in","authorization_endpoint":"https://accounts.payu.in/a","token_endpoint":"https://evil.example/t"}`), true)
	f.Add("", []byte(`[]`), []byte(`{"issuer":"https://api.payu.in","authorization_endpoint":"https://accounts.payu.in/a","token_endpoint":"https://evil.example/t","device_authorization_endpoint":"https://accounts.payu.in:8443/"}`), true)
	f.Add("", []byte(`null`), []byte(`{"issuer":"https://accounts.payu.in","authorization_endpoint":"https://accounts.payu.in/a","token_endpoint":"https://x.payu.in/t","revocation_endpoint":"https://payu.in@evil.example/"}`), true)
	f.Fuzz(func(t *testing.T, challenge string, resource, server []byte, pinned bool) {
		endpoint := "https://h.example/mcp"
		if pinned {
			endpoint = PayUEndpoint
		}
		answers := &canned{resource: resource, server: server, status: http.StatusNotFound}
		d, err := cannedClient(t, endpoint, answers).discover(t.Context(), parseChallenge([]string{challenge}))
		for _, u := range answers.asked {
			if !safeURL(u, pinned) {
				t.Errorf("asked %q", u)
			}
		}
		if err != nil {
			if !speakable(toldOf(err)) {
				t.Errorf("told: %q", toldOf(err))
			}
			return
		}
		s := d.server
		for _, u := range []string{s.Issuer, s.AuthorizationEndpoint, s.TokenEndpoint, s.RegistrationEndpoint, s.RevocationEndpoint, s.DeviceEndpoint} {
			if u != "" && !safeURL(u, pinned) {
				t.Errorf("accepted %q", u)
			}
		}
		if s.AuthorizationEndpoint == "" || s.TokenEndpoint == "" || pinned && s.Issuer != payuOrigin && s.Issuer != payuAccounts {
			t.Errorf("accepted %+v", s)
		}
		if !isAbove(d.resource, endpoint) {
			t.Errorf("the token is for %q", d.resource)
		}
	})
}

// isAbove reports whether an address is the endpoint's or of a folder above it.
// Scheme and host may be written in any case (RFC 3986 section 6.2.2.1).
func isAbove(address, endpoint string) bool {
	scheme, rest, _ := strings.Cut(address, "://")
	host, path, _ := strings.Cut(rest, "/")
	plain := strings.ToLower(scheme+"://"+host) + "/" + path
	return strings.HasPrefix(endpoint+"/", strings.TrimSuffix(plain, "/")+"/")
}

// FuzzResponse: whatever comes to the redirect URI, or is pasted, gives a code only
// with our state and the right issuer (OAUTH A25 to A29), and no error repeats a code
// or reaches the terminal with control characters.
//
//oauth:row A25 auth/attempt.go `[]byte(a.State.Reveal())) == 1` => `[]byte(a.State.Reveal())) >= 0`
//oauth:row A27 auth/authorize.go `case !told && a.Server.IssRequired:` => `case false:`
//oauth:row A27 auth/authorize.go `iss[0] != a.Server.Issuer` => `false`
//oauth:row A28 auth/authorize.go `iss[0] != a.Server.Issuer` => `strings.TrimSuffix(iss[0], "/") != a.Server.Issuer`
func FuzzResponse(f *testing.F) {
	const state, issuer, code = "the-state-of-this-sign-in", "https://as.example", "a-code-of-this-sign-in"
	for _, q := range []string{
		"state=" + state + "&code=" + code, "state=" + state + "&code=" + code + "&iss=" + url.QueryEscape(issuer), "state=" + state + "&error=access_denied&error_description=%1b%5B31m",
		"state=" + state + "&state=x&code=" + code, "code=" + code, "state=" + state + "&code=" + code + "&code=2", "state=" + state + "&iss=&code=" + code,
		"state=" + state + "&code=" + code + "&error=x", "state=x&code=" + code, "state=" + state + "&code=" + code + "&iss=" + url.QueryEscape(issuer+"/"), "%zz", "state=" + state + ";code=" + code, "state=" + state + "&error=" + code,
	} {
		f.Add(q, false)
		f.Add(q, true)
	}
	f.Fuzz(func(t *testing.T, raw string, promised bool) {
		a := &Attempt{State: state, RedirectURI: loopback.RedirectURI(1234), Server: Server{Issuer: issuer, IssRequired: promised}}
		if pasted, err := a.pasted(a.RedirectURI + "?" + raw); err == nil {
			checkResponse(t, a, pasted, promised)
		} else if strings.Contains(toldOf(err), code) {
			t.Errorf("told: %q", toldOf(err))
		}
		if pasted, err := a.pasted(raw); err == nil {
			checkResponse(t, a, pasted, promised)
		}
		q, _ := url.ParseQuery(raw) // as the listener does
		checkResponse(t, a, q, promised)
	})
}

func checkResponse(t *testing.T, a *Attempt, q url.Values, promised bool) {
	t.Helper()
	if !a.accepts(q) {
		return
	}
	if len(q["state"]) != 1 || q.Get("state") != a.State.Reveal() {
		t.Errorf("accepted %v", q["state"])
	}
	code, err := a.code(q, "https://h.example/mcp")
	right := len(q["iss"]) == 0 && !promised || len(q["iss"]) == 1 && q.Get("iss") == a.Server.Issuer
	switch {
	case err == nil && (!right || q.Has("error") || code == "" || len(q["code"]) != 1):
		t.Errorf("a code out of %v", q)
	case err != nil && !speakable(toldOf(err)):
		t.Errorf("told: %q", toldOf(err))
	case err != nil && !right && q.Get("error_description") != "" && len(q.Get("error_description")) > 8 && strings.Contains(toldOf(err), q.Get("error_description")):
		t.Errorf("another server's words were shown: %q", toldOf(err))
	}
}

// FuzzAnswer: whatever the token, device authorization and registration endpoints
// say, what comes out can be used, and no error repeats what they said unclean or
// what we sent.
//
//oauth:row X19 auth/device.go `clean(without(form, a.Registration, res.Description))` => `without(form, a.Registration, res.Description)`
func FuzzAnswer(f *testing.F) {
	const sentCode = "a-code-that-we-sent"
	for _, s := range []string{
		`{"access_token":"a","token_type":"Bearer","expires_in":"3600","scope":"x"}`, `{"access_token":"a\r\nX: y"}`, `{"access_token":"a","token_type":"mac"}`,
		`{"error":"invalid_grant","error_description":"\u001b[31m a-code-that-we-sent"}`, `{"error":{}}`, `{"client_id":"c","client_secret":"s"}`, `{"client_id":"\u0000"}`,
		`{"device_code":"d","user_code":"A\u202e","verification_uri":"https://h.example/d","interval":-1,"expires_in":1e300}`, `{"device_code":"d","user_code":"A","verification_uri":"javascript:x"}`,
		`{"device_code":"d","user_code":"A","verification_uri":"https://h.example/d","verification_uri_complete":"https://h.example/d?\u0430"}`, `null`, `[]`, `<html>`,
	} {
		f.Add([]byte(s), 200)
		f.Add([]byte(s), 400)
	}
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		c := cannedClient(t, "https://h.example/mcp", &canned{other: body, status: 200 + int(uint(status)%400)})
		s := Server{Issuer: "https://as.example", TokenEndpoint: "https://as.example/t", RegistrationEndpoint: "https://as.example/r", DeviceEndpoint: "https://as.example/d"}
		res, err := c.tokenRequest(t.Context(), s, Registration{ClientID: "c"}, url.Values{"code": {sentCode}})
		checkTold(t, err)
		if err == nil && (res.AccessToken == "" || strings.ContainsFunc(res.AccessToken, func(r rune) bool { return r < '!' || r > '~' })) {
			t.Errorf("accepted the token %q", res.AccessToken)
		}
		if err != nil && strings.Contains(toldOf(err), sentCode) {
			t.Errorf("told: %q", toldOf(err))
		}
		_, err = c.register(t.Context(), s, loopback.RedirectURI(1234))
		checkTold(t, err)
		d, life, err := c.requestCode(t.Context(), &Attempt{Server: s})
		checkTold(t, err)
		if err == nil && (!safeURL(d.Page, false) || d.Link != "" && !safeURL(d.Link, false) || d.Code == "" || !speakable(d.Code) ||
			d.Secret == "" || d.Pause <= 0 || d.Pause > longestPause || life < 0) {
			t.Errorf("accepted %+v, %v", d, life)
		}
	})
}

func checkTold(t *testing.T, err error) {
	t.Helper()
	if err != nil && !speakable(toldOf(err)) {
		t.Errorf("told: %q", toldOf(err))
	}
}

// FuzzUnseal: a sealed file may be a stranger's, with a folder that a host's
// configuration names. What of its open sign-in is taken over leads to safe
// addresses only (OAUTH X17).
//
//oauth:row X17 auth/attempt.go `a.Device != nil && c.checkDevice(a.Device) != nil` => `false`
func FuzzUnseal(f *testing.F) {
	seed := func(a Attempt) {
		a.Registration.Dynamic = true
		b, err := (&Credential{Attempt: &a}).Seal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	s := Server{Issuer: payuAccounts, AuthorizationEndpoint: payuAccounts + "/a", TokenEndpoint: payuAccounts + "/t"}
	seed(Attempt{Server: s, Resource: PayUEndpoint, RedirectURI: loopback.RedirectURI(1234), State: "s"})
	seed(Attempt{Server: s, Resource: PayUEndpoint, RedirectURI: loopback.RedirectURI(1234), Device: &Device{UserCode{"https://accounts.payu.in/d", "", "A"}, "d", 1}})
	seed(Attempt{Server: s, Resource: PayUEndpoint, RedirectURI: loopback.RedirectURI(1234), Device: &Device{UserCode{"https://evil.example/d", "", "\x1b"}, "d", 1}})
	f.Add([]byte(`{"attempt":{"redirect_uri":"http://evil.example:1/callback"}}`))
	c := cannedClient(f, PayUEndpoint, &canned{})
	f.Fuzz(func(t *testing.T, b []byte) {
		cred, err := Unseal(b)
		if err != nil || cred.Attempt == nil || !c.fits(cred.Attempt, challenge{}) {
			return
		}
		address, err := cred.Attempt.address(false)
		if err == nil && !safeURL(address, true) && !strings.HasPrefix(address, loopback.RedirectURI(cred.Attempt.port())[:len("http://127.0.0.1:")]) {
			t.Errorf("leads to %q", address)
		}
		if d := cred.Attempt.Device; d != nil && (!safeURL(d.Page, true) || d.Link != "" && !safeURL(d.Link, true) || !speakable(d.Code)) {
			t.Errorf("shows %+v", d.UserCode)
		}
	})
}
