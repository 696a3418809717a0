package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/auth"
)

// openURLCommand is the hidden command by which the program starts a browser in
// a detached child of itself (OAUTH section 5). The URL comes on standard input,
// so that it is in no argv of ours.
const openURLCommand = "open-url"

const maxURL = 16 << 10

// coreLimitFlag gives the browser the limit for core dumps that the person's
// system has, since we have none ourselves.
const coreLimitFlag = "core-limit"

func newOpenURLCmd(e env) *cobra.Command {
	var coreLimit uint64
	cmd := &cobra.Command{
		Use:    openURLCommand,
		Short:  "Open the URL that is read from standard input",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := io.ReadAll(io.LimitReader(e.stdin, maxURL+1))
			if err != nil || len(url) > maxURL {
				return errors.Join(errors.New("reading the URL"), err)
			}
			keepCoreLimit(coreLimit)
			return auth.OpenHere(cmd.Context(), string(url), e.getenv)
		},
	}
	cmd.Flags().Uint64Var(&coreLimit, coreLimitFlag, 0, "limit for core dumps of the browser, in bytes")
	return cmd
}
