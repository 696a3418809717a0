package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestAuthorize_badRequest_refusedOrRedirected(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	for name, c := range map[string]struct {
		change url.Values
		want   string // the error code, or "" for a page
	}{
		"unknown client":   {url.Values{"client_id": {"nobody"}}, ""},
		"other redirect":   {url.Values{"redirect_uri": {"http://127.0.0.1:9/callback"}}, ""},
		"no code":          {url.Values{"response_type": {"token"}}, "unsupported_response_type"},
		"plain":            {url.Values{"code_challenge_method": {"plain"}}, "invalid_request"},
		"no challenge":     {url.Values{"code_challenge": nil}, "invalid_request"},
		"foreign resource": {url.Values{"resource": {"https://elsewhere.example/mcp"}}, "invalid_target"},
	} {
		q, status := a.authorize(c.change)
		if c.want == "" && (q != nil || status != http.StatusBadRequest) || c.want != "" && (q.Get("error") != c.want || q.Get("state") != "the-state") {
			t.Errorf("%s: %d %v", name, status, q)
		}
	}
}

func TestAuthorize_outcomes_asChosen(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	right := sb.ResourceOrigin()
	for name, c := range map[string]struct {
		login          sandbox.LoginKnobs
		meta           sandbox.MetadataKnobs
		fault, st, iss string
	}{
		"allow":         {st: "the-state"},
		"deny":          {login: sandbox.LoginKnobs{Outcome: sandbox.OutcomeDeny}, fault: "access_denied", st: "the-state"},
		"wrong state":   {login: sandbox.LoginKnobs{Outcome: sandbox.OutcomeWrongState}, st: "not-the-state"},
		"missing state": {login: sandbox.LoginKnobs{Outcome: sandbox.OutcomeMissingState}},
		"invalid scope": {login: sandbox.LoginKnobs{Outcome: sandbox.OutcomeInvalidScope}, fault: "invalid_scope", st: "the-state"},
		"advertised":    {meta: sandbox.MetadataKnobs{IssParameter: true}, st: "the-state", iss: right},
		"accounts":      {meta: sandbox.MetadataKnobs{IssParameter: true, Issuer: sandbox.IssuerAccounts}, st: "the-state", iss: sb.AccountsOrigin()},
		"denied, iss":   {login: sandbox.LoginKnobs{Outcome: sandbox.OutcomeDeny}, meta: sandbox.MetadataKnobs{IssParameter: true}, fault: "access_denied", st: "the-state", iss: right},
		"iss missing":   {login: sandbox.LoginKnobs{Iss: sandbox.IssMissing}, meta: sandbox.MetadataKnobs{IssParameter: true}, st: "the-state"},
		"unadvertised":  {login: sandbox.LoginKnobs{Iss: sandbox.IssRight}, st: "the-state", iss: right},
		"iss wrong":     {login: sandbox.LoginKnobs{Iss: sandbox.IssWrong}, st: "the-state", iss: sb.ForeignURL()},
		"iss slash":     {login: sandbox.LoginKnobs{Iss: sandbox.IssSlash}, st: "the-state", iss: right + "/"},
		"not enabled":   {login: sandbox.LoginKnobs{Headless: "C"}, fault: "access_denied", st: "the-state"},
	} {
		if c.login.Headless == "" {
			c.login.Headless = "A"
		}
		sb.Change(func(k *sandbox.Knobs) { k.Login, k.Metadata = c.login, c.meta })
		q, status := a.authorize(nil)
		if status != http.StatusFound || q.Get("error") != c.fault || q.Get("state") != c.st || q.Get("iss") != c.iss || q.Has("code") == (c.fault != "") {
			t.Errorf("%s: %d %v", name, status, q)
		}
	}
	sb.SetOutcome(sandbox.OutcomeAsChosen)
	sb.SetHeadless("C")
	if q, _ := a.authorize(nil); q.Get("error_description") != "MCP is not enabled for this account" {
		t.Error(q)
	}
	sb.Change(func(k *sandbox.Knobs) { k.Login.NotEnabledPage = true })
	if q, status := a.authorize(nil); q != nil || status != http.StatusBadRequest {
		t.Error("no page:", status, q)
	}
}

func TestAuthorize_redirectRules_asNamed(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	const ip, ip6, name, web = "http://127.0.0.1:5000/cb", "http://[::1]:5000/cb", "http://localhost:5000/cb", "https://app.example/cb"
	sb.AddClient(sandbox.Client{ID: "many", RedirectURIs: []string{ip, ip6, name, web}})
	a := newApp(t, sb)
	for rule, accepted := range map[sandbox.RedirectRule]map[string]bool{
		sandbox.RedirectExact:            {ip: true, ip6: true, name: true, web: true, "http://127.0.0.1:5001/cb": false, "": false},
		sandbox.RedirectAnyPort:          {ip: true, "http://127.0.0.1:5001/cb": true, "http://[::1]:1/cb": true, "http://localhost:5001/cb": false, "http://127.0.0.1:5001/other": false, "http://127.0.0.2:5000/cb": false},
		sandbox.RedirectRefusesLocalhost: {ip: true, name: false},
		sandbox.RedirectRefusesIP:        {ip: false, ip6: false, name: true},
		sandbox.RedirectRefusesLoopback:  {ip: false, ip6: false, name: false, web: true},
	} {
		sb.Change(func(k *sandbox.Knobs) { k.Client.Redirect = rule })
		for uri, want := range accepted {
			if q, _ := a.authorize(url.Values{"client_id": {"many"}, "redirect_uri": {uri}}); q.Has("code") != want {
				t.Errorf("rule %d, %q: accepted %t", rule, uri, q.Has("code"))
			}
		}
	}
}

