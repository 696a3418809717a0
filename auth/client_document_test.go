package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const documentURL = "https://app.example/payu-mcp/client.json"

func withDocument(c *auth.Config) { c.ClientMetadataURL = documentURL }

// documented is a world whose server takes client id metadata documents and has
// read ours: its redirect URI names no port.
func documented(t *testing.T, change ...func(*auth.Config)) *world {
	t.Helper()
	w := newWorld(t, sandbox.Options{}, append([]func(*auth.Config){soon}, change...)...)
	w.sb.AddClient(sandbox.Client{ID: documentURL, RedirectURIs: []string{"http://127.0.0.1/callback"}})
	w.sb.AddClient(sandbox.Client{ID: "ours", RedirectURIs: []string{"http://127.0.0.1/callback"}})
	w.sb.Change(func(k *sandbox.Knobs) {
		k.Client.Redirect = sandbox.RedirectAnyPort
		k.Metadata.Members = map[string]any{"client_id_metadata_document_supported": true}
	})
	return w
}

// The client that the user names, then the document, then a registration, then
// the user is asked.
//
//oauth:row A9 auth/signin.go "case c.cfg.ClientID != \"\":" => "case c.cfg.ClientID != \"\" && !c.usesDocument(d.server):"
//oauth:row A9 auth/client_document.go "&& s.ClientDocuments" => ""
//oauth:row A10 auth/client_document.go "&& s.ClientDocuments" => "&& false"
func TestSignIn_clientID_order(t *testing.T) {
	t.Parallel()
	named := func(c *auth.Config) { c.ClientID = "ours" }
	for name, c := range map[string]struct {
		options   []func(*auth.Config)
		supported any // nil: the metadata does not say
		dcr       bool
		want      string // "": nobody can be had
	}{
		"named, document, registration": {[]func(*auth.Config){named, withDocument}, true, true, "ours"},
		"document, registration":        {[]func(*auth.Config){withDocument}, true, true, documentURL},
		"document only":                 {[]func(*auth.Config){withDocument}, true, false, documentURL},
		"document refused":              {[]func(*auth.Config){withDocument}, false, true, "sandbox-client-1"},
		"document not known":            {[]func(*auth.Config){withDocument}, nil, true, "sandbox-client-1"},
		"registration":                  {nil, true, true, "sandbox-client-1"},
		"document not known, no other":  {[]func(*auth.Config){withDocument}, nil, false, ""},
		"none":                          {nil, true, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := documented(t, c.options...)
			w.sb.Change(func(k *sandbox.Knobs) {
				k.Metadata.Members, k.Metadata.NoRegistration = map[string]any{"client_id_metadata_document_supported": c.supported}, !c.dcr
			})
			cred, err := w.signIn()
			switch {
			case c.want == "":
				if !errors.Is(err, auth.ErrServer) || !strings.Contains(hint.Of(err), "--client-id") || strings.Contains(hint.Of(err), "--client-metadata-url") != (c.supported != nil) {
					t.Errorf("err = %v, hint = %q", err, hint.Of(err))
				}
				return
			case err != nil || cred == nil:
				t.Fatal(err, cred)
			}
			w.lastPage()
			if got := w.asked().Get("client_id"); got != c.want || cred.Registration.ClientID != c.want {
				t.Errorf("client id %q, %q", got, cred.Registration.ClientID)
			}
		})
	}
}

// A client by document is no registration: it sends no secret, takes any free
// port or the user's, and refreshes as what it is.
//
//oauth:row A10 auth/client_document.go "ClientID: c.cfg.ClientMetadataURL, AuthMethod" => "ClientID: strings.ToLower(c.cfg.ClientMetadataURL + \"#\"), AuthMethod"
func TestSignIn_byDocument_noRegistrationAndRefreshes(t *testing.T) {
	t.Parallel()
	w := documented(t, withDocument)
	first := w.mustSignIn()
	taken := portOf(t, first.Registration.RedirectURI)
	occupy(t, taken)
	second := w.mustSignIn()
	if port := portOf(t, second.Registration.RedirectURI); port == taken || first.Registration.Dynamic || !second.Registration.Document {
		t.Errorf("port %d again, %+v", port, second.Registration.Document)
	}
	w.clock.advance(3 * time.Hour)
	w.token()
	if e := w.sb.Log().Find(sandbox.Query{Grant: "refresh_token", Status: 200})[0]; e.Form.Get("client_id") != documentURL || e.Form.Has("client_secret") {
		t.Errorf("refresh = %v", e.Form)
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 0)
}

func TestSignIn_byDocumentWithFixedPort_usesIt(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	w := documented(t, withDocument, func(c *auth.Config) { c.CallbackPort = port })
	if cred := w.mustSignIn(); portOf(t, cred.Registration.RedirectURI) != port {
		t.Errorf("redirect URI %s", cred.Registration.RedirectURI)
	}
}

// The resource moves: the same client id at the new server, which is no other's.
//
//oauth:row A15 auth/client_document.go "Issuer: s.Issuer, ClientID: c.cfg" => "Issuer: \"\", ClientID: c.cfg"
func TestSignIn_byDocumentAndResourceMoved_sameClient(t *testing.T) {
	t.Parallel()
	w := documented(t, withDocument)
	old := w.mustSignIn()
	w.sb.Change(func(k *sandbox.Knobs) {
		k.Metadata.Issuer, k.Metadata.AtAccounts, k.Resource.Present = sandbox.IssuerAccounts, true, true
	})
	next := w.mustSignIn()
	if next.Registration.ClientID != documentURL || next.Registration.Issuer != w.sb.AccountsOrigin() || old.Registration.Issuer == next.Registration.Issuer {
		t.Errorf("%+v", next.Registration.Issuer)
	}
	w.wantCount("registrations", sandbox.Query{Path: "/register"}, 0)
}

