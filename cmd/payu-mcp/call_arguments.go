package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// The arguments of a call as a shell gives them. They are one JSON object, and go
// to the server byte for byte, without the blanks between its members: no number
// is rounded on the way.

// maxArguments is how large they may be, in bytes.
const maxArguments = 16 << 20

const argumentsAdvice = "give one JSON object: as - on the standard input, as @FILE, or as an argument"

// readArguments takes them from where the command line says; none are {}.
func readArguments(ctx context.Context, e env, from []string) (json.RawMessage, error) {
	if len(from) == 0 {
		return json.RawMessage("{}"), nil
	}
	raw, where, err := argumentBytes(ctx, e, from[0])
	if err != nil {
		return nil, err
	}
	object, err := checkArguments(raw)
	if err != nil {
		return nil, usageError{hint.With(fmt.Errorf("reading the arguments %s: %w", where, err), argumentsAdvice)}
	}
	return object, nil
}

func argumentBytes(ctx context.Context, e env, from string) (raw []byte, where string, err error) {
	switch {
	case from == "-":
		raw, err = readStdin(ctx, e)
		return raw, "on the standard input", err
	case strings.HasPrefix(from, "@"):
		raw, err = readFile(from[1:])
		return raw, "in the file", err
	}
	return []byte(from), "of the command line", nil
}

// readStdin reads to the end of the standard input. Ctrl-C ends the wait, though
// not the read: the process is about to end.
func readStdin(ctx context.Context, e env) ([]byte, error) {
	if term.IsTerminal(int(e.stdin.Fd())) {
		_, _ = io.WriteString(e.stderr, "Type the arguments as one JSON object, then Ctrl-D on a line of its own (Windows: Ctrl-Z and Enter).\n")
	}
	type content struct {
		raw []byte
		err error
	}
	done := make(chan content, 1)
	go func() {
		raw, err := io.ReadAll(io.LimitReader(e.stdin, maxArguments+1))
		done <- content{raw, err}
	}()
	select {
	case c := <-done:
		if c.err != nil {
			return nil, fmt.Errorf("reading the arguments on the standard input: %w", c.err)
		}
		return c.raw, nil
	case <-ctx.Done():
		return nil, errInterrupted
	}
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, usageError{hint.With(fmt.Errorf("reading the arguments: %w", err), "check the path after @")}
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxArguments+1))
	if err != nil {
		return nil, fmt.Errorf("reading the arguments: %w", err)
	}
	return raw, nil
}

// What is wrong with arguments.
var (
	errNoArguments = errors.New("there is nothing")
	errNotObject   = errors.New("they are no JSON object, which begins with { and ends with }")
)

// checkArguments returns the object on one line. It must be what every reader of
// JSON takes for the same: a member that stands twice is refused, at any depth.
func checkArguments(raw []byte) (json.RawMessage, error) {
	if len(raw) > maxArguments {
		return nil, fmt.Errorf("they have more than %d MiB", maxArguments>>20)
	}
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		return nil, errors.New("they are in UTF-16; JSON is in UTF-8")
	}
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff"))) // some editors begin a file with that
	switch {
	case len(raw) == 0:
		return nil, errNoArguments
	case raw[0] != '{':
		return nil, errNotObject
	}
	// As a part of a message they are checked as the bridge will check them.
	if _, err := jsonmsg.Scan(append(append([]byte(`{"id":0,"result":`), raw...), '}')); err != nil {
		return nil, err
	}
	if !json.Valid(raw) { // one value, and nothing behind it
		return nil, jsonmsg.ErrSyntax
	}
	if err := unique(jsonmsg.At(raw)); err != nil {
		return nil, err
	}
	return jsonmsg.Compact(raw), nil
}

// unique refuses an object that has a member twice.
func unique(c jsonmsg.Cursor) error {
	switch c.Kind() {
	case '{':
		seen := map[string]bool{}
		return c.Members(func(key string, c jsonmsg.Cursor) error {
			if seen[key] {
				return fmt.Errorf("%w: %q", jsonmsg.ErrDuplicate, key)
			}
			seen[key] = true
			return unique(c)
		})
	case '[':
		return c.Elements(unique)
	}
	return nil
}
