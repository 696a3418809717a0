package e2e

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// listener takes connections and never answers; closed: it refuses them.
func listener(t *testing.T, closed bool) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if closed {
		_ = l.Close()
	} else {
		t.Cleanup(func() { _ = l.Close() })
	}
	return l.Addr().String()
}

// An endpoint that cannot be meant is refused before anything is sent; the line
// says what is wrong with it.
func TestBadInput_urlThatIsNoEndpoint_usageErrorAndLoginKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := goodLogin(t, w, sandbox.Options{})
	for url, says := range map[string]string{
		"ftp://mcp.example/mcp":                 "scheme is not http or https",
		"file:///etc/passwd":                    "scheme is not http or https",
		"javascript:alert(1)":                   "scheme is not http or https",
		"api.payu.in/mcp":                       "scheme is not http or https",
		"/mcp":                                  "scheme is not http or https",
		"https:///mcp":                          "no host",
		"https://mcp.example/m cp":              "white space",
		"https://mcp.example/mcp\x1b[31m":       "control characters",
		"https://mcp.example/mcp?key=1":         "query",
		"https://mcp.example/mcp#part":          "fragment",
		"https://%zz/mcp":                       "not a URL",
		"http://mcp.example/mcp":                "plain http to mcp.example is refused",
		"http://10.0.0.1/mcp":                   "plain http to 10.0.0.1 is refused",
		"http://0.0.0.0/mcp":                    "plain http to 0.0.0.0 is refused",
		"http://localhost.mcp.example/mcp":      "plain http to localhost.mcp.example is refused",
		"http://127.0.0.1.mcp.example:8080/mcp": "plain http to 127.0.0.1.mcp.example is refused",
		"http://2130706433/mcp":                 "plain http to 2130706433 is refused",
		"http://[::ffff:10.0.0.1]/mcp":          "plain http to ::ffff:10.0.0.1 is refused",
	} {
		w.fails(w.payu("login", "--url", url), exitUsage, says)
	}
	if n := g.sb.Log().Len(); n != g.log {
		t.Errorf("%d requests were sent", n-g.log)
	}
	g.kept()
	w.nothingLeft()
	w.noLeaks(g.sb.Secrets())
}

// atExchange is what a sign-in says whose code cannot be exchanged.
const atExchange = "exchanging the code"

// The endpoint or its authorization server is not there, not trusted, or not
// what it should be.
func TestBadInput_serverFaults_networkErrorAndLoginKept(t *testing.T) {
	t.Parallel()
	metadata := func(m sandbox.MetadataKnobs) func(*testing.T, *good, *fault.Injector) string {
		return func(_ *testing.T, g *good, _ *fault.Injector) string {
			g.sb.SetMetadata(m)
			return g.sb.Endpoint()
		}
	}
	at := func(role sandbox.Role, path string, f fault.Fault) func(*testing.T, *good, *fault.Injector) string {
		return func(_ *testing.T, g *good, in *fault.Injector) string {
			in.Add(role, path, -1, f)
			return g.sb.Endpoint()
		}
	}
	encrypted := func(scheme string) func(*testing.T, *good, *fault.Injector) string {
		return func(t *testing.T, _ *good, _ *fault.Injector) string {
			t.Helper()
			_, rest, _ := strings.Cut(startSandbox(t, sandbox.Options{TLS: true}).Endpoint(), "://")
			return scheme + "://" + rest
		}
	}
	for name, c := range map[string]struct {
		prepare func(*testing.T, *good, *fault.Injector) (url string)
		says    string
	}{
		"refused": {func(t *testing.T, _ *good, _ *fault.Injector) string {
			t.Helper()
			return "http://" + listener(t, true) + "/mcp"
		}, "connection refused"},
		"silent endpoint":               {at(sandbox.RoleResource, "/mcp", silent), "no answer came in time"},
		"TLS with an unknown authority": {encrypted("https"), "signed by an unknown authority"},
		"no TLS where TLS is spoken":    {encrypted("http"), "the request was refused (HTTP 400)"},
		"TLS where none is spoken": {func(_ *testing.T, g *good, _ *fault.Injector) string {
			return strings.Replace(g.sb.Endpoint(), "http:", "https:", 1)
		}, "HTTPS"},
		"endpoint is a page":       {at(sandbox.RoleResource, "/mcp", fault.Portal()), "a page came in the place"},
		"endpoint fails":           {at(sandbox.RoleResource, "/mcp", fault.Status(http.StatusBadGateway)), "HTTP 502"},
		"endpoint cuts":            {at(sandbox.RoleResource, "/mcp", fault.Reset()), "network: "},
		"metadata is a page":       {metadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerHTML}), "is not JSON"},
		"metadata is missing":      {metadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound}), "status 404"},
		"metadata fails":           {metadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerError}), "status 500"},
		"metadata of another":      {metadata(sandbox.MetadataKnobs{Issuer: sandbox.IssuerForeign}), "issuer"},
		"PKCE plain only":          {metadata(sandbox.MetadataKnobs{PKCE: sandbox.PKCEPlain}), "PKCE with S256"},
		"PKCE not named":           {metadata(sandbox.MetadataKnobs{PKCE: sandbox.PKCEAbsent}), "PKCE with S256"},
		"PKCE list empty":          {metadata(sandbox.MetadataKnobs{PKCE: sandbox.PKCEEmpty}), "PKCE with S256"},
		"token endpoint is a page": {at(sandbox.RoleAccounts, "/oauth/token", fault.Portal()), atExchange},
		"token endpoint fails":     {at(sandbox.RoleAccounts, "/oauth/token", fault.Status(http.StatusBadGateway)), atExchange},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := newWorld(t), &fault.Injector{}
			g := goodLogin(t, w, sandbox.Options{Wrap: in.Wrap})
			w.fails(w.payu("login", "--url", c.prepare(t, g, in)), exitServer, c.says)
			in.Clear()
			if c.says == atExchange { // the browser was open by then
				g.outlived(true)
			} else {
				g.kept()
			}
			w.nothingLeft()
			w.noLeaks(g.sb.Secrets())
		})
	}
}

