package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// lack is something that PayU's side may lack, and what a merchant is told.
type lack struct {
	user    string // "": A
	prepare func(m *merchant) (args []string)
	code    int
	says    string // in the error
	helps   []string
}

func knobs(change func(*sandbox.Knobs)) func(*merchant) []string {
	return func(m *merchant) []string {
		m.sb.Change(change)
		return nil
	}
}

func metadata(k sandbox.MetadataKnobs) func(*merchant) []string {
	return knobs(func(all *sandbox.Knobs) { all.Metadata = k })
}

func atPath(role sandbox.Role, path string, f fault.Fault) func(*merchant) []string {
	return func(m *merchant) []string {
		m.faults.Add(role, path, -1, f)
		return nil
	}
}

// named makes a client that was registered by hand and changes something about it.
func named(method string, change func(m *merchant) (args []string)) func(*merchant) []string {
	return func(m *merchant) []string {
		return append(m.byHand(method), change(m)...)
	}
}

// soon ends a sign-in that nobody can finish: its page leads nowhere.
func soon(prepare func(*merchant) []string) func(*merchant) []string {
	return func(m *merchant) []string { return append(prepare(m), "--time-limit", "4s") }
}

func lacks() map[string]lack {
	endpoint := func(name, url string) func(*merchant) []string {
		return metadata(sandbox.MetadataKnobs{Members: map[string]any{name: url}})
	}
	return map[string]lack{
		"no registration":                 {"", metadata(sandbox.MetadataKnobs{NoRegistration: true}), exitServer, "offers no client registration", []string{"--client-id", "--callback-port", "http://127.0.0.1:PORT/callback"}},
		"registration closed":             {"", atPath(sandbox.RoleResource, "/register", fault.Status(http.StatusForbidden)), exitServer, "answered status 403 to the client registration", []string{"--client-id", "--callback-port"}},
		"redirect refused at registering": {"", atPath(sandbox.RoleResource, "/register", fault.OAuthError(http.StatusBadRequest, "invalid_redirect_uri")), exitServer, "redirect URI http://", []string{"--callback-port", "--client-id"}},
		"redirect refused on a page":      {"", soon(knobs(func(k *sandbox.Knobs) { k.Client.Redirect = sandbox.RedirectRefusesIP })), exitNotFinished, "not finished in time", []string{"/callback registered", "--callback-port"}},
		"redirect refused by redirect":    {"", knobs(func(k *sandbox.Knobs) { k.Login.Error = "invalid_request" }), exitServer, "answered invalid_request", []string{"--callback-port", "--client-id"}},
		"redirect of another port":        {"", soon(named("none", otherPort)), exitNotFinished, "not finished in time", []string{"--client-id", "/callback registered", "--callback-port"}},
		"client id not known":             {"", soon(named("none", func(m *merchant) []string { m.sb.PurgeClients(); return nil })), exitNotFinished, "not finished in time", []string{"--client-id"}},
		"secret demanded of a named one":  {"", named("none", demandSecret), exitServer, "answered invalid_client", []string{"--client-secret-file"}},
		"secret demanded of a new one":    {"", func(m *merchant) []string { return demandSecret(m) }, exitServer, "refused again", []string{"--client-id", "--client-secret-file"}},
		"wrong secret":                    {"", named("client_secret_post", func(m *merchant) []string { m.secretFile("not-the-secret"); return nil }), exitServer, "answered invalid_client", []string{"--client-secret-file"}},
		"PKCE list without S256":          {"", metadata(sandbox.MetadataKnobs{PKCE: sandbox.PKCEPlain}), exitServer, "does not offer PKCE with S256", []string{"no option"}},
		"PKCE list empty":                 {"", metadata(sandbox.MetadataKnobs{PKCE: sandbox.PKCEEmpty}), exitServer, "does not offer PKCE with S256", []string{"no option"}},
		"token endpoint elsewhere":        {"", endpoint("token_endpoint", "https://accounts.payu.in.elsewhere.example/t"), exitServer, "accounts.payu.in.elsewhere.example, which is not an address of payu.in", []string{"do not sign in"}},
		"sign-in page elsewhere":          {"", endpoint("authorization_endpoint", "https://payu.example/oauth/authorize"), exitServer, "payu.example, which is not an address of payu.in", []string{"do not sign in"}},
		"issuer elsewhere":                {"", metadata(sandbox.MetadataKnobs{Issuer: sandbox.IssuerForeign}), exitServer, "its issuer is", nil},
		"metadata gone":                   {"", metadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound}), exitServer, "status 404", nil},
		"MCP not enabled":                 {"C", nil, exitNotFinished, "MCP is not enabled for this account", nil},
		"MCP not enabled, on a page":      {"C", soon(knobs(func(k *sandbox.Knobs) { k.Login.NotEnabledPage = true })), exitNotFinished, "not finished in time", []string{"have MCP enabled"}},
		"scope refused":                   {"", knobs(func(k *sandbox.Knobs) { k.Login.Outcome = sandbox.OutcomeInvalidScope }), exitServer, "answered invalid_scope", []string{"--scope"}},
		"exchange refused":                {"", atPath(sandbox.RoleAccounts, "/oauth/token", fault.OAuthError(http.StatusUnauthorized, "invalid_request")), exitServer, "answered invalid_request", []string{"try again"}},
		"exchange fails":                  {"", atPath(sandbox.RoleAccounts, "/oauth/token", fault.Status(http.StatusBadGateway)), exitServer, "answered status 502", []string{"try again"}},
	}
}

