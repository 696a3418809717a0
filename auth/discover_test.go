package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Where the metadata may be, and what is sent as `resource` (OAUTH A2 to A7, A19).
func TestSignIn_metadataPlaces_found(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		metadata sandbox.MetadataKnobs
		resource sandbox.ResourceKnobs
		wantPath string // a document that must have been read
	}{
		"PayU's documents":        {wantPath: "/.well-known/oauth-authorization-server"},
		"resource metadata":       {resource: sandbox.ResourceKnobs{Present: true}, wantPath: "/.well-known/oauth-protected-resource/mcp"},
		"resource is the origin":  {resource: sandbox.ResourceKnobs{Present: true, Resource: sandbox.ResourceOrigin}},
		"resource with a slash":   {resource: sandbox.ResourceKnobs{Present: true, Resource: sandbox.ResourceSlash}},
		"OpenID only":             {metadata: sandbox.MetadataKnobs{NoRoot: true, OpenID: true}, wantPath: "/.well-known/openid-configuration"},
		"issuer with a path":      {metadata: sandbox.MetadataKnobs{NoRoot: true, IssuerPath: "/tenant", PathInserted: true}, resource: sandbox.ResourceKnobs{Present: true}, wantPath: "/.well-known/oauth-authorization-server/tenant"},
		"OpenID, path appended":   {metadata: sandbox.MetadataKnobs{NoRoot: true, IssuerPath: "/tenant", OpenID: true}, resource: sandbox.ResourceKnobs{Present: true}},
		"server at its own place": {metadata: sandbox.MetadataKnobs{NoRoot: false, Issuer: sandbox.IssuerAccounts, AtAccounts: true}, resource: sandbox.ResourceKnobs{Present: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.sb.SetMetadata(c.metadata)
			w.sb.SetResourceMetadata(c.resource)
			cred, err := w.signIn()
			if err != nil {
				t.Fatal(err)
			}
			w.lastPage()
			want := map[sandbox.ResourceForm]string{
				sandbox.ResourceEndpoint: w.sb.Endpoint(), sandbox.ResourceOrigin: w.sb.ResourceOrigin(), sandbox.ResourceSlash: w.sb.Endpoint() + "/",
			}[c.resource.Resource]
			if e := w.sb.Log().Find(sandbox.Query{Path: "/oauth/authorize"})[0]; cred.Resource != want || e.Form.Get("resource") != want {
				t.Errorf("resource = %q, sent %q, want %q", cred.Resource, e.Form.Get("resource"), want)
			}
			if c.wantPath != "" {
				w.wantCount(c.wantPath, sandbox.Query{Path: c.wantPath, Status: 200}, 1)
			}
		})
	}
}

// What must stop a sign-in before any browser opens.
//
//oauth:row A6 auth/server_meta.go "if got == want || (" => "if true || ("
//oauth:row X6 auth/server_meta.go "if got == want || (" => "if strings.TrimSuffix(got, \"/\") == want || ("
//oauth:row A18 auth/server_meta.go "case methods == nil && isPayU(c.cfg.Resource):" => "case methods == nil:"
//oauth:row X8 auth/server_meta.go "case slices.Contains(methods, \"S256\"):" => "case slices.Contains(methods, \"S256\"), slices.Contains(methods, \"plain\"):"
//oauth:row X8 auth/server_meta.go "case slices.Contains(methods, \"S256\"):" => "case methods != nil:"
func TestSignIn_badMetadata_refusedBeforeBrowser(t *testing.T) {
	t.Parallel()
	member := func(name string, v any) sandbox.MetadataKnobs {
		return sandbox.MetadataKnobs{Members: map[string]any{name: v}}
	}
	for name, c := range map[string]struct {
		metadata sandbox.MetadataKnobs
		resource sandbox.ResourceKnobs
		want     string
	}{
		"no document":             {metadata: sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound}, resource: sandbox.ResourceKnobs{Present: true}, want: "status 404"},
		"500":                     {metadata: sandbox.MetadataKnobs{Answer: sandbox.AnswerError}, want: "status 500"},
		"HTML":                    {metadata: sandbox.MetadataKnobs{Answer: sandbox.AnswerHTML}, want: "not JSON"},
		"PKCE plain only":         {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEPlain}, want: "S256"},
		"PKCE empty":              {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEEmpty}, want: "S256"},
		"PKCE absent":             {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEAbsent}, want: "S256"},
		"PKCE absent, OpenID":     {metadata: sandbox.MetadataKnobs{NoRoot: true, OpenID: true, PKCE: sandbox.PKCEAbsent}, want: "S256"},
		"issuer elsewhere":        {metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts}, want: "its issuer is"},
		"issuer with slash":       {metadata: sandbox.MetadataKnobs{IssuerPath: "/"}, want: "its issuer is"},
		"no token endpoint":       {metadata: member("token_endpoint", nil), want: "no token endpoint"},
		"javascript authorize":    {metadata: member("authorization_endpoint", "javascript:alert(1)"), want: "authorization endpoint is not safe"},
		"smb authorize":           {metadata: member("authorization_endpoint", "smb://localhost/x"), want: "authorization endpoint is not safe"},
		"http token":              {metadata: member("token_endpoint", "http://accounts.example/t"), want: "token endpoint is not safe"},
		"http revoke":             {metadata: member("revocation_endpoint", "http://accounts.example/r"), want: "revocation endpoint is not safe"},
		"file register":           {metadata: member("registration_endpoint", "file:///etc/passwd"), want: "registration endpoint is not safe"},
		"no registration":         {metadata: sandbox.MetadataKnobs{NoRegistration: true}, want: "offers no client registration"},
		"resource elsewhere":      {resource: sandbox.ResourceKnobs{Present: true, Resource: sandbox.ResourceElsewhere}, want: "protected resource metadata is for"},
		"issuer is no safe place": {resource: sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{"http://as.example"}}, want: "issuer is not safe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{}, soon)
			w.sb.SetMetadata(c.metadata)
			w.sb.SetResourceMetadata(c.resource)
			_, err := w.signIn()
			if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), c.want) || hint.Of(err) == "" {
				t.Errorf("err = %v, hint = %q, want %q", err, hint.Of(err), c.want)
			}
			if len(w.pages) != 0 || w.count(sandbox.Query{Path: "/oauth/authorize"}) != 0 {
				t.Error("a browser was opened")
			}
			if n := w.count(sandbox.Query{Role: sandbox.RoleForeign}); n != 0 {
				t.Errorf("the foreign listener saw %d requests", n)
			}
		})
	}
}

