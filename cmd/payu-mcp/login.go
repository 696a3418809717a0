package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/keychain"
	"github.com/payu-mcp/payu-mcp/remote"
)

const loginLong = `Sign in through the browser and keep the login sealed on this computer.

Signing in again replaces the login after it succeeded, and revokes the old one.
The options below are remembered in the profile, so that hosts need none of them.`

type loginOptions struct {
	*options

	noBrowser bool
	limit     time.Duration
}

func newLoginCmd(e env, o *options) *cobra.Command {
	lo := loginOptions{options: o}
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in through the browser",
		Long:  loginLong,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runLogin(cmd, e, lo) },
	}
	addLoginFlags(cmd.Flags(), &o.login)
	cmd.Flags().BoolVar(&lo.noBrowser, "no-browser", false, "sign in with a browser elsewhere: print the address, or a code where the server offers one")
	cmd.Flags().DurationVar(&lo.limit, "time-limit", auth.SignInLimit, "how long the sign-in may take")
	return cmd
}

func runLogin(cmd *cobra.Command, e env, lo loginOptions) error {
	if err := lo.resolve(cmd, e.getenv); err != nil {
		return err
	}
	if err := confirmForeign(e, lo.login, lo.givenToLogin()); err != nil {
		return err
	}
	log, closeLog, err := newLogger(lo.options, e.stderr)
	if err != nil {
		return err
	}
	defer closeLog()
	p, err := wire(lo.options, e, log, storeUse{keyring: keychain.NewKeyring(nil, keychain.LoginDeadline), limit: lo.limit})
	if err != nil {
		return err
	}
	err = p.login(cmd.Context(), lo, e)
	// Also after Ctrl-C: what is to be stored is stored.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), closeLimit)
	defer cancel()
	err = errors.Join(err, p.close(ctx))
	if err != nil && cmd.Context().Err() != nil {
		return errInterrupted
	}
	return err
}

func (p *parts) login(ctx context.Context, lo loginOptions, e env) error {
	// Before any browser opens: a login that cannot be kept is not asked for.
	if err := p.prepareStore(ctx); err != nil {
		return err
	}
	asks, err := p.asksForSignIn(ctx)
	if err != nil {
		return err
	}
	if !asks && p.endpoint != auth.PayUEndpoint {
		_, err := fmt.Fprintf(e.stdout, "%s answers without a sign-in, so there is nothing to store.\n", p.endpoint)
		return errors.Join(err, lo.remember(p.log))
	}
	cred, err := p.auth.SignIn(ctx, p.loginPrompt(ctx, e, lo.noBrowser))
	if err != nil {
		return err
	}
	if err := lo.remember(p.log); err != nil {
		return err
	}
	if err := p.printSignedIn(e.stdout, cred); err != nil {
		return err
	}
	if err := p.tryOut(ctx, e.stdout); err != nil {
		return err
	}
	return p.changed.report(e.stdout)
}

// tryOut uses the new login once, so that an account that may not use MCP is
// told now and not in the host. The login stays, whatever comes of it.
func (p *parts) tryOut(ctx context.Context, w io.Writer) error {
	err := p.introduce(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		return nil
	}
	_, err = fmt.Fprintf(w, "\nThe login is stored, but the endpoint does not accept it: %s.\nWhat helps: %s.\n", printable.Line(redact.Text(err.Error()), longestValue), hint.Of(err))
	return err
}

// prepareStore finds out whether a login could be kept. It waits for a person who
// unlocks the keychain, and no longer for another process.
func (p *parts) prepareStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*keychain.LoginDeadline/2)
	defer cancel()
	return p.store.Prepare(ctx)
}

// asksForSignIn meets the endpoint without a token: only its 401 leads to a
// sign-in, and says where (OAUTH A1).
func (p *parts) asksForSignIn(ctx context.Context) (bool, error) {
	err := p.hello(ctx, bare{p.auth})
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, remote.ErrSignIn):
		return true, nil
	default:
		return false, notReached(err)
	}
}

// notReached marks the endpoint's fault for the exit code.
func notReached(err error) error {
	return fmt.Errorf("asking the endpoint: %w", kindError{err, auth.ErrServer})
}

func (p *parts) loginPrompt(ctx context.Context, e env, noBrowser bool) auth.Prompt {
	if noBrowser {
		return handOutPrompt(ctx, e)
	}
	w := e.stdout
	return auth.Prompt{Anew: true, Open: p.opener.Open, ShowCode: codeShower(w), Show: func(url string, openErr error) {
		if openErr != nil {
			fmt.Fprintf(w, "The browser could not be opened: %v.\nOpen the address above by hand, in a browser on this computer.\nFrom another computer (SSH, WSL, a container) use: payu-mcp login --no-browser\n", openErr)
			return
		}
		fmt.Fprintf(w, "The browser opens for the sign-in. If it does not, go to:\n\n%s\n\n", url)
	}}
}

func (p *parts) printSignedIn(w io.Writer, cred *auth.Credential) error {
	var b strings.Builder
	b.WriteString("Signed in")
	if cred.Account != "" {
		b.WriteString(" as " + cred.Account)
	}
	fmt.Fprintf(&b, ".\n  endpoint   %s\n", p.endpoint)
	s := cred.Summary()
	if len(s.Scopes) > 0 {
		fmt.Fprintf(&b, "  scopes     %s\n", printable.Line(strings.Join(s.Scopes, " "), longestValue))
	}
	fmt.Fprintf(&b, "  valid      %s\n  stored in  %s\n", validity(s), describeStore(p.store.Kind()))
	_, err := io.WriteString(w, b.String())
	return err
}

func validity(s auth.Summary) string {
	text := "until the server ends it"
	if !s.Expiry.IsZero() {
		text = "until " + s.Expiry.Local().Format("2006-01-02 15:04:05")
		if s.Refreshable {
			text += ", then renewed by itself"
		}
	}
	return text
}

func describeStore(k keychain.Kind) string {
	switch k {
	case keychain.KindKeychain:
		return "a sealed file, its key in the system's keychain"
	case keychain.KindFile:
		return "a sealed file with its key in a file beside it: whoever can read your files can read it"
	case keychain.KindMemory:
		return "memory only: it ends with the program"
	}
	return string(k)
}
