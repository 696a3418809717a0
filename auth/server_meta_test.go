package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const placeOfOurs = "/.well-known/oauth-authorization-server/named-by-the-user"

// The metadata is read where the user says, and nowhere else; it is believed as
// far as the resource names its issuer, or it lies at its issuer's origin.
//
//oauth:row A6 auth/server_meta.go "err = c.checkNamed(meta.Issuer, named)" => "_ = named"
//oauth:row A6 auth/server_meta.go "err = c.checkOrigin(meta.Issuer, at)" => "_ = at"
func TestSignIn_serverMetadataNamed_readThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		metadata sandbox.MetadataKnobs
		resource sandbox.ResourceKnobs
		want     string // "": it works
	}{
		"issuer is the origin":        {},
		"issuer there, with a path":   {metadata: sandbox.MetadataKnobs{IssuerPath: "/tenant"}},
		"issuer named by resource":    {metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts}, resource: sandbox.ResourceKnobs{Present: true}},
		"issuer elsewhere":            {metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts}, want: "its issuer is"},
		"issuer is none":              {metadata: sandbox.MetadataKnobs{Members: map[string]any{"issuer": "tenant"}}, want: "its issuer is not safe"},
		"resource names another":      {resource: sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{"https://as.example"}}, want: "its issuer is"},
		"resource names it otherwise": {metadata: sandbox.MetadataKnobs{IssuerPath: "/"}, resource: sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{"http://127.0.0.1:1"}}, want: "its issuer is"},
		"no PKCE":                     {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEAbsent}, want: "S256"},
		"nothing there":               {metadata: sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound}, want: "status 404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{}, soon)
			w.client = w.newClient(soon, func(cfg *auth.Config) { cfg.ServerMetadataURL = w.sb.ResourceOrigin() + placeOfOurs })
			c.metadata.PathInserted = true
			w.sb.SetMetadata(c.metadata)
			w.sb.SetResourceMetadata(c.resource)
			cred, err := w.signIn()
			w.wantCount("well-known places", sandbox.Query{Path: "/.well-known/oauth-authorization-server"}, 0)
			w.wantCount("reads", sandbox.Query{Path: placeOfOurs}, 1)
			if c.want == "" {
				if err != nil || cred.Server.MetadataURL != w.sb.ResourceOrigin()+placeOfOurs {
					t.Errorf("err = %v", err)
				}
				return
			}
			if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), c.want) || hint.Of(err) == "" {
				t.Errorf("err = %v, hint %q, want %q", err, hint.Of(err), c.want)
			}
			w.wantCount("authorizations", sandbox.Query{Path: "/oauth/authorize"}, 0)
		})
	}
}

// PayU's pin holds for a place that the user names (OAUTH Y1, Y2, Y5).
func TestSignIn_serverMetadataNamedForPayU_pinHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		place    string
		metadata sandbox.MetadataKnobs
		want     string
	}{
		"issuer api":         {place: "https://api.payu.in" + placeOfOurs},
		"issuer accounts":    {place: "https://api.payu.in" + placeOfOurs, metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts}},
		"at accounts":        {place: "https://accounts.payu.in" + placeOfOurs, metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerAccounts}},
		"accounts names api": {place: "https://accounts.payu.in" + placeOfOurs, want: "its issuer is"},
		"issuer foreign":     {place: "https://api.payu.in" + placeOfOurs, metadata: sandbox.MetadataKnobs{Members: map[string]any{"issuer": "https://api.payu.in/other"}}, want: "not PayU's"},
		"place foreign":      {place: "https://payu.in.evil.example/metadata", want: "not an address of payu.in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{TLS: true, PayUNames: true}, soon, func(cfg *auth.Config) { cfg.ServerMetadataURL = c.place })
			c.metadata.PathInserted, c.metadata.AtAccounts = true, true
			w.sb.SetMetadata(c.metadata)
			_, err := w.signIn()
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}

// An issuer is a URL without query and fragment (RFC 8414 section 2).
//
//oauth:row A5 auth/server_meta.go "strings.ContainsAny(issuer, \"?#\")" => "false"
func TestSignIn_issuerWithQuery_refused(t *testing.T) {
	t.Parallel()
	for _, tail := range []string{"?a=b", "#f", "?"} {
		w := newWorld(t, sandbox.Options{}, soon)
		w.sb.SetMetadata(sandbox.MetadataKnobs{IssuerPath: tail})
		w.sb.SetResourceMetadata(sandbox.ResourceKnobs{Present: true})
		if _, err := w.signIn(); !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "query or a fragment") {
			t.Errorf("%s: err = %v", tail, err)
		}
	}
}

// What is taken from the settings is judged before anything is sent.
//
//oauth:row A10 auth/config_check.go "documentErr = checkClientDocument(cfg.ClientMetadataURL)" => "_ = checkClientDocument"
func TestNew_addressesInSettings_checked(t *testing.T) {
	t.Parallel()
	const document, metadata, resource = "--client-metadata-url", "--auth-server-metadata-url", "--resource"
	for _, c := range []struct{ option, value string }{
		{document, "http://app.example/client.json"},
		{document, "http://127.0.0.1/client.json"},
		{document, "https://app.example"},
		{document, "https://app.example/"},
		{document, "https://app.example/a/../client.json"},
		{document, "https://app.example/./client.json"},
		{document, "https://app.example/%2e%2E/client.json"},
		{document, "https://app.example/.."},
		{document, "https://app.example/client.json#f"},
		{document, "https://app.example/client.json#"},
		{document, "https://me@app.example/client.json"},
		{document, "app.example/client.json"},
		{document, "javascript:alert(1)"},
		{document, "https://app.example/a b"},
		{document, "https:///client.json"},
		{metadata, "http://as.example/m"},
		{metadata, "http://127.0.0.1/m"},
		{metadata, "file:///m"},
		{metadata, "as.example/m"},
		{resource, "as.example"},
		{resource, "https://as.example/#f"},
		{resource, "https://as.example/a b"},
		{resource, "None"},
	} {
		cfg := auth.Config{Resource: "https://mcp.example/mcp", HTTP: &http.Client{}}
		set(&cfg, c.option, c.value)
		if _, err := auth.New(cfg); err == nil || !strings.Contains(hint.Of(err), c.option) {
			t.Errorf("%s %s: err = %v, hint = %q", c.option, c.value, err, hint.Of(err))
		}
	}
}

func TestNew_addressesInSettings_accepted(t *testing.T) {
	t.Parallel()
	for _, cfg := range []auth.Config{
		{ClientMetadataURL: "https://app.example/client.json"},
		{ClientMetadataURL: "https://app.example:8443/a/.b/..c?v=1"},
		{ServerMetadataURL: "https://as.example/m?tenant=1"},
		{ResourceIndicator: "api://6e8c"},
		{ResourceIndicator: "urn:example:mcp"},
		{ResourceIndicator: "none"},
	} {
		cfg.Resource, cfg.HTTP = "https://mcp.example/mcp", &http.Client{}
		if _, err := auth.New(cfg); err != nil {
			t.Error(err)
		}
	}
}

func set(cfg *auth.Config, option, value string) {
	switch option {
	case "--client-metadata-url":
		cfg.ClientMetadataURL = value
	case "--auth-server-metadata-url":
		cfg.ServerMetadataURL = value
	case "--resource":
		cfg.ResourceIndicator = value
	}
}
