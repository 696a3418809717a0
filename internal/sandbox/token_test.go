package sandbox_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// P2, P3 and P8 by hand: metadata at the resource, sign-in elsewhere, PayU's
// response.
func TestToken_documentedWay_payuResponse(t *testing.T) {
	t.Parallel()
	c := newClock()
	sb := start(t, sandbox.Options{Now: c.now})
	got := newApp(t, sb).signIn()
	hex64 := regexp.MustCompile(`^[0-9a-f]{64}$`)
	if !hex64.MatchString(got.Access) || !hex64.MatchString(got.Refresh) || got.Type != "Bearer" || got.Expires == nil || *got.Expires != 7199 ||
		got.Created != c.now().Unix() || !strings.Contains(got.Scope, "read_transactions") || got.User == "" {
		t.Errorf("%+v", got)
	}
	for _, v := range []string{got.Access, got.Refresh, verifier} {
		if !slices.Contains(sb.Secrets(), v) {
			t.Error("a secret is missing in the list")
		}
	}
}

func TestToken_badExchange_refused(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	for name, c := range map[string]struct {
		change url.Values
		status int
		code   string
	}{
		"wrong verifier":    {url.Values{"code_verifier": {strings.Repeat("x", 43)}}, 400, "invalid_grant"},
		"no verifier":       {url.Values{"code_verifier": nil}, 400, "invalid_grant"},
		"unknown code":      {url.Values{"code": {"nothing"}}, 400, "invalid_grant"},
		"foreign resource":  {url.Values{"resource": {"https://elsewhere.example/mcp"}}, 400, "invalid_target"},
		"other resource":    {url.Values{"resource": {sb.ResourceOrigin()}}, 400, "invalid_grant"},
		"other redirect":    {url.Values{"redirect_uri": {redirect + "x"}}, 400, "invalid_grant"},
		"no redirect":       {url.Values{"redirect_uri": nil}, 401, "invalid_request"},
		"unknown grant":     {url.Values{"grant_type": {"password"}}, 400, "unsupported_grant_type"},
		"secret of nobody":  {url.Values{"client_secret": {"x"}}, 401, "invalid_client"},
		"refresh of nobody": {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, 400, "invalid_grant"},
	} {
		a := newApp(t, sb)
		q, _ := a.authorize(nil)
		form := codeForm(q.Get("code"))
		maps.Copy(form, c.change)
		if got := a.token(form); got.status != c.status || got.Error != c.code || got.Description == "" || got.Access != "" {
			t.Errorf("%s: %d %s", name, got.status, got.Error)
		}
	}
}

func TestToken_codeUsedTwice_revokesFirst(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	q, _ := a.authorize(nil)
	first := a.exchange(q.Get("code"))
	h := &host{t: t, sb: sb, http: a.http, token: first.Access}
	if resp := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	if again := a.exchange(q.Get("code")); again.Error != "invalid_grant" {
		t.Error(again.Error)
	}
	if resp := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); resp.StatusCode != http.StatusUnauthorized {
		t.Error(resp.Status)
	}
}

func TestToken_codeTooOld_refused(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := newApp(t, start(t, sandbox.Options{Now: c.now}))
	q, _ := a.authorize(nil)
	c.pass(61 * time.Second)
	if got := a.exchange(q.Get("code")); got.Error != "invalid_grant" {
		t.Error(got)
	}
}

func TestToken_otherClientsCode_refused(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	q, _ := a.authorize(nil)
	sb.AddClient(sandbox.Client{ID: "other", RedirectURIs: []string{redirect}})
	a.id = "other"
	if got := a.exchange(q.Get("code")); got.Error != "invalid_grant" {
		t.Error(got)
	}
}

func TestToken_responseKnobs_show(t *testing.T) {
	t.Parallel()
	c := newClock()
	sb := start(t, sandbox.Options{Now: c.now})
	a := newApp(t, sb)
	sb.SetAccessTokenLife(2 * time.Second)
	if got := a.signIn(); *got.Expires != 2 {
		t.Error(*got.Expires)
	}
	sb.Change(func(k *sandbox.Knobs) {
		k.Token = sandbox.TokenKnobs{OmitExpiresIn: true, Scope: sandbox.ScopeAbsent, Digits: 64 << 10}
	})
	if got := a.signIn(); got.Expires != nil || got.Scope != "" || len(got.Access) != 64<<10 {
		t.Errorf("%v %q %d", got.Expires, got.Scope, len(got.Access))
	}
	sb.Change(func(k *sandbox.Knobs) { k.Token = sandbox.TokenKnobs{Scope: sandbox.ScopeNarrowed} })
	if got := a.signIn(); got.Scope != "read_transactions" {
		t.Error(got.Scope)
	}
}

