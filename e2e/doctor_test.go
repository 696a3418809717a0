package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

// checkup is the JSON form of doctor's report, as far as it is looked at here.
type checkup struct {
	Result string
	Lines  []finding
	Facts  []struct{ ID, About, Text string }

	Log []string

	printed string // in both forms
}

type finding struct{ ID, Result, Side, Text, Next string }

const (
	sideHere    = "this computer"
	sideNetwork = "network"
	sidePayU    = "PayU"
	sideHost    = "host"
)

// doctorLimit is more than the command's own 20 s, for a busy machine.
const doctorLimit = 40 * time.Second

// doctor runs the command in both forms; the text is test output.
func (w *world) doctor(code int, args ...string) checkup {
	w.t.Helper()
	var r result
	w.within(doctorLimit, func() { r = w.payu(append([]string{"doctor"}, args...)...) })
	w.must(r, code)
	w.t.Logf("$ payu-mcp doctor %s\n%s(exit code %d)", strings.Join(args, " "), r.stdout, r.code)
	if r.stderr != "" {
		w.t.Errorf("doctor has more to say: %s", r.stderr)
	}
	var c checkup
	j := w.must(w.payu(append([]string{"doctor", "--json"}, args...)...), code)
	if err := json.Unmarshal([]byte(j.stdout), &c); err != nil {
		w.t.Fatal(err)
	}
	c.printed = r.stdout + j.stdout
	doc, err := os.ReadFile(filepath.Join("..", "docs", "doctor.md"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range c.Lines {
		kind, _, _ := strings.Cut(l.ID, ":")
		if !strings.Contains(string(doc), "| `"+kind+"` |") {
			w.t.Errorf("docs/doctor.md does not know the line %s", l.ID)
		}
		if l.Result != "ok" && l.Next == "" || l.Text == "" || l.Side == "" {
			w.t.Errorf("a line without text, side or cure: %+v", l)
		}
	}
	return c
}

// faults are the lines that are faults; warnings are of no account.
func (c checkup) having(result string) []finding {
	return slices.DeleteFunc(slices.Clone(c.Lines), func(l finding) bool { return l.Result != result })
}

func (c checkup) line(id string) finding {
	i := slices.IndexFunc(c.Lines, func(l finding) bool { return l.ID == id })
	if i < 0 {
		return finding{}
	}
	return c.Lines[i]
}

// ailment is one fault of the world, and what doctor must say of it.
type ailment struct {
	// prepare makes the world and the options of doctor.
	prepare func(t *testing.T) (w *world, args []string)
	code    int
	want    finding // Text and Next are patterns
}

// ofMerchant is somebody with PayU's own names, signed out, to whom something
// happens.
func ofMerchant(happens func(m *merchant) []string) func(*testing.T) (*world, []string) {
	return func(t *testing.T) (*world, []string) {
		t.Helper()
		m := newMerchant(t, "A")
		return m.world, append([]string{"--store=file", "--proxy", m.sb.ProxyURL(), "--ca-file", m.ca}, happens(m)...)
	}
}

// signedInMerchant has signed in before it happens.
func signedInMerchant(user string, happens func(m *merchant)) func(*testing.T) (*world, []string) {
	return func(t *testing.T) (*world, []string) {
		t.Helper()
		m := newMerchant(t, user)
		m.sb.Change(func(k *sandbox.Knobs) { k.Login.NotEnabledAtMCP = user == "C" })
		m.must(m.login(), 0)
		happens(m)
		return m.world, nil
	}
}

func ailments() map[string]ailment {
	return map[string]ailment{
		"DNS": {func(t *testing.T) (*world, []string) {
			t.Helper()
			return newWorld(t), []string{"--url", "https://nothere.invalid/mcp", "--store=file"}
		}, exitServer, finding{"names", "fault", sideNetwork, `nothere\.invalid cannot be resolved`, `check the network and the spelling`}},
		"black hole": {func(t *testing.T) (*world, []string) {
			t.Helper()
			sb := startSandbox(t, sandbox.Options{})
			if err := sb.Close(); err != nil {
				t.Fatal(err)
			}
			blackHole(t, addressOf(t, sb.Endpoint()))
			return newWorld(t), []string{"--url", sb.Endpoint(), "--store=file"}
		}, exitServer, finding{"connection", "fault", sideNetwork, `did not answer in time`, `check the network`}},
		"unknown CA": {func(t *testing.T) (*world, []string) {
			t.Helper()
			sb := startSandbox(t, sandbox.Options{TLS: true})
			return newWorld(t), []string{"--url", sb.Endpoint(), "--store=file"}
		}, exitServer, finding{"tls", "fault", sideNetwork, `signed by "[^"]*sandbox[^"]*", which this computer does not trust`, `--ca-file`}},
		"proxy 407": {func(t *testing.T) (*world, []string) {
			t.Helper()
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Proxy-Authenticate", `Basic realm="office"`)
				w.WriteHeader(http.StatusProxyAuthRequired)
			}))
			t.Cleanup(proxy.Close)
			return newWorld(t), []string{"--proxy", proxy.URL, "--store=file"}
		}, exitServer, finding{"proxy", "fault", sideNetwork, `wants a user name and a password \(407\)`, `PAYU_MCP_PROXY=http://USER:PASSWORD@`}},
		"clock a day ahead": {ofMerchant(func(m *merchant) []string {
			m.faults.AddIf(func(fault.Request) bool { return true }, -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				w.Header().Set("Date", time.Now().Add(-24*time.Hour).UTC().Format(http.TimeFormat))
				next.ServeHTTP(w, r)
			})
			return nil
		}), exitError, finding{"clock", "fault", sideHere, `^the clock is (24h0m|23h59m)\d+s ahead of the server's`, `let the system set date, time`}},
		"metadata 404":           {ofMerchant(metadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerNotFound})), exitServer, finding{"server-metadata", "fault", sidePayU, `status 404`, `ai-solutions@payu\.in`}},
		"metadata HTML":          {ofMerchant(metadata(sandbox.MetadataKnobs{Answer: sandbox.AnswerHTML})), exitServer, finding{"server-metadata", "fault", sidePayU, `not JSON.*such as a web page`, `network sign-in.*ai-solutions@payu\.in`}},
		"no DCR":                 {ofMerchant(metadata(sandbox.MetadataKnobs{NoRegistration: true})), exitServer, finding{"registration", "fault", sidePayU, `offers no client registration`, `--client-id.*ai-solutions@payu\.in`}},
		"PKCE list without S256": {ofMerchant(metadata(sandbox.MetadataKnobs{PKCE: sandbox.PKCEPlain})), exitServer, finding{"pkce", "fault", sidePayU, `does not offer PKCE with S256`, `no option.*ai-solutions@payu\.in`}},
		"keychain hung": {ofMerchant(func(m *merchant) []string {
			m.startBus()
			m.startSecrets().set(map[string]manner{"Collections": hangs, "Unlock": hangs})
			return []string{"--store=keychain"}
		}), exitNoKeychain, finding{"keychain", "fault", sideHere, `does not answer`, `look for a prompt.*--store=file`}},
		"callback port taken": {ofMerchant(func(m *merchant) []string {
			l, err := (&net.ListenConfig{}).Listen(m.t.Context(), "tcp4", "127.0.0.1:0")
			if err != nil {
				m.t.Fatal(err)
			}
			m.t.Cleanup(func() { _ = l.Close() })
			_, port, _ := net.SplitHostPort(l.Addr().String())
			return []string{"--callback-port", port}
		}), exitError, finding{"callback", "fault", sideHere, `binding the callback port`, `is taken: close the program that has it, or give another --callback-port`}},
		"no opener": {ofMerchant(func(m *merchant) []string {
			m.setenv("PAYU_MCP_BROWSER", "")
			return nil
		}), exitSignedOut, finding{"browser", "warning", sideHere, `no browser can be opened here`, `by hand.*login --no-browser`}},
		"revoked": {signedInMerchant("A", func(m *merchant) {
			m.sb.RevokeFromDashboard("A")
		}), exitSignedOut, finding{"login", "fault", sidePayU, `ended the login, or somebody has revoked it`, `payu-mcp login.*Connected Applications`}},
		"stale path": {ofMerchant(func(m *merchant) []string {
			file := m.path("home", ".cursor", "mcp.json")
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				m.t.Fatal(err)
			}
			entry := `{"mcpServers":{"payu":{"command":"/opt/old/payu-mcp","args":[]}}}`
			if err := os.WriteFile(file, []byte(entry), 0o600); err != nil {
				m.t.Fatal(err)
			}
			return nil
		}), exitError, finding{"host:cursor", "fault", sideHost, `Cursor, entry payu in ~/\.cursor/mcp\.json: /opt/old/payu-mcp is not there any more`, `payu-mcp install --client cursor`}},
		"not enabled for MCP": {
			signedInMerchant("C", func(*merchant) {}), exitServer,
			finding{"remote", "fault", sidePayU, `HTTP 403`, `key account manager at PayU or ai-solutions@payu\.in`},
		},
	}
}

