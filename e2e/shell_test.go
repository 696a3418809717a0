package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
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
// tabs and for going back to the beginning of the line, or if a line of the server's
// looks like one of ours.
func (t *terminal) harmless() {
	t.w.t.Helper()
	seen := strings.NewReplacer("\r", "", "\t", "").Replace(t.seen.String())
	if r, found := acting(seen); found {
		t.w.t.Errorf("the terminal was sent %U: %.3000q", r, seen)
	}
	if strings.Contains("\n"+seen, "\npayu-mcp: hint: run rm") {
		t.w.t.Errorf("the server forged a line: %.3000q", seen)
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
				"SAYYES": {shape{stdin: "y\nyes\n"}, arguments("SAYYES"), "n\n", exitNotFinished},
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

// A server writes terminal escapes, forged lines of ours and a book into each of its
// texts. A terminal gets none of it; a pipe gets the bytes as they came.
func TestShell_hostileTexts_harmlessOnATerminalAsTheyCameInAPipe(t *testing.T) {
	t.Parallel()
	evil := fault.EvilText() + "\npayu-mcp: hint: run rm"
	forged := map[string]any{"source": "payu-mcp", "kind": "unreachable", "side": "network", "hint": evil, "entry": evil}
	for name, c := range map[string]struct {
		result map[string]any // of the call
		rpc    map[string]any // or its error
		code   int
	}{
		"text":       {result: map[string]any{"content": []any{map[string]any{"type": "text", "text": evil}}}},
		"error":      {result: map[string]any{"content": []any{map[string]any{"type": "text", "text": evil}}, "isError": true}, code: exitError},
		"structured": {result: map[string]any{"content": []any{}, "structuredContent": map[string]any{evil: evil}}},
		"others": {result: map[string]any{"content": []any{
			map[string]any{"type": "image", "mimeType": evil, "data": evil},
			map[string]any{"type": evil},
			map[string]any{"type": "resource_link", "name": evil, "uri": evil},
			map[string]any{"type": "resource", "resource": map[string]any{"uri": evil, "text": evil}},
		}}},
		"JSON-RPC error": {rpc: map[string]any{"code": -32000, "message": evil, "data": forged}, code: exitError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := newWorld(t), &fault.Injector{}
			sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap})
			w.visitor()
			w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
			tools := []any{
				map[string]any{
					"name": "evil", "title": evil, "description": evil, "annotations": map[string]any{evil: evil},
					"inputSchema": map[string]any{"type": "object", "properties": map[string]any{evil: map[string]any{"type": evil, "enum": []any{evil}, "default": evil, "description": evil}}},
				},
				map[string]any{"name": evil, "description": evil},
				map[string]any{"name": "evi1\x1b[31m"},
			}
			in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/list" }, -1, answering(map[string]any{"tools": tools}))
			answer := answering(c.result)
			if c.rpc != nil {
				answer = refusing(c.rpc)
			}
			in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1, answer)
			for _, args := range [][]string{{"call", "evil"}, {"call", "evil", "--json"}, {"tools"}, {"tools", "evil"}, {"tools", "--json"}, {"tools", "evil", "--json"}, {"call", "evi"}} {
				term := w.startTerminal(shape{stdout: true}, args...)
				<-term.ended
				term.harmless()
				if code := term.cmd.ProcessState.ExitCode(); args[0] == "call" && args[1] == "evil" && code != c.code {
					t.Errorf("%v: exit code %d, want %d", args, code, c.code)
				}
			}
			if name == "text" {
				if r := w.must(w.payu("call", "evil"), 0); r.stdout != evil+"\n" {
					t.Errorf("the pipe got %q", r.stdout)
				}
			}
			if r := w.payu("call", "evil"); strings.Contains(r.stderr, "\npayu-mcp: hint:") && name == "JSON-RPC error" {
				t.Errorf("the server gave a hint: %q", r.stderr)
			}
		})
	}
}

// refusing answers a JSON-RPC request with an error.
func refusing(rpc any) fault.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		var m struct{ ID json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&m) // the bridge's own
		fault.Document(http.StatusOK, map[string]any{"jsonrpc": "2.0", "id": m.ID, "error": rpc})(w, r, nil)
	}
}

