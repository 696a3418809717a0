package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

const doctorLong = `Look at everything that payu-mcp needs, and say of each fault on whose side it is and
what cures it: the network, the endpoint and its sign-in, the keychain, the login, the
hosts' configurations, the log. It works signed out, begins no sign-in, opens no
browser, and ends within half a minute. The report holds no secret and no personal
data: paste it into a message to support.

The exit code is 0 when nothing is at fault, 3 when nobody is signed in and nothing
else is at fault, else that of the first fault: 5 for the keychain, 6 for the network
or the server, 1 for anything else on this computer.`

const (
	// doctorLimit is for all checks together.
	doctorLimit = 20 * time.Second
	// doctorKeychain is how long the keychain may take for one step.
	doctorKeychain = 5 * time.Second
)

// doctor looks at one profile and endpoint.
type doctor struct {
	e    env
	o    *options
	p    *parts
	ring *keychain.Keyring

	reached chan bool // gets one value: whether the endpoint answers
	keyed   chan bool // gets one value: whether the login's key can be had
}

func newDoctorCmd(e env, o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong, on whose side, and what cures it",
		Long:  doctorLong + doctorChecks(),
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd, e, o, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	addLoginFlags(cmd.Flags(), &o.login)
	return cmd
}

func runDoctor(cmd *cobra.Command, e env, o *options, asJSON bool) error {
	if err := o.resolve(cmd, e.getenv); err != nil {
		return err
	}
	// What a check meets becomes a line; a log beside the report would say it twice.
	r := examine(cmd.Context(), e, o, slog.New(slog.DiscardHandler))
	if cmd.Context().Err() != nil {
		return errInterrupted
	}
	write := r.Text
	if asJSON {
		write = r.JSON
	}
	if err := write(e.stdout); err != nil {
		return err
	}
	return doctorResult(r)
}

// examine makes the report.
func examine(ctx context.Context, e env, o *options, log *slog.Logger) *diagnose.Report {
	endpoint := o.login.URL
	fill(&endpoint, auth.PayUEndpoint)
	r := &diagnose.Report{
		Version: buildinfo.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Profile: o.profile, Endpoint: endpoint, At: time.Now().Round(0).UTC(),
	}
	limited, cancel := context.WithTimeout(ctx, doctorLimit)
	defer cancel()
	d := &doctor{
		e: e, o: o, ring: keychain.NewKeyring(nil, doctorKeychain),
		reached: make(chan bool, 1), keyed: make(chan bool, 1),
	}
	p, err := wire(o, e, log, storeUse{keyring: d.ring})
	if d.p = p; err == nil {
		defer func() {
			// A refresh under way is stored, also when a person has pressed Ctrl-C.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
			defer cancel()
			_ = p.close(ctx)
		}()
	}
	r.Take(diagnose.Run(limited, d.checks(err)))
	home, _ := os.UserHomeDir() // without one there is nothing to shorten
	r.Finish(diagnose.NewCleaner(home))
	return r
}

// checks are all that can be looked at. Without parts, which need options that can
// be used and a state folder, that is what stands beside them.
func (d *doctor) checks(wireErr error) []diagnose.Check {
	beside := []diagnose.Check{
		{ID: "host", Side: diagnose.Here, Next: "see whether the disk answers", Do: d.hosts},
		{ID: "bridges", Side: diagnose.Here, Next: "see whether the disk answers", Do: d.bridges},
		{ID: "journal", Side: diagnose.Here, Next: "see whether the disk answers", Do: d.journal},
		{ID: "log", Side: diagnose.Here, Next: "see whether the disk answers", Do: d.log},
	}
	if wireErr != nil {
		return append([]diagnose.Check{{Do: func(context.Context) diagnose.Findings {
			return diagnose.Found(faultOf("settings", diagnose.Here, wireErr))
		}}}, beside...)
	}
	return append([]diagnose.Check{
		{ID: "connection", Side: diagnose.Network, Next: "check the network; behind a company proxy give --proxy", Do: d.network},
		{ID: "keychain", Side: diagnose.Here, Next: "restart the keychain's service, or keep the login in a file with payu-mcp login --store=file", Do: d.keychain},
		{ID: "callback", Side: diagnose.Here, Next: "give another --callback-port", Do: d.callback},
		{ID: "browser", Side: diagnose.Here, Next: "use payu-mcp login --no-browser", Do: d.browser},
		{ID: "state", Side: diagnose.Here, Next: "see whether the disk answers", Do: d.state},
		{ID: "login", Side: diagnose.Network, Next: "run payu-mcp doctor again", Do: d.login},
		{ID: "catalogue", Side: diagnose.Here, Next: "see whether the disk answers", Do: d.catalogue},
	}, beside...)
}

// faultOf is an error as a line.
func faultOf(id string, side diagnose.Side, err error) diagnose.Line {
	l := diagnose.Line{ID: id, Result: diagnose.Fault, Side: side, Text: oneLine(err.Error()), Next: hint.Of(err)}
	fill(&l.Next, "run payu-mcp doctor again; if it stays so, report it with this text")
	return l
}

// fine is a line that is no fault.
func fine(id string, side diagnose.Side, text string) diagnose.Line {
	return diagnose.Line{ID: id, Result: diagnose.OK, Side: side, Text: text}
}

// doctorResult is the error that has the report's exit code.
func doctorResult(r *diagnose.Report) error {
	signedOut := false
	for _, l := range r.Lines {
		switch {
		case l.ID == "login" && l.Result != diagnose.OK && l.Side != diagnose.Network:
			signedOut = true
		case l.Result != diagnose.Fault:
		case l.ID == "keychain":
			return errors.Join(errSilent, keychain.ErrUnavailable)
		case l.Side == diagnose.Network, l.Side == diagnose.PayU:
			return errors.Join(errSilent, auth.ErrServer)
		default:
			return errors.Join(errSilent, errors.New("a fault on this computer"))
		}
	}
	if signedOut {
		return errSignedOut
	}
	return nil
}
