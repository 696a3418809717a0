package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const demoLong = `Play the whole story against a stand-in for PayU that runs in this process: a host
starts the bridge, signs in, calls tools, lives through an expiry and a revocation,
and signs out. Everything happens on this computer, in a temporary folder; your
keychain and your browser are not touched, unless --browser opens it for the sign-in.`

// demo is one run: the stand-in, the temporary home, and the host that is played.
type demo struct {
	out     io.Writer
	sandbox *sandbox.Sandbox
	self    string // our own program: the bridge that the host starts
	home    string // a temporary folder
	browser bool   // the person's own browser does the sign-in
	host    *demoHost
	seen    int // entries of the sandbox's log that were told already
}

// demoTokenLife lets an access token expire while the demo runs.
const demoTokenLife = 3 * time.Second

func newDemoCmd(e env) *cobra.Command {
	var browser bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play the whole story against a sandbox on this computer",
		Long:  demoLong,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), e, browser) },
	}
	cmd.Flags().BoolVar(&browser, "browser", false, "sign in yourself, in your own browser")
	return cmd
}

func runDemo(ctx context.Context, e env, browser bool) (err error) {
	d, err := newDemo(ctx, e.stdout, browser)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	d.sayHello()
	begin := time.Now()
	for i, step := range demoSteps() {
		fmt.Fprintf(d.out, "\n%2d. %s\n", i+1, step.title)
		at := time.Now()
		if err := step.run(d, ctx); err != nil {
			d.tellHops()
			return hint.With(fmt.Errorf("demo step %d (%s): %w", i+1, step.title, err), "if this stays, report it with the lines above")
		}
		d.tellHops()
		fmt.Fprintf(d.out, "    ok, %s\n", time.Since(at).Round(time.Millisecond))
	}
	return d.sayGoodbye(time.Since(begin))
}

func newDemo(ctx context.Context, out io.Writer, browser bool) (*demo, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the own program: %w", err)
	}
	home, err := os.MkdirTemp("", "payu-mcp-demo-")
	if err != nil {
		return nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	sb, err := sandbox.Start(ctx, sandbox.Options{Knobs: sandbox.Knobs{Token: sandbox.TokenKnobs{AccessLife: demoTokenLife}}})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the sandbox: %w", err), os.RemoveAll(home))
	}
	return &demo{out: out, sandbox: sb, self: self, home: home, browser: browser}, nil
}

func (d *demo) close() error {
	var err error
	if d.host != nil {
		err = d.host.stop()
	}
	return errors.Join(err, d.sandbox.Close(), os.RemoveAll(d.home))
}

// command is a run of our own program in the temporary home.
func (d *demo) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append(args, "--state-dir", filepath.Join(d.home, "state"))
	cmd := exec.CommandContext(ctx, d.self, args...)
	cmd.Env = d.environment()
	cmd.Stderr = indented{d.out}
	return cmd
}

// environment keeps what programs need and drops what could lead to the
// person's keychain, browser or settings.
func (d *demo) environment() []string {
	var kept []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		private := name == "DBUS_SESSION_BUS_ADDRESS" || strings.HasPrefix(name, "PAYU_MCP_")
		if !private && (d.browser || !strings.HasPrefix(name, "XDG_")) {
			kept = append(kept, kv)
		}
	}
	if !d.browser {
		kept = append(kept, "HOME="+d.home, "USERPROFILE="+d.home, auth.OpenerEnv+`="`+d.self+`" `+demoBrowserCommand)
	}
	return kept
}

func (d *demo) sayHello() {
	how := "A small program fills in the sign-in form; your browser stays closed."
	if d.browser {
		how = "Your browser opens for the sign-in: choose user B; the passphrase is 'sandbox'."
	}
	fmt.Fprintf(d.out, `payu-mcp demo
  PayU's stand-in  %s (endpoint), %s (sign-in)
  state folder     %s, removed at the end
  store            --store=file: the key lies beside the data. The demo does so to leave your keychain alone.
  %s
`, d.sandbox.Endpoint(), d.sandbox.AccountsOrigin(), filepath.Join(d.home, "state"), how)
}

func (d *demo) sayGoodbye(took time.Duration) error {
	_, err := fmt.Fprintf(d.out, `
All of it worked, in %s. For the real thing:

  payu-mcp install

It finds the hosts on this computer, shows what it would write, asks, and signs you in.
`, took.Round(10*time.Millisecond))
	return err
}