// silent takes a request and never answers.
func silent(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }

// A name that does not exist, at an endpoint that this user trusts.
func TestBadInput_unknownName_networkError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const url = "https://mcp.payu-mcp.invalid/mcp"
	if err := os.MkdirAll(w.state, 0o700); err != nil {
		t.Fatal(err)
	}
	w.noteFolder()
	if err := os.WriteFile(filepath.Join(w.state, "profile-default.json"), []byte(`{"url":"`+url+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	w.fails(w.payu("login", "--store=file"), exitServer, "cannot be resolved")
	w.fails(w.payu("login", "--store=file", "--url", "https://other.invalid/mcp"), exitError, "needs a person at a terminal")
	w.nothingLeft()
}

// Nobody waits for ever, whatever hangs.
func TestBadInput_silence_endsWithTheTimeLimit(t *testing.T) {
	t.Parallel()
	hold := func(role sandbox.Role, path string) func(*good) func() {
		return func(g *good) func() {
			release := g.sb.Hold(sandbox.Path(role, path))
			g.w.t.Cleanup(release)
			return release
		}
	}
	nobody := func(g *good) func() {
		g.w.setenv("PAYU_MCP_BROWSER", "true")
		return func() {}
	}
	for name, c := range map[string]struct {
		prepare func(*good) (release func())
		code    int
		says    string
		given   string // for the sign-in
		limit   time.Duration
		begun   bool // the browser was opened
	}{
		"nobody finishes": {nobody, exitNotFinished, "not finished in time", "2s", 6 * time.Second, true},
		"sign-in page":    {hold(sandbox.RoleAccounts, "/oauth/authorize"), exitNotFinished, "not finished in time", "2s", 6 * time.Second, true},
		"metadata":        {hold(sandbox.RoleResource, "/.well-known/oauth-authorization-server"), exitServer, "did not answer in time", "400ms", 5 * time.Second, false},
		// The person is in time, on a busy machine too, so the exchange has its own 15 s
		// beyond the limit.
		"token endpoint": {hold(sandbox.RoleAccounts, "/oauth/token"), exitServer, "did not answer in time", "8s", 30 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := goodLogin(t, w, sandbox.Options{})
			release := c.prepare(g)
			start := time.Now()
			w.fails(w.payu("login", "--time-limit", c.given), c.code, c.says)
			if took := time.Since(start); took > c.limit {
				t.Errorf("it took %v", took)
			}
			release()
			if c.begun {
				g.outlived(true)
			} else {
				g.kept()
			}
			w.noLeaks(g.sb.Secrets())
		})
	}
}

// A host that takes connections and says nothing, not even in TLS, is given up
// after 10 s (RELAY B1).
func TestBadInput_silentTLS_networkErrorAfterTenSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := goodLogin(t, w, sandbox.Options{})
	start := time.Now()
	w.fails(w.payu("login", "--url", "https://"+listener(t, false)+"/mcp"), exitServer, "did not answer in time")
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	g.kept()
	w.nothingLeft()
}

// What a host is told when the bridge cannot reach the endpoint: what was saved,
// at once; to a call one answer with a hint; and the bridge lives on.
func TestBadInput_endpointGone_hostIsToldAndTheNextRequestWorks(t *testing.T) {
	t.Parallel()
	w, in := newWorld(t), &fault.Injector{}
	g := goodLogin(t, w, sandbox.Options{Wrap: in.Wrap})
	h := w.startHost()
	for name, c := range map[string]struct {
		f    fault.Fault
		says string
	}{
		"a page":  {fault.Portal(), "a page came in the place"},
		"a fault": {fault.Status(http.StatusBadGateway), "HTTP 502"},
		"a reset": {fault.Reset(), "broke off"},
	} {
		in.Add(sandbox.RoleResource, "/mcp", -1, c.f)
		w.within(firstPatience, func() { h.initialize() })
		w.within(firstPatience, func() { h.lists(13) })
		m := h.ask("tools/call", healthCheck())
		if text := string(m.Error); !strings.Contains(text, c.says) || !strings.Contains(text, `"hint":"`) {
			t.Errorf("%s: the answer is %s%s", name, m.Error, m.Result)
		}
		in.Clear()
		h.works()
	}
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	g.kept()
	w.nothingLeft()
	w.noLeaks(g.sb.Secrets())
}

func TestBadInput_consentDenied_keepsTheLoginAndDoesNotRegisterAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := goodLogin(t, w, sandbox.Options{})
	w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --deny`)
	for range 3 {
		w.fails(w.payu("login"), exitNotFinished, "the sign-in was denied (access_denied")
	}
	if n := len(g.sb.Clients()); n != 1 {
		t.Errorf("%d clients are registered, want 1", n)
	}
	g.outlived(true)
	w.nothingLeft()
	w.noLeaks(g.sb.Secrets())
}
