package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The suite kills only the shell that it starts us from, so we end by ourselves
// before that.
const (
	driveLimit = 25 * time.Second
	suiteLimit = 30 * time.Second
	endLimit   = 15 * time.Second // RELAY S7 and some
)

// Kinds of host.
const (
	legacy = "legacy"
	modern = "modern"
)

// What the test tells the driver, through the suite's runner.
const (
	envBinary = "CONFORMANCE_BINARY" // the built payu-mcp
	envHost   = "CONFORMANCE_HOST"   // legacy, modern
	envLogin  = "CONFORMANCE_LOGIN"  // not empty: run `payu-mcp login` first
	envDir    = "CONFORMANCE_DIR"    // where the home of this run is made and logs are kept
	envWire   = "CONFORMANCE_WIRE"   // record.mjs notes the requests here
)

// cimdURL is the client id that auth/basic-cimd expects. Nobody fetches it.
const cimdURL = "https://conformance-test.local/client-metadata.json"

// driver is one run of one scenario: a home of its own, a bridge, a host.
type driver struct {
	scenario string
	url      string
	dir      string
	env      []string
	context  scenarioContext
}

// scenarioContext is what the suite tells a client beforehand.
type scenarioContext struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	ToolCalls    []struct {
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	} `json:"toolCalls"`
}

// drive is the command that the suite runs: a host and the bridge. What it prints
// is kept by the suite.
func drive(url string) int {
	ctx, cancel := context.WithTimeout(context.Background(), driveLimit)
	defer cancel()
	d, err := newDriver(url)
	if err == nil {
		err = d.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		return 1
	}
	return 0
}

func newDriver(url string) (*driver, error) {
	d := &driver{scenario: os.Getenv("MCP_CONFORMANCE_SCENARIO"), url: url, dir: os.Getenv(envDir)}
	if raw := os.Getenv("MCP_CONFORMANCE_CONTEXT"); raw != "" {
		if err := json.Unmarshal([]byte(raw), &d.context); err != nil {
			return nil, fmt.Errorf("reading the scenario's context: %w", err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp(d.dir, "home")
	if err != nil {
		return nil, err
	}
	d.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home,
		fmt.Sprintf("PAYU_MCP_BROWSER=%q visit", self),
		"PAYU_MCP_STORE=file", "PAYU_MCP_URL=" + url, "PAYU_MCP_STATE_DIR=" + filepath.Join(home, "state"),
		"PAYU_MCP_LOG_LEVEL=debug", "PAYU_MCP_LOG_FILE=" + filepath.Join(d.dir, "payu-mcp.log"),
	}
	return d, d.client(home)
}

// client gives payu-mcp the client id that the scenario wants it to have.
func (d *driver) client(home string) error {
	if d.scenario == "auth/basic-cimd" {
		d.env = append(d.env, "PAYU_MCP_CLIENT_METADATA_URL="+cimdURL)
	}
	if id := d.context.ClientID; id != "" {
		d.env = append(d.env, "PAYU_MCP_CLIENT_ID="+id)
	}
	if d.context.ClientSecret == "" {
		return nil
	}
	file := filepath.Join(home, "client-secret")
	d.env = append(d.env, "PAYU_MCP_CLIENT_SECRET_FILE="+file)
	return os.WriteFile(file, []byte(d.context.ClientSecret), 0o600)
}

func (d *driver) run(ctx context.Context) error {
	if os.Getenv(envLogin) != "" {
		if err := d.login(ctx); err != nil {
			return err
		}
	}
	return d.bridge(ctx, func(h host, pipes *stdio) error {
		if err := h.open(ctx); err != nil {
			return err
		}
		return stepsOf(d.scenario)(ctx, &play{host: h, pipes: pipes, context: d.context})
	})
}

// login lets payu-mcp meet the server before a host does, as a person would.
func (d *driver) login(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, os.Getenv(envBinary), "login")
	cmd.Env = d.env
	out, err := cmd.CombinedOutput()
	fmt.Fprintf(os.Stderr, "login:\n%s\n", out)
	if err != nil {
		return fmt.Errorf("payu-mcp login: %w", err)
	}
	return nil
}

// bridge starts the bridge, lets use have it, and ends it as hosts do: by EOF.
func (d *driver) bridge(ctx context.Context, use func(host, *stdio) error) error {
	cmd := exec.CommandContext(ctx, os.Getenv(envBinary))
	cmd.Env, cmd.Stderr = d.env, os.Stderr
	cmd.WaitDelay = time.Second
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	// From now on, what the wire shows is the bridge's doing.
	if err := d.mark(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the bridge: %w", err)
	}
	pipes := newStdio(in, os.Stderr)
	go pipes.read(out)
	var h host = legacyHost{pipes}
	if os.Getenv(envHost) == modern {
		h = &modernHost{stdio: pipes, version: modernVersion}
	}
	err := use(h, pipes)
	faults := errors.Join(end(in, pipes, cmd), pipes.fault())
	if faults != nil {
		// Some scenarios allow a client that fails; none allows this.
		faults = errors.Join(faults, os.WriteFile(filepath.Join(d.dir, bridgeFaults), []byte(faults.Error()), 0o600))
	}
	return errors.Join(err, faults)
}

// mark notes when the bridge began.
func (d *driver) mark() error {
	return os.WriteFile(filepath.Join(d.dir, bridgeMark), fmt.Append(nil, time.Now().UnixMilli()), 0o600)
}

// Files by which the driver tells the test something past the suite.
const (
	bridgeMark   = "bridge-began"  // when, in ms
	bridgeFaults = "bridge-faults" // a broken line, an end that was none
)

func end(in io.Closer, pipes *stdio, cmd *exec.Cmd) error {
	_ = in.Close()
	select {
	case <-pipes.ended:
	case <-time.After(endLimit):
		_ = cmd.Process.Kill()
		<-pipes.ended
		return fmt.Errorf("the bridge is still there %s after its stdin ended", endLimit)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the end of the bridge: %w", err)
	}
	return nil
}

// awaitStream waits until the bridge has its stand-alone stream open, which the
// server needs to ask the host something. Hosts do not know; here a question that
// is lost would only show that the call came too early.
func awaitStream(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		wire, err := os.ReadFile(os.Getenv(envWire))
		if err == nil && strings.Contains(string(wire), `"verb":"GET"`) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the bridge opened no stream of its own")
		case <-tick.C:
		}
	}
}
