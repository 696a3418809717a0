package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// env is what the process got from outside.
type env struct {
	args   []string
	stdin  *os.File
	stdout *os.File
	stderr io.Writer
	getenv func(string) string
	// coreLimit is what the process was allowed for core dumps, in bytes. It takes
	// none itself (OAUTH X26); a browser gets the limit back.
	coreLimit uint64
}

// run executes the command line and returns the exit code. The first SIGINT,
// SIGTERM or SIGHUP ends the command in good order, the second one at once
// (RELAY S8).
func run(e env) int {
	// The root of all contexts: the process itself ends it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	// A host that is gone makes a write fail; it must not kill a process that may
	// hold a token which is not stored yet.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	err := newRootCmd(e).ExecuteContext(ctx)
	report(e.stderr, err)
	return exitCode(ctx, err)
}

// report prints the one error that ended the command. The rules of this
// program's voice: `payu-mcp: error:` says what happened and on whose side, in
// one line; `payu-mcp: hint:` is a command, option or page that helps. Nothing
// else is printed for a failure, and nothing for a success that was silent.
func report(w io.Writer, err error) {
	if err == nil || errors.Is(err, errSilent) {
		return
	}
	const most = 4000 // characters: a few chapters of ours, no book of a server's
	fmt.Fprintf(w, "payu-mcp: error: %s\n", printable.Line(oneLine(redact.Text(err.Error())), most))
	if h := hint.Of(err); h != "" {
		fmt.Fprintf(w, "payu-mcp: hint: %s\n", h)
	}
}

// oneLine joins the lines of errors that came together.
func oneLine(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") }