func TestAuthorize_scope_echoedInToken(t *testing.T) {
	t.Parallel()
	a := newApp(t, start(t, sandbox.Options{}))
	q, _ := a.authorize(url.Values{"scope": {"read_refunds x"}})
	if got := a.exchange(q.Get("code")); got.Scope != "read_refunds x" {
		t.Error(got.Scope)
	}
}

// landing is the page behind the redirect URI.
func landing(t *testing.T, a *app) (redirectURI string, callbacks chan url.Values) {
	t.Helper()
	callbacks = make(chan url.Values, 4)
	sb := a.sb
	mux := http.NewServeMux()
	mux.HandleFunc("/start", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "flow", Value: "1", Path: "/"})
		http.Redirect(w, r, a.authorizeURL(url.Values{"redirect_uri": {"http://" + r.Host + "/callback"}}), http.StatusFound)
	})
	looks := 0
	mux.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("flow"); err != nil {
			t.Error("the cookie is lost")
		}
		callbacks <- r.URL.Query()
		http.Redirect(w, r, "/done", http.StatusSeeOther)
	})
	mux.HandleFunc("/done", func(w http.ResponseWriter, _ *http.Request) {
		if looks++; looks == 1 {
			w.Header().Set("Refresh", "0")
		}
		w.Write([]byte("<title>Done</title>"))
	})
	at := serve(t, mux)
	sb.AddClient(sandbox.Client{ID: "landing", Name: "Some <app>", RedirectURIs: []string{at + "/callback"}})
	a.id = "landing"
	return at, callbacks
}

func TestVisitor_wholeWay_endsAtLastPage(t *testing.T) {
	t.Parallel()
	for _, o := range []sandbox.Options{{}, {TLS: true, HTTP2: true}, {OnePort: true}} {
		sb := start(t, o)
		a := newApp(t, sb)
		at, callbacks := landing(t, a)
		for _, v := range []sandbox.Visitor{{}, {User: "A", Deny: true}, {User: "C"}} {
			v.Client = sb.HTTPClient()
			p, err := v.Visit(limit(t), at+"/start")
			if err != nil || p.URL != at+"/done" || p.Status != http.StatusOK || !strings.Contains(p.Body, "Done") {
				t.Fatal(p, err)
			}
			q := <-callbacks
			if denied := v.Deny || v.User == "C"; q.Has("code") == denied || denied != (q.Get("error") == "access_denied") || q.Get("state") != "the-state" {
				t.Errorf("%+v: %v", v, q)
			}
		}
	}
}

func TestVisitor_wrongPassphrase_staysAndSaysSo(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	at, _ := landing(t, a)
	p, err := sandbox.Visitor{Client: sb.HTTPClient(), Passphrase: "guess"}.Visit(limit(t), at+"/start")
	if err != nil || p.Status != http.StatusUnauthorized || !strings.Contains(p.Body, "passphrase is not right") || strings.Contains(p.URL, "?") {
		t.Error(p.Status, p.URL, err)
	}
}

func TestVisitor_callbackGone_errorWithoutCode(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	sb.AddClient(sandbox.Client{ID: "gone", RedirectURIs: []string{"http://127.0.0.1:1/callback"}})
	_, err := sandbox.Visitor{Client: sb.HTTPClient()}.Visit(limit(t), a.authorizeURL(url.Values{"client_id": {"gone"}, "redirect_uri": {"http://127.0.0.1:1/callback"}}))
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Fatal(err)
	}
	for _, s := range append(sb.Secrets(), "the-state") {
		if strings.Contains(err.Error(), s) {
			t.Error("the error tells a secret")
		}
	}
}

func TestPages_oldForms_refusedOnce(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	resp := a.do(http.MethodGet, a.authorizeURL(nil), "", "")
	page := read(t, resp)
	for _, want := range []string{`<html lang="en">`, `<label for="user">`, `<label for="passphrase">`, "width=device-width", "<title>Sign in"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(page, "<script") || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("script, or no policy")
	}
	_, rest, _ := strings.Cut(page, `name="request" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	post := func(path string, v url.Values) *http.Response {
		v.Set("request", id)
		return a.do(http.MethodPost, sb.AccountsOrigin()+path, "application/x-www-form-urlencoded", v.Encode())
	}
	if resp := post("/oauth/consent", url.Values{"decision": {"allow"}}); resp.StatusCode != http.StatusBadRequest {
		t.Error("consent without a sign-in:", resp.Status)
	}
	if resp := post("/oauth/sign-in", url.Values{"user": {"Z"}, "passphrase": {sandbox.Passphrase}}); resp.StatusCode != http.StatusUnauthorized {
		t.Error("unknown user:", resp.Status)
	}
	resp = post("/oauth/sign-in", url.Values{"user": {"A"}, "passphrase": {sandbox.Passphrase}})
	next, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	consent := read(t, a.do(http.MethodGet, next.String(), "", ""))
	for _, want := range []string{"Transaction Access", "Refund Operations", "Settlement Information", "Report Generation", ">Allow<", ">Deny<", "127.0.0.1:51234"} {
		if !strings.Contains(consent, want) {
			t.Errorf("the consent page has no %s", want)
		}
	}
	for _, want := range []int{http.StatusFound, http.StatusBadRequest} {
		if resp := post("/oauth/consent", url.Values{"decision": {"allow"}}); resp.StatusCode != want {
			t.Errorf("%s, want %d", resp.Status, want)
		}
	}
}
