package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const wellKnown = "/.well-known/oauth-authorization-server"

func document(t *testing.T, sb *sandbox.Sandbox, at string) (map[string]any, int) {
	t.Helper()
	resp := newApp(t, sb).do(http.MethodGet, at, "", "")
	var doc map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&doc) // pages are no documents
	return doc, resp.StatusCode
}

func TestMetadata_defaults_payuShape(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	got, status := document(t, sb, sb.ResourceOrigin()+wellKnown)
	want := map[string]any{
		"issuer":                                sb.ResourceOrigin(),
		"authorization_endpoint":                sb.AccountsOrigin() + "/oauth/authorize",
		"token_endpoint":                        sb.AccountsOrigin() + "/oauth/token",
		"revocation_endpoint":                   sb.AccountsOrigin() + "/oauth/revoke",
		"registration_endpoint":                 sb.ResourceOrigin() + "/register",
		"response_types_supported":              []any{"code"},
		"grant_types_supported":                 []any{"authorization_code", "refresh_token"},
		"token_endpoint_auth_methods_supported": []any{"none", "client_secret_post", "client_secret_basic"},
		"code_challenge_methods_supported":      []any{"S256"},
	}
	if diff := cmp.Diff(want, got); diff != "" || status != http.StatusOK {
		t.Error(status, diff)
	}
	for _, absent := range []string{
		"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", wellKnown + "/mcp",
		"/.well-known/openid-configuration", "/.well-known/openid-configuration/mcp", "/mcp/.well-known/openid-configuration",
	} {
		if _, status := document(t, sb, sb.ResourceOrigin()+absent); status != http.StatusNotFound {
			t.Errorf("%s: %d", absent, status)
		}
	}
	if _, status := document(t, sb, sb.AccountsOrigin()+wellKnown); status != http.StatusNotFound {
		t.Error("accounts has metadata", status)
	}
}

func TestMetadata_knobs_showInDocument(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	const pkce, iss = "code_challenge_methods_supported", "authorization_response_iss_parameter_supported"
	for name, c := range map[string]struct {
		knobs  sandbox.MetadataKnobs
		member string
		want   any
	}{
		"issuer accounts": {sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts}, "issuer", sb.AccountsOrigin()},
		"issuer foreign":  {sandbox.MetadataKnobs{Issuer: sandbox.IssuerForeign}, "issuer", sb.ForeignURL()},
		"issuer slash":    {sandbox.MetadataKnobs{IssuerPath: "/"}, "issuer", sb.ResourceOrigin() + "/"},
		"pkce absent":     {sandbox.MetadataKnobs{PKCE: sandbox.PKCEAbsent}, pkce, nil},
		"pkce plain":      {sandbox.MetadataKnobs{PKCE: sandbox.PKCEPlain}, pkce, []any{"plain"}},
		"pkce empty":      {sandbox.MetadataKnobs{PKCE: sandbox.PKCEEmpty}, pkce, []any{}},
		"no registration": {sandbox.MetadataKnobs{NoRegistration: true}, "registration_endpoint", nil},
		"iss":             {sandbox.MetadataKnobs{IssParameter: true}, iss, true},
		"scopes":          {sandbox.MetadataKnobs{Scopes: []string{"a"}}, "scopes_supported", []any{"a"}},
		"replaced":        {sandbox.MetadataKnobs{Members: map[string]any{"token_endpoint": "file:///x"}}, "token_endpoint", "file:///x"},
		"removed":         {sandbox.MetadataKnobs{Members: map[string]any{"token_endpoint": nil}}, "token_endpoint", nil},
	} {
		sb.SetMetadata(c.knobs)
		got, _ := document(t, sb, sb.ResourceOrigin()+wellKnown)
		if diff := cmp.Diff(c.want, got[c.member]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMetadata_answers_asChosen(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	for answer, want := range map[sandbox.DocumentAnswer]int{
		sandbox.AnswerNotFound: http.StatusNotFound, sandbox.AnswerError: http.StatusInternalServerError, sandbox.AnswerHTML: http.StatusOK,
	} {
		sb.SetMetadata(sandbox.MetadataKnobs{Answer: answer})
		sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, Answer: answer})
		for _, at := range []string{wellKnown, "/.well-known/oauth-protected-resource"} {
			resp := newApp(t, sb).do(http.MethodGet, sb.ResourceOrigin()+at, "", "")
			if resp.StatusCode != want || strings.Contains(resp.Header.Get("Content-Type"), "json") {
				t.Errorf("answer %d at %s: %d %s", answer, at, resp.StatusCode, resp.Header.Get("Content-Type"))
			}
		}
	}
}

func TestMetadata_locations_asChosen(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	sb.SetMetadata(sandbox.MetadataKnobs{NoRoot: true, PathInserted: true, OpenID: true, AtAccounts: true, IssuerPath: "/tenant"})
	for _, origin := range []string{sb.ResourceOrigin(), sb.AccountsOrigin()} {
		for at, want := range map[string]int{
			wellKnown: 404, wellKnown + "/tenant": 200, "/.well-known/openid-configuration": 200,
			"/.well-known/openid-configuration/tenant": 200, "/tenant/.well-known/openid-configuration": 200,
		} {
			doc, status := document(t, sb, origin+at)
			if status != want || want == 200 && doc["issuer"] != sb.ResourceOrigin()+"/tenant" {
				t.Errorf("%s: %d %v", origin+at, status, doc["issuer"])
			}
		}
	}
}

func TestMetadata_payuNames_named(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{TLS: true, PayUNames: true})
	sb.SetMetadata(sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts})
	doc, _ := document(t, sb, sb.ResourceOrigin()+wellKnown)
	if doc["issuer"] != "https://accounts.payu.in" || doc["token_endpoint"] != "https://accounts.payu.in/oauth/token" ||
		doc["registration_endpoint"] != "https://api.payu.in/register" {
		t.Error(doc)
	}
}

func TestResourceMetadata_knobs_showInDocument(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	for form, want := range map[sandbox.ResourceForm]string{
		sandbox.ResourceEndpoint: sb.Endpoint(), sandbox.ResourceOrigin: sb.ResourceOrigin(),
		sandbox.ResourceSlash: sb.Endpoint() + "/", sandbox.ResourceElsewhere: sb.ForeignURL() + "/mcp",
	} {
		sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, Resource: form})
		for _, at := range []string{"", "/mcp"} {
			doc, _ := document(t, sb, sb.ResourceOrigin()+"/.well-known/oauth-protected-resource"+at)
			if doc["resource"] != want || !cmp.Equal(doc["authorization_servers"], []any{sb.ResourceOrigin()}) || doc["scopes_supported"] != nil {
				t.Errorf("form %d: %v", form, doc)
			}
		}
	}
	sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{"https://a", "https://b"}, Scopes: []string{"x", "y"}})
	doc, _ := document(t, sb, sb.ResourceOrigin()+"/.well-known/oauth-protected-resource")
	if !cmp.Equal(doc["authorization_servers"], []any{"https://a", "https://b"}) || !cmp.Equal(doc["scopes_supported"], []any{"x", "y"}) {
		t.Error(doc)
	}
}
