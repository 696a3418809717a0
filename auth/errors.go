package auth

import (
	"errors"
	"fmt"

	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// The sentinels of this package; each one is a decision of the caller.
var (
	// ErrDenied: the person or the server said no. The command line exits 4.
	ErrDenied = errors.New("the sign-in was denied")
	// ErrTimeout: nobody finished the sign-in in time. The command line exits 4.
	ErrTimeout = errors.New("the sign-in was not finished in time")
	// ErrTwoBrowsers: two browsers opened the sign-in's first page, and nobody can
	// tell which one was the person's (OAUTH X9). The command line exits 4.
	ErrTwoBrowsers = errors.New("the sign-in was opened by two browsers")
	// ErrServer: the authorization server, the endpoint or the way there is at
	// fault. The command line exits 6.
	ErrServer = errors.New("authorization server")
	// ErrNotSaved: a Store kept the credential, but only in memory.
	ErrNotSaved = errors.New("the credential could not be saved")
	// ErrNoChallenge: nobody has met a 401 of the resource yet, so there is no
	// reason to sign in (OAUTH A1).
	ErrNoChallenge = errors.New("the endpoint has not asked for a sign-in")
)

// serverFault marks err as the fault of the authorization server or the network.
func serverFault(format string, args ...any) error {
	return &serverError{fmt.Errorf(format, args...)}
}

type serverError struct{ err error }

func (e *serverError) Error() string        { return e.err.Error() }
func (e *serverError) Unwrap() error        { return e.err }
func (e *serverError) Is(target error) bool { return target == ErrServer }

const maxServerText = 300 // OAUTH X19

// clean makes a server's text fit for a terminal and a log (OAUTH X19).
func clean(s string) string { return printable.Line(s, maxServerText) }
