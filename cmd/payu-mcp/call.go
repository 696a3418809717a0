package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

const callLong = `Use one of PayU's tools once, with the login, the retry rules and the brakes that
hosts have. Its arguments are one JSON object: "-" reads it from the standard input,
@FILE from a file. An object on the command line can be read by every user of this
computer while the command runs. Without arguments the tool gets {}.

The text of the result goes to the standard output; --json prints the result as PayU
sent it. A tool that reports an error prints it on the standard error.

The exit code is 0 when the tool did its work, 1 when it reported an error or a brake
held it back, 2 when the command line or the arguments cannot be meant, 3 when nobody
is signed in, 4 when the person said no, 5 when the keychain cannot be used, 6 when the
network or PayU is at fault and the call has not run, 130 after Ctrl-C. With 7 the call
may have run and nobody here knows what became of it: never repeat it before you have
looked in PayU. docs/shell.md has more.`

const callExample = `  jq -n --arg i "$INVOICE" '{invoiceNumber: $i}' |
    payu-mcp call payLinks_paymentLink_getByInvoiceNumber -
  payu-mcp call payLinks_paymentLink_create @link.json
  payu-mcp call health_check --json
  payu-mcp tools payLinks_paymentLink_create   # which arguments it takes`

func newCallCmd(e env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "call NAME [- | @FILE | JSON]",
		Short:   "Use one of PayU's tools from a shell or a script",
		Long:    callLong,
		Example: callExample,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("payu-mcp tools lists them", "the name of a tool is missing")
			case len(args) > 2:
				return usage(cmd, fmt.Errorf("there are %d arguments after the name, one JSON object can be; in a shell it needs quotes", len(args)-1))
			}
			return nil
		},
	}
	s := newShell(e, o, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return runCall(cmd, s, args[0], args[1:]) }
	return cmd
}

// toolCall is one use of a tool.
type toolCall struct {
	name      string
	arguments json.RawMessage
}

func runCall(cmd *cobra.Command, s *shell, name string, from []string) error {
	return s.reported(func() error {
		if err := s.prepare(cmd); err != nil {
			return err
		}
		if !utf8.ValidString(name) {
			return usagef("see payu-mcp tools", "the name of the tool is not in UTF-8")
		}
		if err := s.judge(name, nil); err != nil { // before anybody is asked for anything
			return err
		}
		arguments, err := readArguments(cmd.Context(), s.e, from)
		if err != nil {
			return err
		}
		s.person = findTerminal(s.e, s.screen)
		c := &toolCall{name, arguments}
		asks := &questions{person: s.person, stderr: s.stderr(), tool: name, arguments: arguments}
		return s.run(cmd, asks, func(ctx context.Context, n *session) error { return n.call(ctx, cmd.Context(), c) })
	})
}

// call sends the call and shows what came of it. ctx ends with --timeout, too;
// signals end both.
func (n *session) call(ctx, signals context.Context, c *toolCall) error {
	tool, err := n.find(c)
	if err != nil {
		return err
	}
	defer n.screen.progress("")
	id, answer, err := n.host.begin(methodCall, c.params(n.screen != nil))
	if err != nil {
		return err
	}
	m, err := n.host.wait(ctx, answer)
	if err != nil && ctx.Err() != nil {
		return n.giveUp(signals, id, tool)
	}
	if err != nil {
		return err
	}
	n.screen.progress("")
	return n.show(m, tool)
}

// find looks the tool up in the server's list.
func (n *session) find(c *toolCall) (shellTool, error) {
	tools := toolsIn(n.list)
	for _, t := range tools {
		if t.name != c.name {
			continue
		}
		if err := n.judge(c.name, n.seen.known()); err != nil {
			return t, err
		}
		return t, t.check(c.arguments)
	}
	if err := n.judge(c.name, n.seen.known()); err != nil {
		return shellTool{}, err
	}
	return shellTool{}, unknownTool(c.name, tools)
}

// params are those of tools/call. Progress is asked for where somebody sees it.
func (c *toolCall) params(progress bool) json.RawMessage {
	members := []jsonmsg.Member{{Key: "name", Value: jsonmsg.Quote(c.name)}, {Key: "arguments", Value: c.arguments}}
	if progress {
		members = append(members, jsonmsg.Member{Key: "_meta", Value: json.RawMessage(`{"progressToken":1}`)})
	}
	return jsonmsg.Object(members...)
}

// lastMoment is how long a call that is given up may still take to end well.
const lastMoment = 2 * time.Second

