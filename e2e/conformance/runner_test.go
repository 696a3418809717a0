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

func (o *outcome) ok() bool { return len(o.faults) == 0 }

// blame adds what the suite does not see.
func (o *outcome) blame(said ...string) { o.faults = append(o.faults, said...) }

func (o *outcome) told() string {
	var b strings.Builder
	for _, said := range o.faults {
		b.WriteString("\n\t" + said)
	}
	return b.String()
}

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
	if faults, err := os.ReadFile(filepath.Join(dir, bridgeFaults)); err == nil {
		o.blame(string(faults))
	}
	if runErr != nil && len(o.faults) == 0 {
		o.blame("the host failed: " + lastLine(string(out), "host:"))
	}
	if words := refusal(scenario); !strings.Contains(string(out), words) {
		o.blame("the sign-in was not refused with: " + words)
	}
	if l.host == modern {
		faults, err := legacyWays(dir)
		if err != nil {
			return o, err
		}
		o.blame(faults...)
	}
	return o, nil
}

// refusal is what payu-mcp has to say where the suite is content with a client
// that gives up, for whatever reason (RELAY section 9, weak scenarios).
func refusal(scenario string) string {
	switch scenario {
	case "auth/iss-supported-missing":
		return "does not say which authorization server it is from"
	case "auth/iss-wrong-issuer", "auth/iss-unexpected", "auth/iss-normalized":
		return "came from another authorization server than the one asked"
	case "auth/metadata-issuer-mismatch":
		return "its issuer is"
	case "auth/resource-mismatch":
		return "the protected resource metadata is for"
	default:
		return ""
	}
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
			o.blame(fmt.Sprintf("%s %s: %s", c.Status, c.ID, said))
		}
	}
	if o.passed == 0 && len(o.faults) == 0 {
		o.blame("nothing was checked")
	}
}

// lastLine is the last line of text that begins with prefix, without it.
func lastLine(text, prefix string) string {
	found := ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), prefix); ok {
			found = strings.TrimSpace(rest)
		}
	}
	return found
}
