package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/translate"
	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/keychain"
	"github.com/payu-mcp/payu-mcp/remote"
)

const (
	// closeLimit is how long a refresh under way may still take at the end, so
	// that its result is stored (RELAY S7).
	closeLimit = 10 * time.Second
	// relayLimit is how much of it the relay may have taken before, 3 s, and the
	// process needs to end.
	relayLimit = 3500 * time.Millisecond
)

// runBridge relays between the host and the endpoint until the host is gone.
func runBridge(cmd *cobra.Command, e env, o *options) error {
	if term.IsTerminal(int(e.stdin.Fd())) {
		return printWelcome(e.stdout)
	}
	limitMemory(e.getenv)
	if err := o.resolve(cmd, e.getenv); err != nil {
		return err
	}
	if err := o.checkForBridge(); err != nil {
		return err
	}
	log, closeLog, err := newLogger(o, e.stderr)
	if err != nil {
		return err
	}
	defer closeLog()
	p, err := wire(o, e, log, storeUse{keyring: keychain.NewKeyring(nil, keychain.BridgeDeadline), memory: true})
	if err != nil {
		return err
	}
	defer isRunning(o.stateDir, log)()
	hosted, cancel := withParent(cmd.Context())
	log.Info("the bridge has started", "version", buildinfo.Version(), "profile", o.profile, "endpoint", p.endpoint)
	err = p.bridge(hosted, o, e)
	cancel()
	if err != nil {
		log.Info("the bridge has ended", "err", err)
	} else {
		log.Info("the bridge has ended")
	}
	// The host is gone and the context may be over; what is left is bounded.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), closeLimit-relayLimit)
	defer cancel()
	return errors.Join(err, p.close(ctx))
}

func (p *parts) bridge(ctx context.Context, o *options, e env) error {
	r, err := p.remote(p.auth, remote.Limits{})
	if err != nil {
		return err
	}
	login := &signIns{parts: p, o: o}
	calls, closeJournal := o.journal(p.log)
	defer closeJournal()
	err = bridge.Run(ctx, bridge.Config{
		In: e.stdin, Out: e.stdout, Remote: translate.New(r, r.Era, p.log), Era: r.Era, Log: p.log,
		Journal: calls, JournalCommand: o.journalCommand(),
		Login: login, Policy: o.policy(), Changed: p.changed.note, Catalogue: &savedAnswers{parts: p, login: login},
	})
	if err != nil {
		return fmt.Errorf("relaying: %w", err)
	}
	return nil
}

func printWelcome(w io.Writer) error {
	_, err := io.WriteString(w, `payu-mcp is started by an MCP host, such as Claude Desktop, not by hand.

Put it into your hosts and sign in:  payu-mcp install
The same by hand:                    payu-mcp install --print
Sign in only:                        payu-mcp login
See who is signed in:                payu-mcp status
Try it without PayU:                 payu-mcp demo
`)
	if err != nil {
		return fmt.Errorf("printing what this program is: %w", err)
	}
	return nil
}