// Each thing that may be wrong, one by one, through the built binary: doctor names
// it with the side it is on and what cures it, and nothing else as a fault. The
// reports are test output (HOSTS C4).
func TestDoctor_oneFaultAtATime_namedWithSideAndCure(t *testing.T) {
	t.Parallel()
	for name, a := range ailments() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, args := a.prepare(t)
			c := w.doctor(a.code, args...)
			got := c.line(a.want.ID)
			if got.Result != a.want.Result || got.Side != a.want.Side || !regexp.MustCompile(a.want.Text).MatchString(got.Text) || !regexp.MustCompile(a.want.Next).MatchString(got.Next) {
				t.Errorf("it is told as %+v,\nwant %+v", got, a.want)
			}
			for _, l := range c.having("fault") {
				if l.ID != a.want.ID {
					t.Errorf("something else is a fault too: %+v", l)
				}
			}
			if w.browserOpened() {
				t.Error("a browser was opened")
			}
			w.nothingLeft()
		})
	}
}

// A healthy world, signed in, with a bridge that runs: no fault, no warning, no
// secret, nothing personal, and no request that signs anybody in.
func TestDoctor_healthy_noFault(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, "A")
	m.must(m.login(), 0)
	m.must(m.payu("install", "--client", "cursor", "--yes"), 0)
	h := m.startHost()
	h.initialize()
	h.works()
	before := m.sb.Log().Len()
	c := m.doctor(0)
	if bad := append(c.having("fault"), c.having("warning")...); len(bad) > 0 || c.Result != "ok" {
		t.Errorf("not healthy: %+v", bad)
	}
	for _, id := range []string{
		"proxy", "names", "tls", "clock", "endpoint", "resource-metadata", "server-metadata", "sign-in-endpoints", "pkce", "registration", "sign-in-host",
		"keychain", "callback", "browser", "state", "login", "refresh", "remote", "catalogue", "host:cursor", "bridges", "journal", "log",
	} {
		if c.line(id).Result != "ok" {
			t.Errorf("%s: %+v", id, c.line(id))
		}
	}
	if last := strings.Join(c.Log, "\n"); !strings.Contains(last, "tools/") || !strings.Contains(last, "pid=") {
		t.Errorf("the end of the log: %s", last)
	}
	if !strings.Contains(c.line("bridges").Text, "process ") {
		t.Errorf("the bridge is not seen: %+v", c.line("bridges"))
	}
	for _, path := range []string{"/register", "/oauth/authorize", "/oauth/token"} {
		if n := m.sb.Log().Count(sandbox.Query{Path: path, After: before}); n > 0 {
			t.Errorf("%d requests to %s", n, path)
		}
	}
	if code := h.end(); code != 0 {
		t.Errorf("the bridge ended with %d", code)
	}
	if left, _ := filepath.Glob(filepath.Join(m.state, "bridge-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	for _, private := range []string{m.path("home"), "PAYU_MCP", "Bearer "} {
		if strings.Contains(c.printed, private) {
			t.Errorf("the report says %q", private)
		}
	}
	m.noLeaks(m.sb.Secrets())
}

