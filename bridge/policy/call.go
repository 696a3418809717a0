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
	err = once(jsonmsg.At(raw), field{"jsonrpc", nil}, field{"id", nil}, field{"method", &method}, field{"params", &params}, field{"result", nil}, field{"error", nil})
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
	err = once(jsonmsg.At(params), field{"name", &literal}, field{"arguments", nil})
	return jsonmsg.Text(literal), true, err
}

// CheckInner refuses arguments of payu_call_tool that may be read in two ways.
func CheckInner(arguments []byte) error {
	return once(jsonmsg.At(arguments), field{"name", nil}, field{"arguments", nil})
}

// field is a member that is judged, and where its value goes; nil: nowhere.
type field struct {
	key string
	to  *[]byte
}

// once reads members of an object that may stand there once and in one spelling.
func once(c jsonmsg.Cursor, fields ...field) error {
	seen := 0 // a bit for each field
	return c.Members(func(key string, c jsonmsg.Cursor) error {
		for i, f := range fields {
			switch {
			case key != f.key && !alike(key, f.key):
				continue
			case key != f.key, seen&(1<<i) != 0:
				return ErrAmbiguous
			}
			seen |= 1 << i
			if f.to == nil {
				return nil
			}
			value, err := c.Value()
			*f.to = value
			return err
		}
		return nil
	})
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