func TestRefresh_rotations_asNamed(t *testing.T) {
	t.Parallel()
	type step struct{ use, want int } // which refresh token, and how it ends
	const ok, refused = http.StatusOK, http.StatusBadRequest
	for name, c := range map[string]struct {
		knobs sandbox.TokenKnobs
		first bool
		steps []step // token n is what the n-th answer gave
	}{
		"strict":  {sandbox.TokenKnobs{}, true, []step{{0, ok}, {1, ok}, {0, refused}, {2, refused}}},
		"grace":   {sandbox.TokenKnobs{Rotation: sandbox.RotateGrace, Grace: time.Minute}, true, []step{{0, ok}, {0, ok}, {1, ok}}},
		"too old": {sandbox.TokenKnobs{Rotation: sandbox.RotateGrace}, true, []step{{0, ok}, {0, refused}, {1, refused}}},
		"static":  {sandbox.TokenKnobs{Rotation: sandbox.RotateStatic}, true, []step{{0, ok}, {0, ok}, {1, ok}}},
		"omits":   {sandbox.TokenKnobs{Rotation: sandbox.RotateOmits}, true, []step{{0, ok}, {0, ok}, {1, refused}, {0, ok}}},
		"door":    {sandbox.TokenKnobs{Rotation: sandbox.RotateDoorkeeper}, true, []step{{0, ok}, {0, ok}, {1, ok}, {2, ok}}},
		"never":   {sandbox.TokenKnobs{Rotation: sandbox.RotateNever}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := newClock()
			sb := start(t, sandbox.Options{Now: now.now, Knobs: sandbox.Knobs{Token: c.knobs}})
			a := newApp(t, sb)
			all := []string{a.signIn().Refresh}
			if (all[0] != "") != c.first {
				t.Fatal("refresh token issued:", !c.first)
			}
			for i, s := range c.steps {
				now.pass(time.Second)
				got := a.refresh(all[s.use])
				if got.status != s.want {
					t.Errorf("step %d: %d", i, got.status)
				}
				all = append(all, got.Refresh)
			}
		})
	}
}

func TestRefresh_doorkeeper_oldDiesAtFirstUse(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	sb.SetRotation(sandbox.RotateDoorkeeper)
	a := newApp(t, sb)
	old := a.signIn().Refresh
	fresh := a.refresh(old)
	if got := a.refresh(old); got.status != http.StatusOK {
		t.Error("the old token died before the new access token was used")
	}
	(&host{t: t, sb: sb, http: a.http, token: fresh.Access}).ask("ping", "{}")
	if got := a.refresh(old); got.Error != "invalid_grant" {
		t.Error("the old token lives")
	}
	if got := a.refresh(fresh.Refresh); got.status != http.StatusOK {
		t.Error("the grant died")
	}
	if n := sb.Log().RefreshCollisions(); n != 2 {
		t.Errorf("%d collisions, want 2", n)
	}
}

func TestRefresh_resource_asDemanded(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{Token: sandbox.TokenKnobs{RequireResource: true, Rotation: sandbox.RotateStatic}}})
	a := newApp(t, sb)
	old := a.signIn().Refresh
	if got := a.refresh(old); got.Error != "invalid_target" {
		t.Error(got)
	}
	with := func() tokens {
		return a.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old}, "resource": {sb.Endpoint()}})
	}
	if got := with(); got.status != http.StatusOK {
		t.Error(got)
	}
	sb.Change(func(k *sandbox.Knobs) {
		k.Token = sandbox.TokenKnobs{RefuseResource: true, Rotation: sandbox.RotateStatic}
	})
	if got := with(); got.Error != "invalid_target" {
		t.Error(got)
	}
	if got := a.refresh(old); got.status != http.StatusOK {
		t.Error(got)
	}
}

func TestClient_authentication_asRegistered(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	const secret = "a secret/with+signs%"
	sb.AddClient(sandbox.Client{ID: "post", Secret: secret, RedirectURIs: []string{redirect}})
	sb.AddClient(sandbox.Client{ID: "basic", Secret: secret, AuthMethod: "client_secret_basic", RedirectURIs: []string{redirect}})
	for _, c := range []struct {
		id, secret string
		basic      bool
		status     int
	}{
		{"post", secret, false, 200},
		{"post", "wrong", false, 401},
		{"post", "", false, 401},
		{"post", secret, true, 401},
		{"basic", secret, true, 200},
		{"basic", secret, false, 401},
		{"nobody", "", false, 401},
	} {
		a := newApp(t, sb)
		a.id = c.id
		q, _ := a.authorize(nil)
		a.secret, a.basic = c.secret, c.basic
		if c.basic {
			a.secret = url.QueryEscape(c.secret)
		}
		if got := a.exchange(q.Get("code")); got.status != c.status || c.status == 401 && got.Error != "invalid_client" {
			t.Errorf("%+v: %d %s", c, got.status, got.Error)
		}
	}
}

