package main

import (
	"context"
	"errors"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// The exit codes (HOSTS C2). docs/login.md and the man page repeat this table. For
// `doctor` see doctorResult.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitSignedOut   = 3   // status, doctor, tools, call: nobody is signed in, or not any more
	exitNotFinished = 4   // login: cancelled, denied, timed out, contested
	exitNoKeychain  = 5   // the keychain is absent, locked or too slow
	exitServer      = 6   // network, endpoint or authorization server
	exitUnknown     = 7   // call: it may have run, and nobody here knows what became of it
	exitInterrupted = 130 // SIGINT while a person was waiting
)

// errSilent ends a command with an exit code and no further word.
var errSilent = errors.New("silent")

// errSignedOut is the result of `status` when nobody is signed in.
var errSignedOut = errors.Join(errSilent, errors.New("signed out"))

// errNotRevoked is the result of `logout` when the server has not confirmed that
// all tokens are dead; its output says which.
var errNotRevoked = errors.Join(errSilent, errors.New("not revoked"))

// errNeedsLogin: only a sign-in helps, and here nobody can do it.
var errNeedsLogin = errors.New("a sign-in is needed")

// errOutcomeUnknown: a call may have run.
var errOutcomeUnknown = errors.New("the outcome is unknown")

// errInterrupted: the person pressed Ctrl-C.
var errInterrupted = hint.With(errors.New("interrupted"), "run the command again")

// usageError is a command line that cannot be meant.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	for _, row := range []struct {
		is   error
		code int
	}{
		{errSignedOut, exitSignedOut},
		{errNeedsLogin, exitSignedOut},
		{errOutcomeUnknown, exitUnknown},
		{errInterrupted, exitInterrupted},
		{auth.ErrDenied, exitNotFinished},
		{auth.ErrTimeout, exitNotFinished},
		{auth.ErrTwoBrowsers, exitNotFinished},
		{keychain.ErrUnavailable, exitNoKeychain},
		{auth.ErrServer, exitServer},
		{errNotRevoked, exitServer},
	} {
		if errors.Is(err, row.is) {
			return row.code
		}
	}
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return exitError
}

// kindError gives an error the meaning of a sentinel, without its text.
type kindError struct{ err, kind error }

func (e kindError) Error() string        { return e.err.Error() }
func (e kindError) Unwrap() error        { return e.err }
func (e kindError) Is(target error) bool { return target == e.kind }
