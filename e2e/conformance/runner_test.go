package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// outcome is what came of one scenario.
type outcome struct {
	list     string
	scenario string
	passed   int // checks
	faults   []string
	took     time.Duration
}

func (o outcome) ok() bool { return len(o.faults) == 0 }

// check is one entry of the suite's checks.json.
type check struct {
	ID           string `json:"id"`
	Status       string `json:"status"`
	Description  string `json:"description"`
	ErrorMessage string `json:"errorMessage"`
}

// runScenario runs one scenario and judges it: each FAILURE, each WARNING, and an
// end of the suite's runner that it calls bad is a fault, and so is, for a modern
// host, anything of the legacy way on the wire.
func runScenario(ctx context.Context, p places, l list, scenario string) (outcome, error) {
	o := outcome{list: l.name(), scenario: scenario}
	dir := filepath.Join(p.out, l.name(), strings.ReplaceAll(scenario, "/", "+"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return o, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*suiteLimit)
	defer cancel()
	cmd, err := suiteCommand(ctx, p, l, scenario, dir)
	if err != nil {
		return o, err
	}
	began := time.Now()
	out, runErr := cmd.CombinedOutput()
	o.took = time.Since(began)
	if err := os.WriteFile(filepath.Join(dir, "suite.log"), out, 0o644); err != nil {
		return o, err
	}
	checks, err := readChecks(dir)
	if err != nil {
		return o, fmt.Errorf("%w (%w)\n%s", err, runErr, out)
	}
	o.judge(checks)
	if runErr != nil && len(o.faults) == 0 {
		o.faults = append(o.faults, "the host failed: "+lastLine(filepath.Join(dir, "suite.log"), "host:"))
	}
	if l.host == modern {
		o.faults = append(o.faults, legacyWays(dir)...)
	}
	return o, nil
}

func suiteCommand(ctx context.Context, p places, l list, scenario, dir string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	recorder, err := filepath.Abs("record.mjs")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, p.node, "--import", recorder, filepath.Join(p.suite, "dist", "index.js"), "client",
		"--command", self+" drive", "--scenario", scenario, "--spec-version", l.version,
		"--timeout", strconv.FormatInt(suiteLimit.Milliseconds(), 10), "-o", dir)
	cmd.Env = append(os.Environ(), envBinary+"="+p.binary, envHost+"="+l.host, envDir+"="+dir,
		envWire+"="+filepath.Join(dir, "wire.jsonl"), "NO_COLOR=1")
	if l.login(scenario) {
		cmd.Env = append(cmd.Env, envLogin+"=1")
	}
	cmd.WaitDelay = 5 * time.Second
	return cmd, nil
}

// readChecks reads the one checks.json below dir; the suite names its folder by
// scenario and time, and slashes in the name make more folders.
func readChecks(dir string) ([]check, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "checks.json" {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) != 1 {
		return nil, errors.Join(fmt.Errorf("the suite left %d files of checks", len(files)), err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	var checks []check
	if err := json.Unmarshal(data, &checks); err != nil {
		return nil, fmt.Errorf("reading the checks: %w", err)
	}
	return checks, nil
}

func (o *outcome) judge(checks []check) {
	for _, c := range checks {
		switch c.Status {
		case "SUCCESS":
			o.passed++
		case "FAILURE", "WARNING":
			said := c.ErrorMessage
			if said == "" {
				said = c.Description
			}
			o.faults = append(o.faults, fmt.Sprintf("%s %s: %s", c.Status, c.ID, said))
		}
	}
	if o.passed == 0 && len(o.faults) == 0 {
		o.faults = append(o.faults, "nothing was checked")
	}
}

// exchange is one request that a server of the suite got, as record.mjs notes it.
type exchange struct {
	At      int64             `json:"at"` // ms
	Verb    string            `json:"verb"`
	Path    string            `json:"path"`
	RPC     string            `json:"rpc"`
	Headers map[string]string `json:"headers"`
}

// legacyWays finds what the bridge, not login, sent to the server and has no
// place with a modern host (RELAY M3).
func legacyWays(dir string) []string {
	began, err := os.ReadFile(filepath.Join(dir, bridgeMark))
	if err != nil {
		return []string{"no bridge was started"}
	}
	since, err := strconv.ParseInt(string(began), 10, 64)
	if err != nil {
		return []string{"the start of the bridge is not known: " + err.Error()}
	}
	data, err := os.ReadFile(filepath.Join(dir, "wire.jsonl"))
	if err != nil {
		return []string{"nothing was seen on the wire"}
	}
	var faults []string
	for line := range strings.Lines(string(data)) {
		var x exchange
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			return []string{"the record of the wire is broken: " + line}
		}
		if x.At >= since {
			faults = append(faults, x.legacyWays()...)
		}
	}
	return faults
}

func (x exchange) legacyWays() []string {
	switch {
	case x.RPC == "initialize", strings.HasPrefix(x.RPC, "notifications/"):
		return []string{"the bridge sent " + x.RPC + " for a modern host"}
	case x.RPC != "" && x.Headers["mcp-session-id"] != "":
		return []string{"the bridge sent a session id for a modern host"}
	case x.Verb == "DELETE", x.Verb == "GET" && !strings.HasPrefix(x.Path, "/.well-known/") && x.Headers["user-agent"] == "" && x.Headers["mcp-protocol-version"] != "":
		return []string{"the bridge sent " + x.Verb + " for a modern host"}
	default:
		return nil
	}
}

// lastLine is the last line of a file that begins with prefix.
func lastLine(file, prefix string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	found := ""
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), prefix); ok {
			found = strings.TrimSpace(rest)
		}
	}
	return found
}
