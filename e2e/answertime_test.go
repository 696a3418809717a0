package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const (
	// usualRuns is how often each state is measured; ANSWERS=20 is the full run.
	usualRuns = 5
	// atOnce is the limit from the start of the process to the answer to initialize
	// where the bridge knows what to say (HOSTS P2), and firstAnswer where it has to
	// ask a server that may never answer.
	atOnce      = 100 * time.Millisecond
	firstAnswer = 1100 * time.Millisecond
	// machineNoise is how often the test allows on top what the machine needs, in
	// the same minute, to start and end a program that does nothing. A wait that
	// belongs to the bridge shows in the median; the figures of a run are kept in
	// out/, for who has a quiet machine.
	machineNoise = 5
)

// answerTimes are the figures of one state of the world.
type answerTimes struct {
	state string
	limit time.Duration
	took  []time.Duration // sorted, as the next
	floor []time.Duration // from start to end of a program that does nothing
}

func median(sorted []time.Duration) time.Duration  { return sorted[len(sorted)/2] }
func slowest(sorted []time.Duration) time.Duration { return sorted[len(sorted)-1] }

// tooSlow says what cannot be the machine's fault.
func (a answerTimes) tooSlow() bool {
	return median(a.took) > a.limit+machineNoise*median(a.floor) || slowest(a.took) > a.limit+machineNoise*slowest(a.floor)
}

func (a answerTimes) String() string {
	ms := func(d time.Duration) string { return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) }
	return fmt.Sprintf("%-52s limit %6s  fastest %6s  median %6s  slowest %6s ms (doing nothing: %s to %s ms)",
		a.state, ms(a.limit), ms(a.took[0]), ms(median(a.took)), ms(slowest(a.took)), ms(a.floor[0]), ms(slowest(a.floor)))
}

// stopwatch measures one world after the other.
type stopwatch struct {
	t     *testing.T
	runs  int
	table []answerTimes
}

// answerRuns reads ANSWERS.
func answerRuns(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ANSWERS")
	if text == "" {
		return usualRuns
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("ANSWERS=%s is no number of runs", text)
	}
	return n
}

// expectation is what the answer to initialize must be.
type expectation struct {
	limit  time.Duration
	server string // the name in it
}

// measure starts the bridge again and again, each time after prepare, and asks
// it for nothing but initialize.
func (s *stopwatch) measure(w *world, state string, want expectation, prepare func(), args ...string) {
	w.t.Helper()
	a := answerTimes{state: state, limit: want.limit}
	var hosts []*host
	for range s.runs {
		prepare()
		a.floor = append(a.floor, w.doingNothing())
		start := time.Now()
		h := w.startHost(args...)
		m := h.ask("initialize", initializing())
		a.took = append(a.took, time.Since(start))
		_ = h.stdin.Close() // it may have to wait for its keychain: the next one does not
		hosts = append(hosts, h)
		var r struct {
			ServerInfo struct{ Name string }
		}
		if err := json.Unmarshal(m.Result, &r); err != nil || r.ServerInfo.Name != want.server {
			w.t.Errorf("%s: the answer is of %q, want %q: %.300s%.300s", state, r.ServerInfo.Name, want.server, m.Result, m.Error)
		}
	}
	for _, h := range hosts {
		if code := h.end(); code != 0 {
			w.t.Errorf("%s: the bridge ended with %d", state, code)
		}
	}
	slices.Sort(a.took)
	slices.Sort(a.floor)
	s.table = append(s.table, a)
	if a.tooSlow() {
		w.t.Errorf("too slow: %v", a)
	}
	w.nothingLeft()
}

// doingNothing is what the machine needs at the moment for any program.
func (w *world) doingNothing() time.Duration {
	start := time.Now()
	w.must(w.payu("version"), 0)
	return time.Since(start)
}

// keep writes the figures where people look after a run.
func (s *stopwatch) keep() {
	var b strings.Builder
	for _, a := range s.table {
		fmt.Fprintln(&b, a)
	}
	s.t.Logf("from the start of the process to the answer to initialize, %d runs each:\n%s", s.runs, &b)
	if err := os.WriteFile(filepath.Join(outDir, "answer-times.txt"), []byte(b.String()), 0o644); err != nil {
		s.t.Error(err)
	}
}

