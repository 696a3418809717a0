package policy

import (
	"errors"
	"strings"
	"unicode"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// ErrAmbiguous says that two readers of JSON may read a message in two ways.
var ErrAmbiguous = errors.New("a member of the message is given twice, or in a spelling that may be taken for another")

const methodCall = "tools/call"

// Read reads from a message of the host whether it calls a tool, and which. The
// name is "" if it is no string. An error means that somebody else may read
// another call, or a call at all: encoding/json ignores the case of keys, others
// take the first of two equal ones, or what stands before a NUL.
func Read(raw []byte) (name string, call bool, err error) {
	var method, params []byte
	err = once(jsonmsg.At(raw), map[string]*[]byte{"jsonrpc": nil, "id": nil, "method": &method, "params": &params, "result": nil, "error": nil})
	if err != nil {
		return "", false, err
	}
	switch text := jsonmsg.Text(method); {
	case text == methodCall:
	case alike(text, methodCall):
		return "", false, ErrAmbiguous
	default:
		return "", false, nil
	}
	if params == nil {
		return "", true, nil
	}
	var literal []byte
	err = once(jsonmsg.At(params), map[string]*[]byte{"name": &literal, "arguments": nil})
	return jsonmsg.Text(literal), true, err
}

// CheckInner refuses arguments of payu_call_tool that may be read in two ways.
func CheckInner(arguments []byte) error {
	return once(jsonmsg.At(arguments), map[string]*[]byte{"name": nil, "arguments": nil})
}

// once reads members of an object that may stand there once and in one spelling.
// What is nil is not kept.
func once(c jsonmsg.Cursor, want map[string]*[]byte) error {
	seen := map[string]bool{}
	return c.Members(func(key string, c jsonmsg.Cursor) error {
		to, exact := want[key]
		if !exact && !alikeAny(key, want) {
			return nil
		}
		if !exact || seen[key] {
			return ErrAmbiguous
		}
		seen[key] = true
		if to == nil {
			return nil
		}
		value, err := c.Value()
		*to = value
		return err
	})
}

func alikeAny(key string, want map[string]*[]byte) bool {
	for w := range want {
		if alike(key, w) {
			return true
		}
	}
	return false
}

// alike reports whether a careless reader may take text for want: in another
// case, up to a NUL, or without what nobody sees.
func alike(text, want string) bool {
	if strings.EqualFold(text, want) {
		return true
	}
	if !strings.ContainsFunc(text, hidden) {
		return false
	}
	head, _, _ := strings.Cut(text, "\x00")
	return strings.EqualFold(visible(head), want) || strings.EqualFold(visible(text), want)
}

func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, text)
}

// hidden tells characters that nobody sees.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r)
}