// A server that refuses the client gets nobody sent after an id or a secret that
// they never gave.
func TestSignIn_documentRefused_hintNamesTheDocument(t *testing.T) {
	t.Parallel()
	for name, refresh := range map[string]bool{"exchange": false, "refresh": true} {
		var f tokenEndpoint
		w := newWorld(t, sandbox.Options{Wrap: f.wrap}, withDocument)
		w.sb.AddClient(sandbox.Client{ID: documentURL, RedirectURIs: []string{"http://127.0.0.1/callback"}})
		w.sb.Change(func(k *sandbox.Knobs) {
			k.Client.Redirect, k.Metadata.Members = sandbox.RedirectAnyPort, map[string]any{"client_id_metadata_document_supported": true}
		})
		act := w.signIn
		if refresh {
			w.mustSignIn()
			w.clock.advance(3 * time.Hour)
			act = func() (*auth.Credential, error) {
				_, err := w.client.Token(t.Context())
				return nil, err
			}
		}
		f.set(status(401, "application/json", `{"error":"invalid_client"}`))
		_, err := act()
		if h := hint.Of(err); !strings.Contains(h, "--client-metadata-url") || strings.Contains(h, "--client-id") || strings.Contains(h, "secret") {
			t.Errorf("%s: err = %v, hint = %q", name, err, h)
		}
	}
}

// What is stored is used by who has the same client, or none of their own.
func TestToken_storedClientByDocument_ofThisConfigurationOnly(t *testing.T) {
	t.Parallel()
	w := documented(t, withDocument)
	cred := w.mustSignIn()
	for name, c := range map[string]struct {
		change func(*auth.Config)
		mine   bool
	}{
		"the same":         {withDocument, true},
		"no wish":          {func(*auth.Config) {}, true},
		"another document": {func(c *auth.Config) { c.ClientMetadataURL = "https://app.example/other.json" }, false},
		"a named client":   {func(c *auth.Config) { c.ClientID = "ours" }, false},
	} {
		token, err := w.newClient(c.change).Token(t.Context())
		if err != nil || (token == cred.AccessToken) != c.mine {
			t.Errorf("%s: a token: %v, %v", name, token != "", err)
		}
	}
	// And the registration that was made before the option was given.
	w = newWorld(t, sandbox.Options{})
	cred = w.mustSignIn()
	if token, err := w.newClient(withDocument).Token(t.Context()); err != nil || token != cred.AccessToken {
		t.Errorf("a registered client: %v", err)
	}
}

// An open sign-in is gone on with by who would have begun it so.
//
//oauth:row A9 auth/attempt.go "case !c.wouldUse(a.Server, a.Registration), c" => "case c"
func TestSignIn_ownerGone_resumedOnlyAsTheSameClient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*auth.Config)
		same   bool
	}{
		"the same":           {withDocument, true},
		"registration":       {func(*auth.Config) {}, false},
		"another document":   {func(c *auth.Config) { c.ClientMetadataURL = "https://app.example/other.json" }, false},
		"a named client":     {func(c *auth.Config) { c.ClientID = "ours" }, false},
		"other metadata":     {func(c *auth.Config) { withDocument(c); c.ServerMetadataURL = c.Resource + "/m" }, false},
		"another resource":   {func(c *auth.Config) { withDocument(c); c.ResourceIndicator = "urn:other" }, false},
		"none in particular": {func(c *auth.Config) { withDocument(c); c.ResourceIndicator = c.Resource }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := documented(t, withDocument)
			w.wantResumed(c.change, c.same)
		})
	}
}

// The sealed secret of a named client counts until another one is given, or none
// on purpose (OAUTH A11).
func TestSignIn_ownerGone_resumedOnlyWithTheSameSecret(t *testing.T) {
	t.Parallel()
	named := func(secret redact.Secret, none bool) func(*auth.Config) {
		return func(c *auth.Config) { c.ClientID, c.ClientSecret, c.NoSecret = "ours", secret, none }
	}
	for name, c := range map[string]struct {
		change func(*auth.Config)
		same   bool
	}{
		"the same":  {named("the-secret", false), true},
		"not given": {named("", false), true},
		"another":   {named("another-secret", false), false},
		"none":      {named("", true), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := documented(t, named("the-secret", false))
			w.wantResumed(c.change, c.same)
		})
	}
}

// wantResumed lets a process that is configured so find the open sign-in of one
// that is gone.
func (w *world) wantResumed(change func(*auth.Config), want bool) {
	w.t.Helper()
	w.openAs(w.client, "", false).gone()
	attempt := w.store.current().Attempt
	next := w.newClient(change, soon)
	_ = w.meet401(next, "")
	ctx, leave := context.WithCancel(w.t.Context())
	defer leave()
	resumed := make(chan bool, 1)
	_, _ = next.SignIn(ctx, auth.Prompt{Open: func(context.Context, string) error {
		resumed <- w.store.current().Attempt.State == attempt.State
		leave()
		return nil
	}})
	next.Close(w.t.Context())
	close(resumed)
	if got := <-resumed; got != want { // false too if it ended before a browser was opened
		w.t.Errorf("resumed: %v", got)
	}
}