var (
	fromCatalogue = expectation{atOnce, "payu-sandbox"}
	ourOwn        = expectation{atOnce, "payu-mcp"}
	ourOwnLater   = expectation{firstAnswer, "payu-mcp"}
)

func asItIs() {}

// The host never waits: not for the server, nor for the token, nor for the
// keychain. Not parallel: the other tests would be measured too.
func TestAnswerTime_everyStateOfTheWorld(t *testing.T) {
	s := &stopwatch{t: t, runs: answerRuns(t)}
	defer s.keep()
	t.Run("tokens and servers", s.tokensAndServers)
	t.Run("PayU without a catalogue", s.payuWithoutCatalogue)
	t.Run("unknown endpoint", s.unknownEndpoint)
	t.Run("keychains", s.keychains)
	t.Run("stopped keychain", s.stoppedKeychain)
}

func (s *stopwatch) tokensAndServers(t *testing.T) {
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	s.measure(w, "token fresh", fromCatalogue, asItIs)

	sb.SetAccessTokenLife(time.Second)
	w.must(w.payu("login"), 0)
	before := sb.Log().Count(sandbox.Query{Path: "/oauth/authorize"})
	s.measure(w, "token expired", fromCatalogue, w.expired)
	w.expired()
	release := sb.Hold(func(e sandbox.Entry) bool { return e.Path == "/oauth/token" })
	s.measure(w, "token expired, token endpoint silent", fromCatalogue, asItIs)
	release()
	release = sb.Hold(func(e sandbox.Entry) bool { return e.Role == sandbox.RoleResource })
	s.measure(w, "token expired, endpoint silent", fromCatalogue, asItIs)
	release()

	sb.SetAccessTokenLife(0)
	sb.RevokeFromDashboard("B")
	s.measure(w, "token revoked", fromCatalogue, asItIs)
	if n := sb.Log().Count(sandbox.Query{Path: "/oauth/authorize"}); n != before {
		t.Errorf("%d sign-ins were begun by a start", n-before)
	}
	w.must(w.payu("login"), 0)
	secrets, at := sb.Secrets(), addressOf(t, sb.Endpoint())
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	s.measure(w, "remote down", fromCatalogue, asItIs)
	blackHole(t, at)
	s.measure(w, "remote black-holed", fromCatalogue, asItIs)
	w.noLeaks(secrets)
}

// expired waits until the stored token is past its end.
func (w *world) expired() {
	w.t.Helper()
	w.eventually("the token expires", answerLimit, func() bool {
		return strings.Contains(w.payu("status").stdout, "expired but refreshable")
	})
}

func addressOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// payuWithoutCatalogue is the first day: nobody has signed in, and the endpoint
// is PayU's own.
func (s *stopwatch) payuWithoutCatalogue(t *testing.T) {
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{TLS: true, HTTP2: true, PayUNames: true})
	ca := w.path("ca.pem")
	profile, err := json.Marshal(map[string]string{"ca_file": ca, "proxy": sb.ProxyURL()})
	if err != nil {
		t.Fatal(err)
	}
	w.noteFolder()
	for name, data := range map[string][]byte{ca: sb.CAPEM(), filepath.Join(w.state, "profile-default.json"): profile} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.measure(w, "PayU, no catalogue, signed out", ourOwn, asItIs)
	w.startBus()
	w.startSecrets().set(map[string]manner{"Collections": hangs, "Unlock": hangs})
	s.measure(w, "PayU, no catalogue, signed out, keychain hangs", ourOwn, asItIs)
	if n := sb.Log().Count(sandbox.Query{Path: "/oauth/authorize"}); n > 0 {
		t.Errorf("%d sign-ins were begun by a start", n)
	}
	at := addressOf(t, sb.ProxyURL())
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	s.measure(w, "PayU, no catalogue, signed out, remote down", ourOwn, asItIs)
	blackHole(t, at)
	s.measure(w, "PayU, no catalogue, signed out, remote black-holed", ourOwn, asItIs)
}

func (s *stopwatch) unknownEndpoint(t *testing.T) {
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	at := addressOf(t, sb.Endpoint())
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	blackHole(t, at)
	s.measure(w, "unknown endpoint, no catalogue, black-holed", ourOwnLater, asItIs, "--url", sb.Endpoint())
}

