package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/keychain"
	"github.com/payu-mcp/payu-mcp/remote"
)

// The one table of exit codes (HOSTS C2), and that the documents have it.
func TestExitCode_table(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context //nolint:containedctx // what the command was run with
		err  error
		code int
	}{
		"nothing":            {t.Context(), nil, 0},
		"anything":           {t.Context(), errors.New("x"), 1},
		"usage":              {t.Context(), fmt.Errorf("x: %w", usageError{hint.With(errors.New("x"), "y")}), 2},
		"signed out":         {t.Context(), errSignedOut, 3},
		"needs a login":      {t.Context(), (&options{}).needsLogin("x"), 3},
		"said no":            {t.Context(), auth.ErrDenied, 4},
		"no keychain":        {t.Context(), keychain.ErrUnavailable, 5},
		"server":             {t.Context(), notReached(errors.New("x")), 6},
		"unknown":            {t.Context(), (&callError{Kind: string(remote.KindUnknownOutcome)}).asError(), 7},
		"in the journal":     {t.Context(), (&callError{Kind: string(remote.KindTooLarge), Entry: "abc123"}).asError(), 7},
		"Ctrl-C":             {over, errors.New("x"), 130},
		"unknown, by Ctrl-C": {over, (&callError{Kind: string(remote.KindUnknownOutcome)}).asInterrupt(), 130},
		"too slow to sign":   {over, auth.ErrTimeout, 4},
	} {
		if got := exitCode(c.ctx, c.err); got != c.code {
			t.Errorf("%s: %d, want %d", name, got, c.code)
		}
	}
	for _, name := range []string{"login.md", "shell.md"} {
		doc, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []int{exitOK, exitError, exitUsage, exitSignedOut, exitNotFinished, exitNoKeychain, exitServer, exitUnknown, exitInterrupted} {
			if !strings.Contains(string(doc), fmt.Sprintf("\n| %d | ", code)) {
				t.Errorf("docs/%s has no row for the exit code %d", name, code)
			}
		}
	}
}

// Each kind of docs/errors.md has an exit code that a script can go by: 6 is only
// for what has certainly not run.
func TestExitKind_everyKind(t *testing.T) {
	t.Parallel()
	for kind, code := range map[remote.Kind]int{
		remote.KindSignIn: 3, remote.KindPermission: 3, remote.KindUnknownOutcome: 7, remote.KindUnreadable: 7,
		remote.KindToken: 1, remote.KindCancelled: 1, remote.KindNotSent: 1, remote.KindBusy: 1,
		remote.KindForbidden: 6, remote.KindRefused: 6, remote.KindRateLimited: 6, remote.KindServerError: 6, remote.KindUnreachable: 6,
		remote.KindInterrupted: 6, remote.KindTimeout: 6, remote.KindBadAnswer: 6, remote.KindTooLarge: 6, remote.KindRedirect: 6,
		remote.KindNetworkSignIn: 6, remote.KindSessionLost: 6,
	} {
		if got := exitCode(t.Context(), (&callError{Message: "x", Kind: string(kind)}).asError()); got != code {
			t.Errorf("%s: %d, want %d", kind, got, code)
		}
	}
}
