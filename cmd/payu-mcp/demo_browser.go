package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// demoBrowserCommand is the hidden command that plays the person in a browser:
// the demo names it in PAYU_MCP_BROWSER. It knows the sandbox's pages only.
const demoBrowserCommand = "demo-browser"

func newDemoBrowserCmd() *cobra.Command {
	v := sandbox.Visitor{}
	cmd := &cobra.Command{
		Use:    demoBrowserCommand + " URL",
		Short:  "Fill in the sandbox's sign-in pages",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			page, err := v.Visit(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("walking through the sign-in: %w", err)
			}
			if page.Status >= 400 {
				return errors.New("the sign-in ended with an error page")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&v.User, "user", "B", "who signs in")
	cmd.Flags().BoolVar(&v.Deny, "deny", false, "say no on the consent page")
	return cmd
}
