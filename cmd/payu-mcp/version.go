package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
)

func newVersionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and the platform",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			line := "payu-mcp " + buildinfo.Version()
			if c := buildinfo.Commit(); c != "" {
				line += " (" + c + ")"
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), line, buildinfo.Platform())
			return err
		},
	}
}