// SIGTERM, as from a service manager, without a terminal; and a second Ctrl-C, which
// does not wait for anything. The journal has both.
func TestShell_signals_unknownInTheJournal(t *testing.T) {
	t.Parallel()
	w, in := newWorld(t), &fault.Injector{}
	sb := startSandbox(t, sandbox.Options{Wrap: in.Wrap})
	w.setenv("PAYU_MCP_BROWSER", `"`+binary+`" demo-browser --user A`)
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	reached := make(chan struct{}, 4)
	in.AddIf(func(r fault.Request) bool { return r.RPC == "tools/call" }, -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		reached <- struct{}{}
		fault.Silence()(w, r, next)
	})

	cmd := exec.CommandContext(t.Context(), binary, "call", create, `{"invoiceNumber":"TERM","amount":1}`)
	said := w.sink("stderr of a script")
	cmd.Env, cmd.Stderr = w.env, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	_ = cmd.Process.Signal(syscall.SIGTERM)
	w.within(10*time.Second, func() { _ = cmd.Wait() })
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(said.String(), "its outcome is unknown, it may have run") {
		t.Errorf("exit code %d: %s", code, said)
	}

	term := w.startTerminal(shape{}, "call", create, `{"invoiceNumber":"TWICE","amount":1}`)
	<-reached
	w.eventually("the second Ctrl-C ends it", 10*time.Second, func() bool {
		term.types(ctrlC)
		select {
		case <-term.ended:
			return true
		default:
			return false
		}
	})
	if status, ok := term.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended by %v: %q", term.cmd.ProcessState, term.seen)
	}
	noted := w.must(w.payu("journal", "--unknown"), 0).stdout
	if !strings.Contains(noted, "TERM") || !strings.Contains(noted, "TWICE") {
		t.Errorf("the journal: %s", noted)
	}
	if n := sb.Log().Count(sandbox.Query{Tool: create}); n != 2 {
		t.Errorf("the calls reached the server %d times", n)
	}
}

// Nobody reads the output any more, or the disk behind it is full: a call that writes
// has run, and its script must not repeat it.
func TestShell_outputLost_writeIsUnknownToItsScript(t *testing.T) {
	t.Parallel()
	w, sb := shellWorld(t, sandbox.MCPKnobs{})
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for invoice, out := range map[string]*os.File{"FULL": full, "GONE": goneReader(t)} {
		r := w.into(out, "call", create, `{"invoiceNumber":"`+invoice+`","amount":1}`)
		if r.code != exitUnknown || !strings.Contains(r.stderr, "the tool was used, but its result could not be printed") {
			t.Errorf("%s: %+v", invoice, r)
		}
		if n := sb.Executions(create, invoice); n != 1 {
			t.Errorf("%s: %d links", invoice, n)
		}
	}
	for _, args := range [][]string{{"tools"}, {"tools", "--json"}, {"call", "health_check"}} {
		if r := w.into(goneReader(t), args...); r.code != 0 || r.stderr != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// goneReader is a pipe that nobody reads.
func goneReader(t *testing.T) *os.File {
	t.Helper()
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	t.Cleanup(func() { _ = out.Close() })
	return out
}

// into runs payu-mcp with its standard output in a file.
func (w *world) into(out *os.File, args ...string) result {
	w.t.Helper()
	errs := w.sink("stderr of a command")
	cmd := exec.CommandContext(w.t.Context(), binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = w.env, out, errs
	_ = cmd.Run() // its exit code tells
	return result{code: cmd.ProcessState.ExitCode(), stderr: errs.String()}
}

// What a server asks its host for in the midst of a call: a person at a terminal is
// told, and nothing is made up; without one nobody is asked.
func TestShell_serverAsks_toldAndDeclined(t *testing.T) {
	t.Parallel()
	for name, knobs := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			knobs.Tools = sandbox.ToolKnobs{Ask: true}
			w, _ := shellWorld(t, knobs)
			term := w.startTerminal(shape{}, "call", sandbox.AskTool)
			term.sees("PayU asks for input that this command cannot take, so it was told no: A note for this probe?")
			term.ends(0)
			if !strings.Contains(term.stdout.String(), `"action":"decline"`) {
				t.Errorf("%q", term.stdout)
			}
			w.must(w.payu("call", sandbox.AskTool), exitError)
		})
	}
}
