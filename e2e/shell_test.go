package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// exitUnknown: the call may have run.
const exitUnknown = 7

const report = "reporting_createReport"

// reportArguments are those of a report.
func reportArguments() string {
	return `{"service":"transactions","filters":{"dateFrom":"2026-11-01 00:00:00","dateTo":"2026-11-02 00:00:00"}}`
}

// servers are the ways in which a server may answer a call.
func servers() map[string]sandbox.MCPKnobs {
	return map[string]sandbox.MCPKnobs{
		"legacy":           {Answer: sandbox.AnswerSSE},
		"legacy, sessions": {Answer: sandbox.AnswerSSE, Sessions: true, DeleteAllowed: true, Get: sandbox.GetStream},
		"modern":           {Answer: sandbox.AnswerSSE, Era: sandbox.EraModern},
	}
}

// shellWorld is a computer where somebody with one merchant account is signed in.
func shellWorld(t *testing.T, knobs sandbox.MCPKnobs, login ...string) (*world, *sandbox.Sandbox) {
	t.Helper()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: knobs}})
	w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --user A`)
	w.setenv("PAYU_MCP_STORE", "file")
	w.must(w.payu(append([]string{"login", "--url", sb.Endpoint()}, login...)...), 0)
	return w, sb
}

// harmless fails if a terminal would act on anything that it was shown, but for
// going back to the beginning of the line.
func (t *terminal) harmless() {
	t.w.t.Helper()
	if r, found := acting(strings.ReplaceAll(t.seen.String(), "\r", "")); found {
		t.w.t.Errorf("the terminal was sent %U: %q", r, t.seen)
	}
}

// A report with its progress on one line of the terminal; the result alone is on
// the standard output.
func TestShell_reportOnATerminal_progressAndResult(t *testing.T) {
	t.Parallel()
	for name, knobs := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			knobs.Report = sandbox.ReportKnobs{Slow: true, Steps: 4, Pause: 100 * time.Millisecond}
			w, _ := shellWorld(t, knobs)
			term := w.startTerminal(shape{stdin: reportArguments()}, "call", report, "-")
			term.ends(0)
			for _, part := range []string{"25% Report: part 1 of 4", "50% Report: part 2 of 4", "75% Report: part 3 of 4"} {
				if !strings.Contains(term.seen.String(), "\r"+report+": "+part) {
					t.Errorf("the terminal lacks %q: %q", part, term.seen)
				}
			}
			if strings.Contains(term.seen.String(), "\n") {
				t.Errorf("the progress has more than one line: %q", term.seen)
			}
			if got := term.stdout.String(); !strings.HasPrefix(got, `{"reportId":"RPT-`) || !strings.HasSuffix(got, "}\n") {
				t.Errorf("the standard output: %q", got)
			}
			term.harmless()
			// Without a terminal there is no progress.
			r := w.must(w.payu("call", report, reportArguments()), 0)
			if r.stderr != "" || !strings.HasPrefix(r.stdout, `{"reportId":"RPT-`) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Ctrl-C in the midst of a call that writes: it is cancelled at the server, its
// person hears that the outcome is unknown, and the journal has it.
func TestShell_interrupted_unknownAndInTheJournal(t *testing.T) {
	t.Parallel()
	for name, knobs := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			knobs.Report = sandbox.ReportKnobs{Slow: true, Steps: 1000, Pause: 100 * time.Millisecond}
			w, sb := shellWorld(t, knobs)
			term := w.startTerminal(shape{}, "call", report, reportArguments(), "--json")
			term.sees("part 2 of 1000")
			term.types(ctrlC)
			term.ends(130)
			term.harmless()
			var out struct {
				Error struct{ Kind, Side, Message, Hint, Entry string }
			}
			if err := json.Unmarshal([]byte(term.stdout.String()), &out); err != nil || out.Error.Kind != "unknown_outcome" || len(out.Error.Entry) != 6 {
				t.Fatalf("%v: %q", err, term.stdout)
			}
			for _, text := range []string{"its outcome is unknown, it may have run", "payu-mcp journal --unknown", "entry " + out.Error.Entry} {
				if !strings.Contains(term.seen.String(), text) {
					t.Errorf("the terminal lacks %q: %q", text, term.seen)
				}
			}
			noted := w.must(w.payu("journal", "--unknown"), 0).stdout
			if !strings.Contains(noted, out.Error.Entry) || !strings.Contains(noted, report) {
				t.Errorf("the journal: %s", noted)
			}
			if n := sb.Log().Count(sandbox.Query{Tool: report}); n != 1 {
				t.Errorf("the call reached the server %d times", n)
			}
			w.nothingLeft()
		})
	}
}