func TestClient_wrongAuthentication_burnsCodeByKnob(t *testing.T) {
	t.Parallel()
	for _, burn := range []bool{false, true} {
		sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{Client: sandbox.ClientKnobs{BurnCodeOnAuthFailure: burn}}})
		a := newApp(t, sb)
		q, _ := a.authorize(nil)
		a.secret = "wrong"
		a.exchange(q.Get("code"))
		a.secret = ""
		if got := a.exchange(q.Get("code")); (got.status == http.StatusOK) == burn {
			t.Errorf("burn %t: %d", burn, got.status)
		}
	}
}

func TestRevoke_eitherToken_endsGrant(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	for _, which := range []func(tokens) string{
		func(g tokens) string { return g.Access },
		func(g tokens) string { return g.Refresh },
	} {
		got := a.signIn()
		resp := a.do(http.MethodPost, sb.AccountsOrigin()+"/oauth/revoke", "application/x-www-form-urlencoded", url.Values{"token": {which(got)}}.Encode())
		if resp.StatusCode != http.StatusOK {
			t.Error(resp.Status)
		}
		if r := a.refresh(got.Refresh); r.Error != "invalid_grant" {
			t.Error("the refresh token lives")
		}
		h := &host{t: t, sb: sb, http: a.http, token: got.Access}
		if resp := h.send(http.MethodPost, "{}"); resp.StatusCode != http.StatusUnauthorized {
			t.Error("the access token lives")
		}
	}
	resp := a.do(http.MethodPost, sb.AccountsOrigin()+"/oauth/revoke", "application/x-www-form-urlencoded", "token=unknown")
	if resp.StatusCode != http.StatusOK {
		t.Error("unknown token:", resp.Status)
	}
}

func TestRegister_answers_asKnobsSay(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	const ask = `{"redirect_uris":["http://127.0.0.1:7/cb"],"client_name":"N","application_type":"native","token_endpoint_auth_method":%q,` +
		`"grant_types":["authorization_code","refresh_token"]}`
	register := func(body string) (map[string]any, int) {
		resp := newApp(t, sb).do(http.MethodPost, sb.ResourceOrigin()+"/register", "application/json", body)
		var got map[string]any
		_ = json.NewDecoder(resp.Body).Decode(&got) // 404 has no document
		return got, resp.StatusCode
	}
	got, status := register(fmt.Sprintf(ask, "none"))
	if status != http.StatusCreated || got["client_id"] == "" || got["client_secret"] != nil || got["token_endpoint_auth_method"] != "none" {
		t.Error(status, got)
	}
	last := sb.Clients()[len(sb.Clients())-1]
	want := sandbox.Client{
		ID: got["client_id"].(string), AuthMethod: "none", RedirectURIs: []string{"http://127.0.0.1:7/cb"}, Name: "N",
		ApplicationType: "native", GrantTypes: []string{"authorization_code", "refresh_token"},
	}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Error(diff)
	}
	sb.Change(func(k *sandbox.Knobs) { k.Client = sandbox.ClientKnobs{IssueSecret: true, OmitAuthMethod: true} })
	got, _ = register(fmt.Sprintf(ask, "none"))
	if secret, _ := got["client_secret"].(string); len(secret) != 64 || !slices.Contains(sb.Secrets(), secret) || got["token_endpoint_auth_method"] != nil {
		t.Error("secret by knob", status, got["token_endpoint_auth_method"])
	}
	sb.Change(func(k *sandbox.Knobs) {
		k.Client = sandbox.ClientKnobs{Redirect: sandbox.RedirectRefusesIP, RefuseRedirects: true}
	})
	if got, status = register(fmt.Sprintf(ask, "none")); status != http.StatusBadRequest || got["error"] != "invalid_redirect_uri" {
		t.Error(status, got)
	}
	if got, status = register("{"); status != http.StatusBadRequest || got["error"] != "invalid_client_metadata" {
		t.Error(status, got)
	}
	sb.Change(func(k *sandbox.Knobs) { k.Client = sandbox.ClientKnobs{RegistrationOff: true} })
	if _, status = register(fmt.Sprintf(ask, "none")); status != http.StatusNotFound {
		t.Error(status)
	}
	if n := sb.Log().Count(sandbox.Query{Path: "/register", Status: http.StatusCreated}); n != 2 {
		t.Errorf("%d registrations in the log", n)
	}
}

func TestPurgeClients_laterCalls_invalidClient(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	got := a.signIn()
	sb.PurgeClients()
	if r := a.refresh(got.Refresh); r.Error != "invalid_client" || r.status != http.StatusUnauthorized {
		t.Error(r)
	}
	if q, status := a.authorize(nil); q != nil || status != http.StatusBadRequest {
		t.Error("a dead client is redirected", status)
	}
}
