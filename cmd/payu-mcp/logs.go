package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/logfile"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

const logsLong = `Show the last lines of the log of this profile, of all its processes.

There is one line for each request of a host, with its method, id, sizes, HTTP status,
time and request id, and never what was asked or answered. --log-level=debug logs more.
With -f new lines are shown as they come, until Ctrl-C, which is the exit code 130.`

func newLogsCmd(e env, o *options) *cobra.Command {
	var follow bool
	var lines int
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show what the bridges of this profile have logged",
		Long:  logsLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.resolve(cmd, e.getenv); err != nil {
				return err
			}
			if lines < 0 {
				return usagef("give -n a number of lines", "%d lines cannot be shown", lines)
			}
			err := runLogs(cmd.Context(), e, o, lines, follow)
			if errors.Is(err, syscall.EPIPE) {
				return nil // the reader has seen enough
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with the lines that come")
	cmd.Flags().IntVarP(&lines, "lines", "n", 50, "how many of the last lines to show")
	return cmd
}

func runLogs(ctx context.Context, e env, o *options, lines int, follow bool) error {
	show := func(line string) error {
		_, err := io.WriteString(e.stdout, printable.Line(line, longestValue)+"\n")
		return err
	}
	if follow {
		if err := logfile.Follow(ctx, o.logPath(), lines, show); err != nil {
			return fmt.Errorf("following the log: %w", o.notShown(err))
		}
		return errSilent // its context has ended: the exit code is that of Ctrl-C
	}
	all, err := logfile.Tail(o.logPath(), lines)
	if err != nil {
		return fmt.Errorf("reading the log: %w", o.notShown(err))
	}
	for _, line := range all {
		if err := show(line); err != nil {
			return err
		}
	}
	if len(all) == 0 && lines > 0 {
		_, err = fmt.Fprintf(e.stderr, "Nothing is logged yet in %s.\n", o.logPath())
	}
	return err
}

// notShown says why the lines of a file of --log-file are not read: what is wrong
// with it is not the state folder's fault, and it is not to be removed.
func (o *options) notShown(err error) error {
	if o.logFile == "" || !errors.Is(err, privatefile.ErrUnsafe) {
		return err
	}
	return hint.With(fmt.Errorf("%s is no regular file, or other users may read or replace it", o.logFile), "give --log-file a file of your own, and close it to others: chmod go= FILE")
}
