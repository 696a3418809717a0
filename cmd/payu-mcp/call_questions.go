package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// terminal is where the person of a `call` sits. They are asked there and
// nowhere else: what comes through a pipe says yes to nothing.
type terminal struct {
	in     *bufio.Reader
	screen *screen
	turn   chan struct{} // holds one while a question is open: a yes is to that one
}

func newTerminal(in io.Reader, s *screen) *terminal {
	return &terminal{in: bufio.NewReader(in), screen: s, turn: make(chan struct{}, 1)}
}

// findTerminal returns who sits at the terminal; nil: nobody. Where the standard
// input is a pipe, with the arguments perhaps, the process may have a terminal all
// the same.
func findTerminal(e env, s *screen) *terminal {
	if s == nil {
		return nil
	}
	if term.IsTerminal(int(e.stdin.Fd())) {
		return newTerminal(e.stdin, s)
	}
	tty, err := os.OpenFile(terminalName, os.O_RDWR, 0) // open to the end of the process
	if err != nil {
		return nil
	}
	return newTerminal(tty, s)
}

// saysYes asks one question, after those that are open. Nothing but a yes is one;
// when ctx ends, the question is left alone.
func (t *terminal) saysYes(ctx context.Context, question string) bool {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return false
	}
	if ctx.Err() != nil { // the one before was left alone, and its read goes on
		return false
	}
	t.screen.quiet(true)
	defer t.screen.quiet(false)
	said := make(chan bool, 1)
	go func() { // may stay in the read; the process is about to end then
		said <- confirm(t.in, t.screen, question+" [y/N] ") == nil
	}()
	select {
	case yes := <-said:
		return yes
	case <-ctx.Done():
		_, _ = io.WriteString(t.screen, "\n")
		return false
	}
}

// questions are what a server, or our own --confirm, asks its host's person.
type questions struct {
	person *terminal // nil: nobody is asked
	stderr io.Writer
	// tool and arguments are of the call, as the person gave them.
	tool      string
	arguments json.RawMessage
	// refused is set when the person did not say yes to --confirm.
	refused bool
}

// confirmPrefix begins the id of the bridge's own question (bridge/confirm.go). A
// server that takes it for its own gets no answer: the bridge keeps it.
const confirmPrefix = "payu-mcp/confirm/"

// declared are the capabilities of the host: it asks only where somebody can be
// asked.
func (q *questions) declared() json.RawMessage {
	if q.person == nil {
		return json.RawMessage("{}")
	}
	return json.RawMessage(`{"elicitation":{"form":{},"url":{}}}`)
}

// answer returns the result of a request, or its error; no key: nobody wants it any
// more.
func (q *questions) answer(ctx context.Context, m jsonmsg.Message) jsonmsg.Member {
	switch m.Method {
	case "elicitation/create":
	case "ping":
		return jsonmsg.Member{Key: "result", Value: jsonmsg.Object()}
	default: // of what a host has to declare the bridge lets nothing else pass
		return jsonmsg.Member{Key: "error", Value: json.RawMessage(`{"code":-32601,"message":"method not found"}`)}
	}
	action := q.action(ctx, m)
	if ctx.Err() != nil {
		return jsonmsg.Member{}
	}
	return jsonmsg.Member{Key: "result", Value: jsonmsg.Object(jsonmsg.Member{Key: "action", Value: jsonmsg.Quote(action)})}
}

// action is what becomes of an elicitation.
func (q *questions) action(ctx context.Context, m jsonmsg.Message) string {
	params := jsonmsg.Lookup(m.Raw, "params")
	action := "decline"
	switch {
	case q.person == nil: // the bridge lets none pass
		action = "cancel"
	case strings.HasPrefix(jsonmsg.Text(m.ID), confirmPrefix):
		if q.confirms(ctx) {
			action = "accept"
		} else {
			q.refused = true
		}
	case jsonmsg.Text(jsonmsg.Lookup(params, "mode")) == "url":
		if q.opens(ctx, jsonmsg.Text(jsonmsg.Lookup(params, "message")), jsonmsg.Text(jsonmsg.Lookup(params, "url"))) {
			action = "accept"
		}
	default:
		q.tell("PayU asks for input that this command cannot take, so it was told no: " + jsonmsg.Text(jsonmsg.Lookup(params, "message")))
	}
	return action
}

// confirms asks about the call in our own words, with the arguments that are sent.
func (q *questions) confirms(ctx context.Context) bool {
	return q.person.saysYes(ctx, fmt.Sprintf("The tool %s may change something or move money.\nArguments: %s\nSend it?",
		printable.Line(q.tool, longestValue), printable.Line(string(q.arguments), longestValue)))
}

// longestMessage is how much of a server's own words stands in front of an address,
// in characters: they must not push it off the screen.
const longestMessage = 300

// opens shows an address of the server's, and asks whether the person was there.
// Nothing is opened here. An address that reads as another one than it is, or that
// is not safe, is not shown at all.
func (q *questions) opens(ctx context.Context, message, address string) bool {
	host, err := auth.CheckPage(address)
	if err == nil && len(address) > longestValue {
		err = errLongAddress
	}
	if err != nil {
		q.tell("PayU asks you to open a page whose address is not safe to open, so it was told no: " + err.Error())
		return false
	}
	whose := "which is not PayU's"
	if auth.OnPayU(address) {
		whose = "which is PayU's"
	}
	return q.person.saysYes(ctx, fmt.Sprintf("The server asks you to open a page. It says: %s\n  %s\nThe page is at %s, %s. Have you opened it?",
		printable.Line(message, longestMessage), address, host, whose))
}

var errLongAddress = errors.New("the URL is too long")

func (q *questions) tell(text string) {
	_, _ = fmt.Fprintf(q.stderr, "payu-mcp: warning: %s\n", printable.Line(text, longestValue))
}