// otherPort signs in on a port that is not the registered one.
func otherPort(m *merchant) []string {
	port, _ := freePort(m.t)
	return []string{"--callback-port", port}
}

func demandSecret(m *merchant) []string {
	m.sb.Change(func(k *sandbox.Knobs) { k.Client.DemandSecret = true })
	return nil
}

// Each thing that PayU's side may lack, through the built binary at PayU's own names:
// the message says what is lacking, which option helps and whom to write to. The
// messages are test output (OAUTH A14, PAYU N6).
//
//oauth:row A14 auth/register.go `registration with redirect URI %s: %s", clean(s.Issuer), redirectURI,` => `registration: %s", clean(s.Issuer),`
func TestPayU_whatItMayLack_messageSaysWhatHelpsAndWhomToWriteTo(t *testing.T) {
	t.Parallel()
	for name, c := range lacks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := c.user
			if user == "" {
				user = "A"
			}
			m := newMerchant(t, user)
			var args []string
			if c.prepare != nil {
				args = c.prepare(m)
			}
			r := m.login(args...)
			told := spoken(r.stderr)
			t.Logf("exit code %d\n%s", r.code, told)
			m.fails(r, c.code, c.says)
			_, advice, _ := strings.Cut(told, "payu-mcp: hint: ")
			for _, want := range append(c.helps, "your key account manager at PayU or ai-solutions@payu.in") {
				if !strings.Contains(advice, want) {
					t.Errorf("the hint does not name %q", want)
				}
			}
			if n := m.sb.Log().Count(sandbox.Query{Role: sandbox.RoleForeign}); n != 0 {
				t.Errorf("%d requests went abroad", n)
			}
			m.must(m.payu("status"), exitSignedOut)
		})
	}
}

// spoken is what stands on the error lines; the log has them as well.
func spoken(stderr string) string {
	return strings.Join(regexp.MustCompile(`(?m)^payu-mcp: .*$`).FindAllString(stderr, -1), "\n")
}

// An account that may sign in and may not use MCP: the login is stored, and both the
// person and the assistant are told whom to ask (PAYU P13).
func TestPayU_accountForbiddenAtMCP_toldAfterTheSignIn(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, "C")
	m.sb.Change(func(k *sandbox.Knobs) { k.Login.NotEnabledAtMCP = true })
	r := m.must(m.login(), 0)
	t.Log(r.stdout)
	for _, want := range []string{"Signed in", "The login is stored, but the endpoint does not accept it", "HTTP 403", "key account manager at PayU or ai-solutions@payu.in"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is missing", want)
		}
	}
	m.must(m.payu("status"), 0)
	d := startDesktop(m.world, "day one")
	if text, isError := d.uses("payu_list_tools", map[string]any{}); !isError || !strings.Contains(text, "ai-solutions@payu.in") {
		t.Errorf("the assistant is told: %s", text)
	}
	d.end()
	m.noLeaks(m.sb.Secrets())
}

// The person at the terminal is told at once that the page will refuse a client that
// was named, not only when the time is over (PAYU U4).
func TestPayU_namedClientRefusedByThePage_warnedBeforehand(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*merchant) []string{
		"unknown":       named("none", func(m *merchant) []string { m.sb.PurgeClients(); return nil }),
		"redirect":      named("none", otherPort),
		"nothing amiss": named("none", func(*merchant) []string { return nil }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, "A")
			r := m.login(soon(prepare)(m)...)
			if warned := strings.Contains(r.stderr, "the sign-in page seems to refuse this client"); warned != (name != "nothing amiss") {
				t.Errorf("exit code %d, %s", r.code, r.stderr)
			}
		})
	}
}