// Signed out, doctor says what nobody knows of PayU for certain, from what it shows
// to everybody (PAYU section 4).
func TestDoctor_signedOut_answersTheOpenQuestions(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, "A")
	c := m.doctor(exitSignedOut, "--store=file", "--proxy", m.sb.ProxyURL(), "--ca-file", m.ca)
	facts := map[string]string{}
	for _, f := range c.Facts {
		facts[f.ID] = f.Text
	}
	for id, want := range map[string]string{
		"U1": "https://api.payu.in", "U2": "registration_endpoint https://api.payu.in/register", "U3": "none", "U5": "no scopes_supported",
		"U6": "refresh_token", "U7": "HTTP 401", "U8": "GET: HTTP 401", "U12": "HTTP 401", "U13": "S256",
		"U4": "127.0.0.1", "U9": "not shown", "U10": "not shown", "U11": "https://api.payu.in/mcp",
	} {
		if !strings.Contains(facts[id], want) {
			t.Errorf("%s: %q, want %q", id, facts[id], want)
		}
	}
	if len(c.Facts) != 13 {
		t.Errorf("%d facts", len(c.Facts))
	}
}

// A keychain that works: the item that doctor stores is gone again.
func TestDoctor_keychainWorks_leavesNothing(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, "A")
	m.startBus()
	m.startKeyring(true)
	c := m.doctor(exitSignedOut, "--proxy", m.sb.ProxyURL(), "--ca-file", m.ca)
	if l := c.line("keychain"); l.Result != "ok" || !strings.Contains(l.Text, "stored, read back and removed") {
		t.Errorf("keychain: %+v", l)
	}
	if n := m.keys(); n != 0 {
		t.Errorf("%d items are left in the keychain", n)
	}
}