// keychains are all that a Secret Service can do to its clients (OAUTH K7 to
// K11), and its absence.
func (s *stopwatch) keychains(t *testing.T) {
	g, store := keychainLogin(t)
	w := g.w
	buses := busProcesses()
	s.measure(w, "keychain works", fromCatalogue, asItIs)
	for _, c := range []struct {
		state string
		does  map[string]manner
	}{
		{"keychain hangs", map[string]manner{"Collections": hangs, "Unlock": hangs}},
		{"keychain hangs with the secret", map[string]manner{"GetSecret": hangs}},
		{"keychain locked, prompt dismissed", map[string]manner{"Unlock": isDismissed}},
		{"keychain locked, prompt never answered", map[string]manner{"Unlock": promptsOnly}},
		{"keychain slow", map[string]manner{"Unlock": dawdles}},
	} {
		store.set(c.does)
		s.measure(w, c.state, fromCatalogue, asItIs)
	}
	s.measure(w, "keychain vanishes", fromCatalogue, func() {
		store = w.restartSecrets(store)
		store.set(map[string]manner{"Unlock": vanishes})
	})
	store = w.restartSecrets(store)
	g.kept()

	w.setenv("DBUS_SESSION_BUS_ADDRESS", "")
	w.setenv("XDG_RUNTIME_DIR", w.path("tmp"))
	path := w.getenv("PATH")
	w.setenv("PATH", w.path("home")) // nothing is there
	if _, err := os.Stat("/run/user/" + strconv.Itoa(os.Getuid()) + "/bus"); err == nil {
		t.Log("this session has a bus at its usual place: no bus is not to be had")
	}
	s.measure(w, "no bus", fromCatalogue, asItIs)
	w.setenv("PATH", path)
	w.setenv("DISPLAY", ":99") // dbus-launch would not even try without one
	if _, err := exec.LookPath("dbus-launch"); err != nil {
		t.Errorf("dbus-launch is not installed, so the next lines show nothing: %v", err)
	}
	s.measure(w, "no bus, dbus-launch installed", fromCatalogue, asItIs)
	if now := busProcesses(); !slices.Equal(now, buses) {
		t.Errorf("processes of a bus: %q, want %q", now, buses)
	}
	s.noPlaintext(g)
}

// stoppedKeychain is a real keyring that no longer runs and no longer fails.
func (s *stopwatch) stoppedKeychain(t *testing.T) {
	w := newWorld(t)
	w.startBus()
	k := w.startKeyring(true)
	sb := startSandbox(t, sandbox.Options{})
	w.visitor()
	w.must(w.payu("login", "--url", sb.Endpoint()), 0)
	g := &good{w: w, sb: sb, files: w.stored(), log: sb.Log().Len()}
	buses := busProcesses()
	if err := k.process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.measure(w, "keychain daemon stopped", fromCatalogue, asItIs)
	if now := busProcesses(); !slices.Equal(now, buses) {
		t.Errorf("processes of a bus: %q, want %q", now, buses)
	}
	s.noPlaintext(g)
	if err := k.process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// noPlaintext checks that a keychain in trouble led to no key in a file, and
// cost neither the login nor a sign-in.
func (s *stopwatch) noPlaintext(g *good) {
	g.w.t.Helper()
	if keys, _ := filepath.Glob(filepath.Join(g.w.state, "*.key")); len(keys) > 0 {
		g.w.t.Errorf("the key is in a file: %q", keys)
	}
	g.kept()
	if n := g.sb.Log().Count(sandbox.Query{Path: "/oauth/authorize", After: g.log}); n > 0 {
		g.w.t.Errorf("%d sign-ins were begun by a start", n)
	}
	g.w.noLeaks(g.sb.Secrets())
}

// busProcesses lists what runs below this test of D-Bus, with its number.
func busProcesses() []string {
	var found []string
	for _, pid := range descendants(os.Getpid()) {
		name, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
		if strings.HasPrefix(string(name), "dbus-") {
			found = append(found, strings.TrimSpace(string(name))+" "+strconv.Itoa(pid))
		}
	}
	slices.Sort(found)
	return found
}