// RFC 9207: iss is missing where it is promised, or another server's, or not to
// the letter: no code is sent anywhere.
//
//oauth:row X5 auth/authorize.go "iss[0] != a.Server.Issuer" => "false"
//oauth:row X5 auth/authorize.go "case !told && a.Server.IssRequired:" => "case false:"
//oauth:row A27 auth/authorize.go "case !told && a.Server.IssRequired:" => "case false:"
//oauth:row A28 auth/authorize.go "iss[0] != a.Server.Issuer" => "strings.TrimSuffix(iss[0], \"/\") != a.Server.Issuer"
func TestSignIn_iss_table(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		advertised bool
		iss        sandbox.Iss
		ok         bool
	}{
		"advertised and right":      {true, sandbox.IssRight, true},
		"advertised and missing":    {true, sandbox.IssMissing, false},
		"advertised and wrong":      {true, sandbox.IssWrong, false},
		"advertised and normalized": {true, sandbox.IssSlash, false},
		"unadvertised and absent":   {false, sandbox.IssMissing, true},
		"unadvertised and right":    {false, sandbox.IssRight, true},
		"unadvertised and wrong":    {false, sandbox.IssWrong, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.sb.Change(func(k *sandbox.Knobs) { k.Metadata.IssParameter, k.Login.Iss = c.advertised, c.iss })
			_, err := w.signIn()
			if (err == nil) != c.ok {
				t.Errorf("err = %v", err)
			}
			w.lastPage()
			if !c.ok {
				w.wantCount("codes sent", sandbox.Query{Path: "/oauth/token"}, 0)
			}
		})
	}
}

// A callback with another state, or none, is refused and the sign-in goes on
// (OAUTH A25, X10).
func TestSignIn_wrongState_refusedUntilTimeLimit(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]sandbox.Outcome{"wrong": sandbox.OutcomeWrongState, "missing": sandbox.OutcomeMissingState} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{}, func(c *auth.Config) { c.SignInLimit = 500 * time.Millisecond })
			w.sb.SetOutcome(outcome)
			if _, err := w.signIn(); !errors.Is(err, auth.ErrTimeout) {
				t.Errorf("err = %v", err)
			}
			if page := w.lastPage(); page.Status != 400 || !strings.Contains(page.Body, "not the open sign-in") {
				t.Errorf("page = %d %s", page.Status, page.Body)
			}
			w.wantCount("codes sent", sandbox.Query{Path: "/oauth/token"}, 0)
		})
	}
}

// PayU's shape on its own names: the pin, the issuer pair, the missing list
// (OAUTH Y1 to Y4).
func TestSignIn_payuNames_pinHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		metadata sandbox.MetadataKnobs
		resource sandbox.ResourceKnobs
		want     string // "" means that it works
	}{
		"as documented":      {},
		"issuer is accounts": {metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts}},
		"no PKCE list":       {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEAbsent}},
		"PKCE plain":         {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEPlain}, want: "S256"},
		"issuer foreign":     {metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerForeign}, want: "its issuer is"},
		"servers elsewhere":  {resource: sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{"https://evil.example"}}, want: "not PayU's"},
		"token elsewhere":    {metadata: sandbox.MetadataKnobs{Members: map[string]any{"token_endpoint": "https://accounts.payu.in.evil.example/t"}}, want: "not an address of payu.in"},
		"authorize on http":  {metadata: sandbox.MetadataKnobs{Members: map[string]any{"authorization_endpoint": "http://127.0.0.1:1/a"}}, want: "authorization endpoint is not safe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{TLS: true, PayUNames: true})
			w.sb.SetMetadata(c.metadata)
			w.sb.SetResourceMetadata(c.resource)
			cred, err := w.signIn()
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if w.lastPage(); cred.Resource != auth.PayUEndpoint || cred.Server.PKCEUnlisted != (c.metadata.PKCE == sandbox.PKCEAbsent) {
					t.Errorf("credential = %+v", cred.Summary())
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(hint.Of(err), "ai-solutions@payu.in") {
				t.Errorf("err = %v, hint = %q, want %q", err, hint.Of(err), c.want)
			}
			if slices.ContainsFunc(w.sb.Log().Entries(), func(e sandbox.Entry) bool { return e.Path == "/oauth/authorize" }) {
				t.Error("a browser was opened")
			}
		})
	}
}
