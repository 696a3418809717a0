package main

import (
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// What login is told of client, metadata and resource reaches the server, and a
// bridge that signs in later does it in the same way.
//
//oauth:row A10 cmd/payu-mcp/wire.go "ClientMetadataURL: s.ClientMetadataURL," => ""
//oauth:row A19 cmd/payu-mcp/wire.go "ResourceIndicator: s.Resource, " => ""
func TestLogin_clientDocumentMetadataAndIndicator_usedByLoginAndBridge(t *testing.T) {
	t.Parallel()
	const document = "https://shop.example/client.json"
	c := newComputer(t, sandbox.Options{Knobs: sandbox.Knobs{
		Client: sandbox.ClientKnobs{Redirect: sandbox.RedirectAnyPort},
		Metadata: sandbox.MetadataKnobs{
			NoRoot: true, PathInserted: true, // not where it would be looked for
			Members: map[string]any{"client_id_metadata_document_supported": true},
		},
	}})
	c.sandbox.AddClient(sandbox.Client{ID: document, RedirectURIs: []string{"http://127.0.0.1/callback"}})
	if out, err := c.command("login", "--url", c.sandbox.Endpoint(), "--client-metadata-url", document, "--resource=none",
		"--auth-server-metadata-url", c.sandbox.ResourceOrigin()+"/.well-known/oauth-authorization-server/elsewhere").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.sandbox.RevokeFromDashboard("B")
	h, _ := c.host()
	handshake(t, h)
	c.asks(h)
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	seen := c.sandbox.Log().Find(sandbox.Query{Path: "/oauth/authorize"})
	seen = append(seen, c.sandbox.Log().Find(sandbox.Query{Path: "/oauth/token", Grant: "authorization_code"})...)
	if len(seen) < 4 {
		t.Errorf("%d requests at the authorization server, want two of each sign-in", len(seen))
	}
	for _, e := range seen {
		if e.Form.Has("resource") || e.Form.Get("client_id") != document {
			t.Errorf("%s with resource %q of client %q", e.Path, e.Form["resource"], e.Form.Get("client_id"))
		}
	}
	if n := c.sandbox.Log().Count(sandbox.Query{Path: registerPath}); n != 0 {
		t.Errorf("%d registrations", n)
	}
	out, err := c.command("status").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "client-metadata-url "+document+" (profile)") {
		t.Errorf("%v\n%s", err, out)
	}
}
