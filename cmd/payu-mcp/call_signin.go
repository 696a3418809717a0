package main

import (
	"context"
	"errors"
	"os"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// signInAdvice is what helps who is not signed in, for this profile.
func (o *options) signInAdvice() string {
	return "sign in with `" + o.command("login") + "` in a terminal, then repeat the command"
}

// nobody is the error that nobody is signed in, if the disk alone shows that.
func (s *signIns) nobody() error {
	switch s.Standing() {
	case bridge.StandingSignedOut:
		return s.o.needsLogin("nobody is signed in, so nothing was sent")
	case bridge.StandingEnded:
		return s.o.needsLogin("PayU has ended the sign-in that was there, so nothing was sent")
	case bridge.StandingSignedIn, bridge.StandingUnknown:
	}
	return nil
}

func (o *options) needsLogin(text string) error {
	return hint.With(kindError{errors.New(text), errNeedsLogin}, o.signInAdvice())
}

// signIn lets the person at the terminal sign in, as `login` does; without one,
// why is the error. All that it prints goes to the standard error: the result has
// the other one for itself.
func (s *shell) signIn(ctx context.Context, p *parts, why error) error {
	if s.person == nil || !p.opener.Present(ctx) {
		return why
	}
	if err := p.mayAskToSignIn(ctx, s.options); err != nil {
		return err
	}
	if err := p.prepareStore(ctx); err != nil {
		return err
	}
	e := s.e
	e.stdout, _ = e.stderr.(*os.File) // it is one: there is a terminal
	if asks, err := p.asksForSignIn(ctx); err != nil || !asks {
		return err
	}
	cred, err := p.auth.SignIn(ctx, p.loginPrompt(ctx, e, false))
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	return p.printSignedIn(s.screen, cred)
}