// giveUp cancels the call after Ctrl-C or --timeout, and finds out what has become
// of it.
func (n *session) giveUp(signals context.Context, id string, tool shellTool) error {
	interrupted := signals.Err() != nil
	reason := "the time is over"
	if interrupted {
		reason = "the user gave it up"
	}
	n.screen.progress("")
	_ = n.host.notify("notifications/cancelled", jsonmsg.Object(
		jsonmsg.Member{Key: "requestId", Value: json.RawMessage(id)},
		jsonmsg.Member{Key: "reason", Value: jsonmsg.Quote(reason)}))
	select {
	case <-n.seen.over:
	case <-time.After(lastMoment):
	}
	n.host.end() // what is under way is cut off, and noted
	answer, begun, entry := n.seen.outcome()
	switch {
	case answer.Raw != nil && (tool.reads() || !bridge.IsFailure(answer)): // it had its answer, just in time
		return n.show(answer, tool)
	case begun && !tool.reads(): // an error may be the trace of the cancellation
		return n.unknown(interrupted, entry)
	case interrupted:
		return (&callError{Message: "interrupted; " + harmless(begun), Kind: kindInterrupted, Side: remote.SideHere}).asInterrupt()
	}
	return n.tooSlow(harmless(begun))
}

func harmless(begun bool) string {
	if begun {
		return "the tool only reads"
	}
	return "nothing was sent"
}

// unknown is a call that was given up and may have run. Its entry is "" if the
// journal is off.
func (n *session) unknown(interrupted bool, entry string) error {
	f := &callError{Kind: string(remote.KindUnknownOutcome), Entry: entry, Hint: n.lookUp(entry)}
	if interrupted {
		f.Side, f.Message = remote.SideHere, "the call was sent, and given up before its answer came: its outcome is unknown, it may have run"
		return f.asInterrupt()
	}
	f.Side, f.Message = remote.SideNetwork, fmt.Sprintf("the call was sent, and no answer came within %s: its outcome is unknown, it may have run", n.limit)
	return f.asError()
}

// lookUp says what helps when the outcome is unknown, with the entry if there is
// one.
func (n *session) lookUp(entry string) string {
	const advice = "check in PayU before trying again"
	if entry == "" {
		return advice
	}
	return advice + ": `" + n.journalCommand() + "`, entry " + entry
}

// show prints the answer of a call.
func (n *session) show(m jsonmsg.Message, tool shellTool) error {
	theirs, _, _ := n.seen.outcome()
	servers := theirs.Raw != nil // whatever the answer says of itself
	switch {
	case m.IsError && theirs.IsError: // as it came: the bridge may have put it in other words
		return n.failed(faultIn(theirs, true), tool)
	case m.IsError:
		return n.failed(faultIn(m, servers), tool)
	}
	result, isError := jsonmsg.Lookup(m.Raw, "result"), bridge.IsFailure(m)
	if isError && !servers {
		return n.ours(result)
	}
	if err := n.print(result, isError); err != nil {
		return n.unseen(err, tool)
	}
	if isError {
		return errTool
	}
	return nil
}

// failed is a call that got no result. Nothing but what may have run is of unknown
// outcome, and that always is, but for a tool that only reads.
func (n *session) failed(f *callError, tool shellTool) error {
	switch {
	case tool.reads() && errors.Is(exitKind(f.Kind), errOutcomeUnknown):
		f.Kind, f.Message, f.Hint = string(remote.KindInterrupted), f.Message+"; the tool only reads", "repeat the command"
	case !tool.reads() && n.seen.isLost():
		if f.Entry == "" {
			_, _, f.Entry = n.seen.outcome()
			f.Hint = n.lookUp(f.Entry)
		}
		return hint.With(kindError{f, errOutcomeUnknown}, f.Hint)
	}
	return n.because(f.asError())
}

// errTool is the result of `call` when the tool itself reports an error, which has
// been printed.
var errTool = errors.Join(errSilent, errors.New("the tool reports an error"))

// ours is a call that the bridge has answered in words, without the server.
func (n *session) ours(result json.RawMessage) error {
	if n.asks.refused {
		return (&callError{Message: "you did not say yes, so nothing was sent", Kind: kindBrake, Side: remote.SideHere}).asRefused()
	}
	return heldBack(string(remote.KindNotSent), strings.Join(texts(result), " "), "")
}

const unseenAdvice = "look in PayU for what it did before you repeat it"

// unseen is a result that could not be printed. What a write call did is then
// unknown to whoever reads the output; a reader who has seen enough of a tool that
// only reads misses nothing.
func (n *session) unseen(err error, tool shellTool) error {
	if tool.reads() && errors.Is(err, syscall.EPIPE) {
		return nil
	}
	err = fmt.Errorf("the tool was used, but its result could not be printed: %w", err)
	if tool.reads() {
		return err
	}
	return hint.With(kindError{err, errOutcomeUnknown}, unseenAdvice)
}