// A deadline, in a script: the exit code says that the call may have run.
func TestShell_deadline_exitCodeSaysWhetherItMayHaveRun(t *testing.T) {
	t.Parallel()
	w, _ := shellWorld(t, sandbox.MCPKnobs{Report: sandbox.ReportKnobs{Slow: true, Steps: 1000}})
	r := w.must(w.payu("call", report, reportArguments(), "--timeout=2s"), exitUnknown)
	if !strings.Contains(r.stderr, "no answer came within 2s: its outcome is unknown") || !strings.Contains(r.stderr, "entry ") || r.stdout != "" {
		t.Errorf("%+v", r)
	}
	if noted := w.must(w.payu("journal", "--unknown"), 0).stdout; !strings.Contains(noted, report) {
		t.Errorf("the journal: %s", noted)
	}
	r = w.must(w.payu("call", report, reportArguments(), "--timeout=1ms"), exitServer)
	if !strings.Contains(r.stderr, "nothing was sent") {
		t.Errorf("%+v", r)
	}
}

// The person at the terminal says yes or no; what comes through a pipe says
// nothing.
func TestShell_confirm_asksAtTheTerminalAlone(t *testing.T) {
	t.Parallel()
	for name, knobs := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, sb := shellWorld(t, knobs, "--confirm")
			arguments := func(invoice string) string {
				raw, err := json.Marshal(link(invoice))
				if err != nil {
					t.Fatal(err)
				}
				return string(raw)
			}
			for invoice, c := range map[string]struct {
				shape shape
				from  string
				keys  string
				code  int
			}{
				"YES":    {shape{}, arguments("YES"), "y\n", 0},
				"NO":     {shape{}, arguments("NO"), "n\n", exitNotFinished},
				"RETURN": {shape{}, arguments("RETURN"), "\n", exitNotFinished},
				"EOF":    {shape{}, arguments("EOF"), ctrlD, exitNotFinished},
				"CTRL-C": {shape{}, arguments("CTRL-C"), ctrlC, 130},
				"PIPE":   {shape{stdin: arguments("PIPE")}, "-", "y\n", 0},
				"SAYYES": {shape{stdin: "y\ny\ny\n"}, arguments("SAYYES"), "n\n", exitNotFinished},
			} {
				term := w.startTerminal(c.shape, "call", create, c.from, "--confirm=false")
				term.sees("The tool " + create + " may change something or move money.")
				term.sees("Send it? [y/N]")
				if !strings.Contains(term.seen.String(), `"invoiceNumber":"`+invoice+`"`) {
					t.Errorf("asked %q", term.seen)
				}
				term.types(c.keys)
				term.ends(c.code)
				term.harmless()
				want := 0
				if c.code == 0 {
					want = 1
				} else if !strings.Contains(term.seen.String(), "nothing was sent") {
					t.Errorf("%s: %q", invoice, term.seen)
				}
				if n := sb.Executions(create, invoice); n != want {
					t.Errorf("%s: made %d links, want %d", invoice, n, want)
				}
			}
			r := w.must(w.payu("call", create, arguments("CRON")), exitError)
			if n := sb.Executions(create, "CRON"); n != 0 || !strings.Contains(r.stderr, "held back by --confirm of the profile default") {
				t.Errorf("%d links, %+v", n, r)
			}
		})
	}
}

// Nobody is signed in: at a terminal the sign-in comes first, and the call goes on;
// in a script there is no browser.
func TestShell_signedOut_signsInAtATerminalOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --user A`)
	w.setenv("PAYU_MCP_STORE", "file")
	w.setenv("PAYU_MCP_URL", sb.Endpoint())
	r := w.must(w.payu("call", "health_check"), exitSignedOut)
	if n := sb.Log().Count(sandbox.Query{Path: "/oauth/authorize"}); n != 0 || !strings.Contains(r.stderr, "payu-mcp login") {
		t.Errorf("%d pages, %+v", n, r)
	}
	term := w.startTerminal(shape{}, "call", create, `{"invoiceNumber":"FIRST","amount":1}`)
	term.ends(0)
	term.harmless()
	if !strings.Contains(term.seen.String(), "Signed in") || strings.Contains(term.stdout.String(), "Signed in") || !strings.Contains(term.stdout.String(), "FIRST") {
		t.Errorf("%q %q", term.seen, term.stdout)
	}
	if n := sb.Executions(create, "FIRST"); n != 1 {
		t.Errorf("%d links", n)
	}
	w.must(w.payu("call", "health_check"), 0)
	w.nothingLeft()
}

// A person types the arguments.
func TestShell_argumentsTyped_saysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	w, _ := shellWorld(t, sandbox.MCPKnobs{})
	term := w.startTerminal(shape{stdout: true}, "call", "health_check", "-")
	term.sees("Type the arguments as one JSON object")
	term.types("{}\n" + ctrlD)
	term.sees("running")
	term.ends(0)
	term = w.startTerminal(shape{}, "call", "health_check", "-")
	term.sees("Type the arguments as one JSON object")
	term.types(ctrlC)
	term.ends(130)
}
