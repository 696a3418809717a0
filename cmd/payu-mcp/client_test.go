package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// What is remembered of one endpoint, authorization server or client is not used
// with another: its secret above all (OAUTH A15).
func TestSettings_over_anotherOneStartsAnew(t *testing.T) {
	t.Parallel()
	saved := settings{
		URL: "https://a.example/mcp", ClientID: "a", ClientSecretFile: "/a", Scope: "s", CallbackPort: 7, Resource: "none",
		AuthServerMetadataURL: "https://a.example/metadata", CAFile: "/ca", Proxy: "http://p", Store: storeFile,
	}
	cimd := settings{URL: "https://a.example/mcp", ClientMetadataURL: "https://c.example/c"}
	without := func(forget func(*settings)) settings {
		s := saved
		forget(&s)
		return s
	}
	noClient := without(func(s *settings) { s.ClientID, s.ClientSecretFile = "", "" })
	for name, c := range map[string]struct {
		saved settings
		given map[string]string
		want  settings
	}{
		"nothing":        {saved, nil, saved},
		"the same":       {saved, map[string]string{"url": saved.URL, "client-id": "a", "auth-server-metadata-url": saved.AuthServerMetadataURL}, saved},
		"endpoint":       {saved, map[string]string{"url": "https://b.example/mcp"}, settings{URL: "https://b.example/mcp", Store: storeFile}},
		"client":         {saved, map[string]string{"client-id": "b"}, without(func(s *settings) { s.ClientID, s.ClientSecretFile = "b", "" })},
		"no client":      {saved, map[string]string{"client-id": ""}, noClient},
		"server":         {saved, map[string]string{"auth-server-metadata-url": "https://b.example/metadata"}, with(noClient, "https://b.example/metadata")},
		"found again":    {saved, map[string]string{"auth-server-metadata-url": ""}, with(noClient, "")},
		"secret":         {saved, map[string]string{"secret": "x"}, without(func(s *settings) { s.ClientSecretFile = "" })},
		"no secret":      {saved, map[string]string{"client-secret-file": ""}, without(func(s *settings) { s.ClientSecretFile = "" })},
		"metadata":       {saved, map[string]string{"client-metadata-url": "https://c.example/c"}, without(func(s *settings) { s.ClientID, s.ClientSecretFile, s.ClientMetadataURL = "", "", "https://c.example/c" })},
		"no metadata":    {cimd, map[string]string{"client-metadata-url": ""}, settings{URL: cimd.URL}},
		"id for it":      {cimd, map[string]string{"client-id": "a"}, settings{URL: cimd.URL, ClientID: "a"}},
		"indicator":      {saved, map[string]string{"resource": ""}, without(func(s *settings) { s.Resource = "" })},
		"PayU, spelt":    {settings{Proxy: "http://p"}, map[string]string{"url": "https://api.payu.in/mcp"}, settings{URL: "https://api.payu.in/mcp", Proxy: "http://p"}},
		"PayU's instead": {saved, map[string]string{"url": ""}, settings{Store: storeFile}},
	} {
		s := settings{
			URL: c.given["url"], ClientID: c.given["client-id"], ClientSecretFile: c.given["client-secret-file"],
			ClientMetadataURL: c.given["client-metadata-url"], Resource: c.given["resource"],
			AuthServerMetadataURL: c.given["auth-server-metadata-url"],
		}
		if c.given["secret"] != "" {
			s.secret = "x"
		}
		got := s.over(c.saved, func(flag string) bool { return slices.Contains(slices.Collect(maps.Keys(c.given)), flag) })
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(settings{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func with(s settings, metadata string) settings {
	s.AuthServerMetadataURL = metadata
	return s
}

// A client secret in the environment of one login is stored sealed and nowhere
// else, no browser inherits it, and a bridge without it signs in again with the
// sealed one.
//
//oauth:row A11 auth/secret.go "r.Secret, r.AuthMethod = was.Secret, c.secretMethod(s)" => ""
//oauth:row A37 cmd/payu-mcp/client.go "os.Unsetenv(sealedVariable)" => "os.Unsetenv(sourceFlag)"
//oauth:row A37 auth/credential.go "clean(c.Registration.ClientID)," => "clean(c.Registration.Secret.Reveal()),"
func TestBridge_secretInLoginsEnvironment_signsInWithTheSealedOne(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{Knobs: sandbox.Knobs{Client: sandbox.ClientKnobs{Redirect: sandbox.RedirectAnyPort}}})
	c.sandbox.AddClient(sandbox.Client{ID: "shop", Secret: shopSecret, AuthMethod: "client_secret_basic", RedirectURIs: []string{"http://127.0.0.1/callback"}})
	c.opener = "noisy-browser " + c.home
	login := c.command("login", "--url", c.sandbox.Endpoint(), "--client-id", "shop")
	login.Env = append(login.Env, sealedVariable+"="+shopSecret)
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.holdsNone(shopSecret)
	c.sandbox.RevokeFromDashboard("B")
	h, _ := c.host()
	handshake(t, h)
	if a, err := h.ask(t.Context(), "tools/call", healthCheck()); err != nil || !strings.Contains(a.text(), "running") {
		t.Errorf("the call: %v %q", err, a.text())
	}
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	if n := c.sandbox.Log().Count(sandbox.Query{Grant: "authorization_code", Status: 200}); n != 2 {
		t.Errorf("%d sign-ins", n)
	}
	c.holdsNone(shopSecret)
}

// holdsNone searches all files of the home for secrets; what the opener was given
// is one of them.
func (c *computer) holdsNone(secrets ...string) {
	c.t.Helper()
	err := filepath.WalkDir(c.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, secret := range secrets {
			if strings.Contains(string(b), secret) {
				c.t.Errorf("%s holds a secret", path)
			}
		}
		return err
	})
	if err != nil {
		c.t.Error(err)
	}
}

// A host's configuration, perhaps of a cloned repository, names what a token
// would pass through, be asked for with or be traded for: the bridge ends before
// it has asked anybody anything (OAUTH X17).
//
//oauth:row X17 cmd/payu-mcp/trust.go "if v.now != v.saved {" => "if v.name == sealedVariable && v.now != v.saved {"
func TestBridge_hostsConfigurationNamesTheWay_refused(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	for _, flag := range []string{
		"--ca-file=x", "--proxy=http://127.0.0.1:9", "--client-id=x --client-secret-file=x",
		"--client-metadata-url=https://x.example/c", "--resource=none", "--auth-server-metadata-url=https://api.payu.in/m",
	} {
		out, err := c.command(append(strings.Fields(flag), "--url=https://127.0.0.1.nip.invalid/mcp")...).CombinedOutput()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitUsage || !strings.Contains(string(out), "not taken from a host's configuration") {
			t.Errorf("%s: %v\n%s", flag, err, out)
		}
	}
	bridge := c.command("--client-id=x")
	bridge.Env = append(bridge.Env, sealedVariable+"="+shopSecret)
	if out, err := bridge.CombinedOutput(); err == nil || !strings.Contains(string(out), sealedVariable+" is not taken") {
		t.Errorf("%v\n%s", err, out)
	}
}

// An endpoint on this computer is no licence either if somebody elsewhere says
// where to sign in there: the browser would go to them, and a file's text as the
// client secret. Nor is it for a proxy: the authorization server may be elsewhere.
//
//oauth:row X17 cmd/payu-mcp/trust.go "(o.login.Proxy == \"\" || o.login.Proxy == o.givenToLogin().Proxy)" => "true"
func TestBridge_localEndpointWithMetadataElsewhere_refused(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	out, err := c.command("--url="+c.sandbox.Endpoint(), "--auth-server-metadata-url=https://evil.example.invalid/m", "--client-id=x", "--client-secret-file=/etc/hostname").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitUsage || !strings.Contains(string(out), "--client-secret-file and --auth-server-metadata-url is not taken") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = c.command("--url="+c.sandbox.Endpoint(), "--proxy=http://127.0.0.1:9").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitUsage || !strings.Contains(string(out), "--proxy is not taken") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The configuration may also bring the state folder along, with a profile in it:
// it counts only where login has written it.
//
//oauth:row X17 cmd/payu-mcp/folders.go "return settings{}\n}" => "return o.saved\n}"
func TestBridge_profileThatCameWithTheConfiguration_doesNotCount(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	o := &options{stateDir: filepath.Join(c.home, "state"), profile: "default", login: settings{Proxy: "http://127.0.0.1:9"}}
	if err := os.MkdirAll(o.stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := saveSettings(o.stateDir, o.profile, o.login); err != nil {
		t.Fatal(err)
	}
	if out, err := c.command().CombinedOutput(); err == nil || !strings.Contains(string(out), "--proxy is not taken from a host's configuration") {
		t.Errorf("%v\n%s", err, out)
	}
	// The person's own login there makes it count.
	c.login()
	if err := saveSettings(o.stateDir, o.profile, o.login); err != nil {
		t.Fatal(err)
	}
	if out, err := c.command().CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The person's own folder needs no note, so a damaged one shuts nobody out of it.
func TestBridge_noteOfFoldersDamaged_ownProfileCounts(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	o := &options{stateDir: ownStateDir(c.home), profile: "default", login: settings{Proxy: "http://127.0.0.1:9"}}
	if err := os.MkdirAll(o.stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := os.WriteFile(filepath.Join(o.stateDir, foldersFile), []byte("["), 0o600)
	if err := errors.Join(err, saveSettings(o.stateDir, o.profile, o.login)); err != nil {
		t.Fatal(err)
	}
	bridge := c.command()
	bridge.Args = bridge.Args[:1] // its own folder is the default
	if out, err := bridge.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Metadata of somebody else for PayU's own endpoint is as good as a foreign
// endpoint: without a person at a terminal nothing happens (OAUTH X17).
//
//oauth:row X17 cmd/payu-mcp/trust.go "if !s.ownMetadata() && (" => "if false && ("
func TestLogin_foreignMetadataForPayU_needsATerminal(t *testing.T) {
	t.Parallel()
	c := newComputer(t, sandbox.Options{})
	out, err := c.command("login", "--auth-server-metadata-url=https://evil.example.invalid/m", "--proxy=http://127.0.0.1:9").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "evil.example.invalid is not where the endpoint is") {
		t.Errorf("%v\n%s", err, out)
	}
}
