package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

const rootLong = `payu-mcp connects an MCP host that starts local commands, such as Claude Desktop,
to PayU's Remote MCP endpoint. The host starts it without arguments; it speaks MCP
on its standard input and output, signs you in through the browser when a request
needs it, and keeps the login sealed by the system's keychain.`

// newRootCmd builds the command line. Without a command it is the bridge.
func newRootCmd(e env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:           "payu-mcp",
		Short:         "Use PayU's Remote MCP endpoint from hosts that speak stdio",
		Long:          rootLong,
		Version:       buildinfo.Version(),
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return runBridge(cmd, e, o) },
	}
	cmd.SetArgs(e.args)
	cmd.SetIn(e.stdin)
	cmd.SetOut(e.stdout)
	cmd.SetErr(e.stderr)
	cmd.SetFlagErrorFunc(usage)
	addGlobalFlags(cmd.PersistentFlags(), o)
	addLoginFlags(cmd.Flags(), &o.login)
	all := commands(e, o)
	named := meant(all, e.args)
	cmd.CompletionOptions.DisableDefaultCmd = len(named) < len(all)
	for _, c := range named {
		cmd.AddCommand(c.build())
	}
	return cmd
}

// noArgs refuses arguments, so that a mistyped command is an error and not a
// bridge that waits for a host.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(cmd, errors.New("unknown command or argument "+args[0]))
}

func usage(cmd *cobra.Command, err error) error {
	return usageError{hint.With(err, "see "+cmd.CommandPath()+" --help")}
}
