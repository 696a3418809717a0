package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

const toolsLong = `List PayU's tools as the server has them now, or say what one of them takes. "read"
marks those that promise to change nothing; all others, "write", may move money. Tools
that a brake of the profile or of this command line holds back are not listed.`

const toolsExample = `  payu-mcp tools
  payu-mcp tools payLinks_paymentLink_create
  payu-mcp tools --json | jq -r '.tools[].name'`

func newToolsCmd(e env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tools [NAME]",
		Short:   "List PayU's tools, or say what one of them takes",
		Long:    toolsLong,
		Example: toolsExample,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(cmd, fmt.Errorf("there are %d names, one can be", len(args)))
			}
			return nil
		},
	}
	s := newShell(e, o, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return runTools(cmd, s, args) }
	return cmd
}

func runTools(cmd *cobra.Command, s *shell, names []string) error {
	return s.reported(func() error {
		if err := s.prepare(cmd); err != nil {
			return err
		}
		s.person = findTerminal(s.e, s.screen)
		asks := &questions{stderr: s.stderr()} // a list asks for nothing
		err := s.run(cmd, asks, func(_ context.Context, n *session) error {
			if len(names) == 0 {
				return n.printTools()
			}
			return n.printTool(names[0])
		})
		if errors.Is(err, syscall.EPIPE) {
			return nil // the reader has seen enough
		}
		return err
	})
}

// shellTool is one tool of the server's list.
type shellTool struct {
	name string
	raw  json.RawMessage
	read bool // its entry promises that it changes nothing, and is the only one of its name
}

func (t shellTool) reads() bool { return t.read }

// toolsIn reads a result of tools/list.
func toolsIn(list json.RawMessage) []shellTool {
	reads := policy.ToolsOf(list)
	var all []shellTool
	for _, raw := range elements(jsonmsg.Lookup(list, "tools")) {
		name := jsonmsg.Text(jsonmsg.Lookup(raw, "name"))
		all = append(all, shellTool{name, raw, reads[name]})
	}
	return all
}

// mark says in one word what a tool may do.
func (t shellTool) mark() string {
	if t.read {
		return "read"
	}
	return "write"
}

func (n *session) printTools() error {
	tools := toolsIn(n.list)
	hidden := n.hidden(n.seen.known())
	write := func() error { return writeTools(n.e.stdout, tools) }
	if n.asJSON {
		write = func() error { return writeJSON(n.e.stdout, oneLineOf(n.list)) }
	}
	if err := write(); err != nil {
		return err
	}
	if len(hidden) > 0 && !n.asJSON {
		_, err := fmt.Fprintf(n.e.stderr, "%d more held back: %s.\n", len(hidden), n.statusPolicy().text())
		return err
	}
	return nil
}

// oneLineOf is JSON without the blanks between its members.
func oneLineOf(raw json.RawMessage) json.RawMessage {
	if !bytes.ContainsAny(raw, "\r\n") {
		return raw
	}
	return jsonmsg.Compact(raw)
}

// writeTools prints a line for each tool, cut to the width of a terminal.
func writeTools(w io.Writer, tools []shellTool) error {
	longest := 0
	for _, t := range tools {
		longest = max(longest, len(printable.Line(t.name, longestValue)))
	}
	var b strings.Builder
	for _, t := range tools {
		line := fmt.Sprintf("%-*s  %-5s  %s", longest, printable.Line(t.name, longestValue), t.mark(), t.summary())
		b.WriteString(strings.TrimRight(fitTo(w, line), " ") + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("printing the tools: %w", err)
	}
	return nil
}

// fitTo cuts a line to the width of w, if that is a terminal.
func fitTo(w io.Writer, line string) string {
	if f, ok := terminalOf(w); ok {
		return fit(line, widthOf(f))
	}
	return line
}

// summary is the first line of the description, else the title.
func (t shellTool) summary() string {
	text := strings.TrimSpace(jsonmsg.Text(jsonmsg.Lookup(t.raw, "description")))
	if text == "" {
		text = jsonmsg.Text(jsonmsg.Lookup(t.raw, "title"))
	}
	first, _, _ := strings.Cut(text, "\n")
	return printable.Line(first, longestValue)
}
