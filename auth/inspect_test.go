package auth_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// quiet checks that an inspection asked for documents and for nothing else.
func (w *world) quiet() {
	w.t.Helper()
	for _, e := range w.sb.Log().Find(sandbox.Query{}) {
		if e.Role != sandbox.RoleProxy && !strings.HasPrefix(e.Path, "/.well-known/") {
			w.t.Errorf("asked: %s %s", e.Method, e.Path)
		}
		if e.Authorization != "" {
			w.t.Errorf("a token went to %s", e.Path)
		}
	}
}

// What keeps a person from signing in shows without signing in, with the part that
// it belongs to. PayU's own names, so its pin holds too.
func TestInspect_payu_faultsAtTheirStage(t *testing.T) {
	t.Parallel()
	member := func(name string, value any) sandbox.MetadataKnobs {
		return sandbox.MetadataKnobs{Members: map[string]any{name: value}}
	}
	for name, c := range map[string]struct {
		metadata sandbox.MetadataKnobs
		resource sandbox.ResourceKnobs
		change   func(*auth.Config)
		stage    auth.Stage // "": nothing is wrong
		says     string
		way      auth.ClientWay
	}{
		"as documented":             {way: auth.ClientRegistered},
		"no PKCE list":              {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEAbsent}, way: auth.ClientRegistered},
		"client id given":           {metadata: sandbox.MetadataKnobs{NoRegistration: true}, change: func(c *auth.Config) { c.ClientID = "shop" }, way: auth.ClientNamed},
		"document":                  {metadata: member("client_id_metadata_document_supported", true), change: func(c *auth.Config) { c.ClientMetadataURL = "https://shop.example/c.json" }, way: auth.ClientDocument},
		"no registration":           {metadata: sandbox.MetadataKnobs{NoRegistration: true}, stage: auth.StageRegistration, says: "offers no client registration"},
		"404":                       {metadata: sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound}, stage: auth.StageServer, says: "status 404"},
		"HTML":                      {metadata: sandbox.MetadataKnobs{Answer: sandbox.AnswerHTML}, stage: auth.StageServer, says: "not JSON"},
		"issuer elsewhere":          {metadata: sandbox.MetadataKnobs{Issuer: sandbox.IssuerForeign}, stage: auth.StageServer, says: "its issuer is"},
		"endpoint elsewhere":        {metadata: member("token_endpoint", "https://payu.example/token"), stage: auth.StageEndpoints, says: "not an address of payu.in"},
		"no authorization":          {metadata: member("authorization_endpoint", nil), stage: auth.StageEndpoints, says: "has no authorization endpoint"},
		"PKCE plain":                {metadata: sandbox.MetadataKnobs{PKCE: sandbox.PKCEPlain}, stage: auth.StagePKCE, says: "S256"},
		"resource of another":       {resource: sandbox.ResourceKnobs{Present: true, Resource: sandbox.ResourceElsewhere}, stage: auth.StageResource, says: "metadata is for"},
		"resource names a stranger": {resource: sandbox.ResourceKnobs{Present: true, AuthorizationServers: []string{"https://as.example"}}, stage: auth.StageResource, says: "not PayU's"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{TLS: true, PayUNames: true})
			w.sb.SetMetadata(c.metadata)
			w.sb.SetResourceMetadata(c.resource)
			if c.change != nil {
				w.client = w.newClient(c.change)
			}
			in := w.client.Inspect(t.Context(), nil)
			w.quiet()
			if c.stage == "" {
				if len(in.Faults) > 0 || in.Client != c.way || in.Unlisted != (name == "no PKCE list") || in.Server.Issuer != "https://api.payu.in" {
					t.Errorf("%+v", in)
				}
				return
			}
			err := in.Faults[c.stage]
			if err == nil || len(in.Faults) != 1 || !strings.Contains(err.Error(), c.says) || hint.Of(err) == "" {
				t.Errorf("faults %v, want one at %s", in.Faults, c.stage)
			}
		})
	}
}

// Each document that was asked for is told, with what it lacks.
func TestInspect_documents_statusAndWhatIsLacking(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	w.sb.SetMetadata(sandbox.MetadataKnobs{NoRegistration: true, Scopes: []string{"a"}, IssParameter: true})
	in := w.client.Inspect(t.Context(), []string{`Bearer resource_metadata="` + w.sb.ResourceOrigin() + `/nowhere"`})
	want := map[string]string{
		"/nowhere": "404",
		"/.well-known/oauth-protected-resource/mcp": "404",
		"/.well-known/oauth-protected-resource":     "404",
		"/.well-known/oauth-authorization-server":   "200 lacks registration_endpoint",
	}
	got := map[string]string{}
	for _, d := range in.Documents {
		text := "404"
		if d.Found() {
			text = "200 lacks " + strings.Join(d.Lacks, " ")
		}
		got[strings.TrimPrefix(d.URL, w.sb.ResourceOrigin())] = text
		if d.Resource == strings.Contains(d.URL, "authorization-server") {
			t.Errorf("%s is taken for the other kind", d.URL)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("documents %v, want %v", got, want)
	}
	if s := in.Server; s.RegistrationEndpoint != "" || !slices.Equal(s.Scopes, []string{"a"}) || !slices.Equal(s.PKCE, []string{"S256"}) || !s.Iss || len(s.Grants) != 2 || len(s.AuthMethods) != 3 {
		t.Errorf("%+v", s)
	}
}

// Without an answer the document says so, and the fault is one of the first stage.
func TestInspect_serverGone_noAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	if err := w.sb.Close(); err != nil {
		t.Fatal(err)
	}
	in := w.client.Inspect(t.Context(), nil)
	if len(in.Documents) != 1 || in.Documents[0].Status != 0 || in.Faults[auth.StageResource] == nil {
		t.Errorf("%+v", in)
	}
}

func TestCheckCallback_portTaken_saysWhatHelps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	if err := w.client.CheckCallback(t.Context()); err != nil {
		t.Error(err)
	}
	port := freePort(t)
	taken := w.newClient(func(c *auth.Config) { c.CallbackPort = port })
	if err := taken.CheckCallback(t.Context()); err != nil {
		t.Error(err) // it was given back, so it can be had
	}
	occupy(t, port)
	if err := taken.CheckCallback(t.Context()); err == nil || !strings.Contains(hint.Of(err), "another --callback-port") {
		t.Errorf("err = %v (%s)", err, hint.Of(err))
	}
}

func TestOpenerCheck_namedProgram_mustBeThere(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for command, good := range map[string]bool{`"` + self + `" -x`: true, "not-there-at-all x": false} {
		o := auth.Opener{Getenv: func(name string) string { return map[string]string{auth.OpenerEnv: command}[name] }}
		if err := o.Check(t.Context()); (err == nil) != good || err != nil && hint.Of(err) == "" {
			t.Errorf("%s: %v", command, err)
		}
	}
}
