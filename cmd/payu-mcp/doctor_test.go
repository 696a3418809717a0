package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/install"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// The exit code is that of the first fault; being signed out counts only alone.
func TestDoctorResult_exitCodes(t *testing.T) {
	t.Parallel()
	line := func(id string, r diagnose.Result, s diagnose.Side) diagnose.Line {
		return diagnose.Line{ID: id, Result: r, Side: s}
	}
	signedOut, revoked := line("login", diagnose.Warning, diagnose.Here), line("login", diagnose.Fault, diagnose.PayU)
	keychain, network := line("keychain", diagnose.Fault, diagnose.Here), line("names", diagnose.Fault, diagnose.Network)
	for name, c := range map[string]struct {
		lines []diagnose.Line
		want  int
	}{
		"nothing":               {nil, exitOK},
		"warnings":              {[]diagnose.Line{line("browser", diagnose.Warning, diagnose.Here), line("refresh", diagnose.Warning, diagnose.PayU)}, exitOK},
		"signed out":            {[]diagnose.Line{signedOut}, exitSignedOut},
		"revoked":               {[]diagnose.Line{revoked}, exitSignedOut},
		"keychain, signed out":  {[]diagnose.Line{keychain, signedOut}, exitNoKeychain},
		"network":               {[]diagnose.Line{network, signedOut}, exitServer},
		"PayU":                  {[]diagnose.Line{line("remote", diagnose.Fault, diagnose.PayU)}, exitServer},
		"network, keychain":     {[]diagnose.Line{network, keychain}, exitServer},
		"clock":                 {[]diagnose.Line{line("clock", diagnose.Fault, diagnose.Here), network}, exitError},
		"host, signed out":      {[]diagnose.Line{signedOut, line("host cursor", diagnose.Fault, diagnose.Host)}, exitError},
		"revoked, then another": {[]diagnose.Line{revoked, line("callback", diagnose.Fault, diagnose.Here)}, exitError},
	} {
		if got := exitCode(t.Context(), doctorResult(&diagnose.Report{Lines: c.lines})); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestEndpointLine_answers_resultAndSide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		kind   string
		result diagnose.Result
		side   diagnose.Side
	}{
		{401, "application/json", diagnose.OK, diagnose.PayU},
		{401, "text/html", diagnose.OK, diagnose.PayU},
		{200, "application/json", diagnose.OK, diagnose.PayU},
		{400, "application/json", diagnose.OK, diagnose.PayU},
		{200, "text/html; charset=utf-8", diagnose.Fault, diagnose.Network},
		{302, "", diagnose.Fault, diagnose.Network},
		{511, "text/html", diagnose.Fault, diagnose.Network},
		{403, "text/html", diagnose.Warning, diagnose.PayU},
		{404, "", diagnose.Fault, diagnose.PayU},
		{429, "", diagnose.Warning, diagnose.PayU},
		{503, "text/html", diagnose.Fault, diagnose.PayU},
	} {
		s := &diagnose.Seen{Stage: diagnose.StageDone, Status: c.status, Header: http.Header{"Content-Type": {c.kind}}}
		l := endpointLine(auth.PayUEndpoint, s)
		if l.Result != c.result || l.Side != c.side || (l.Next == "") != (c.result == diagnose.OK) || l.Text == "" {
			t.Errorf("%d %s: %+v", c.status, c.kind, l)
		}
	}
}

func TestRunningBridges_heldLocksCount_killedOnesAreSweptUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"bridge-4242.lock", "bridge-x.lock", "bridge-7.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := flock.New(filepath.Join(dir, "bridge-99.lock"), flock.SetPermissions(0o600))
	if ok, err := other.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	end := isRunning(dir, slog.New(slog.DiscardHandler))
	if got, err := runningBridges(dir); err != nil || !slices.Equal(got, slices.Sorted(slices.Values([]int{99, os.Getpid()}))) {
		t.Errorf("running: %v, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "bridge-4242.lock")); err == nil {
		t.Error("what a killed bridge left is still there")
	}
	end()
	if got, err := runningBridges(dir); err != nil || !slices.Equal(got, []int{99}) {
		t.Errorf("after the end: %v, %v", got, err)
	}
	if err := other.Unlock(); err != nil {
		t.Fatal(err)
	}
	if got, err := runningBridges(dir); err != nil || len(got) > 0 {
		t.Errorf("nobody runs: %v, %v", got, err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if want := []string{filepath.Join(dir, "bridge-7.json"), filepath.Join(dir, "bridge-x.lock")}; !slices.Equal(left, want) {
		t.Errorf("left: %q", left)
	}
	if got, err := runningBridges(filepath.Join(dir, "not-there")); err != nil || got != nil {
		t.Errorf("without a folder: %v, %v", got, err)
	}
}

// docs/doctor.md repeats the table of the source, row for row.
func TestDoctorTable_docs_sameRows(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "doctor.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, r := range doctorTable() {
		sides := make([]string, 0, len(r.sides))
		for _, s := range r.sides {
			sides = append(sides, string(s))
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", r.id, strings.Join(sides, ", "), r.what)
	}
	if !strings.Contains(string(doc), "| --- | --- | --- |\n"+want.String()+"\n") {
		t.Errorf("docs/doctor.md has another table; it should be\n%s", &want)
	}
}

func TestHostLines_states_resultsOnTheHostsSide(t *testing.T) {
	t.Parallel()
	found := func(s install.State, installed bool) install.Finding {
		return install.Finding{Host: "cursor", Name: "Cursor", Path: "/x/mcp.json", Entry: "payu", State: s, Installed: installed, Detail: "what is the matter", Advice: "payu-mcp install --client cursor"}
	}
	for state, want := range map[install.State]diagnose.Result{
		install.StateOurs: diagnose.OK, install.StateStale: diagnose.Fault, install.StateBroken: diagnose.Fault, install.StateStorePackage: diagnose.Fault,
		install.StateUnreadable: diagnose.Fault, install.StateDuplicate: diagnose.Warning, install.StateDifferent: diagnose.Warning, install.StateForeign: diagnose.Warning,
	} {
		lines := hostLines([]install.Finding{found(state, false), found(install.StateAbsent, false)})
		l := lines[0]
		if len(lines) != 1 || l.ID != "host:cursor" || l.Side != diagnose.Host || l.Result != want || (l.Next == "") != (want == diagnose.OK) || strings.Contains(l.Text, "the matter") == (want == diagnose.OK) || !strings.Contains(l.Text, "/x/mcp.json") {
			t.Errorf("%s: %+v", state, lines)
		}
	}
	for want, all := range map[string][]install.Finding{
		"none was found":               {found(install.StateAbsent, false)},
		"no host has an entry":         {found(install.StateAbsent, true)},
		"without an entry: Cursor":     {found(install.StateOurs, true), found(install.StateAbsent, true)},
		"starts payu-mcp by the entry": {found(install.StateOurs, true)},
	} {
		lines := hostLines(all)
		if last := lines[len(lines)-1]; !strings.Contains(last.Text, want) || (last.Result == diagnose.Warning) != (want == "no host has an entry") {
			t.Errorf("%s: %+v", want, lines)
		}
	}
}
