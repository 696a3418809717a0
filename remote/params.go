package remote

import (
	"net/http"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// headerParam is the front of a header that mirrors a parameter (RELAY H13).
const headerParam = "Mcp-Param-"

// binding says which argument of a tool is mirrored into which header.
type binding struct {
	path   []string // names of properties, from the arguments down
	header string   // with headerParam
}

// mirror sets the headers for the arguments of a call: a string as it is, a
// boolean, a whole number in decimal. There is no header for null, for what is
// absent, and for values of other types. Of an argument that stands twice the
// last counts, as it does for the parsers that servers use.
func mirror(h http.Header, bindings []binding, call jsonmsg.Message) {
	if len(bindings) == 0 {
		return
	}
	_ = jsonmsg.At(call.Raw).Members(func(key string, c jsonmsg.Cursor) error { // Scan found it valid
		if key != "params" {
			return nil
		}
		return c.Members(func(key string, c jsonmsg.Cursor) error {
			if key != "arguments" {
				return nil
			}
			unset(h, bindings)
			return mirrorObject(h, bindings, 0, c)
		})
	})
}

// mirrorObject reads an object of arguments, depth steps below the top.
func mirrorObject(h http.Header, bindings []binding, depth int, c jsonmsg.Cursor) error {
	return c.Members(func(key string, c jsonmsg.Cursor) error {
		var here, below []binding
		for _, b := range bindings {
			switch {
			case b.path[depth] != key:
			case len(b.path) == depth+1:
				here = append(here, b)
			default:
				below = append(below, b)
			}
		}
		unset(h, here)
		unset(h, below)
		if len(below) > 0 && c.Kind() == '{' {
			return mirrorObject(h, below, depth+1, c)
		}
		if len(here) == 0 {
			return nil
		}
		value, err := c.Value()
		if err != nil {
			return err
		}
		if text, ok := paramText(value); ok {
			for _, b := range here {
				h.Set(b.header, headerValue(text))
			}
		}
		return nil
	})
}

func unset(h http.Header, bindings []binding) {
	for _, b := range bindings {
		h.Del(b.header)
	}
}

// paramText converts a value to text ("Value Encoding", type conversion).
func paramText(value []byte) (string, bool) {
	if len(value) == 0 {
		return "", false
	}
	switch c := value[0]; {
	case c == '"':
		return jsonmsg.Text(value), true
	case c == 't', c == 'f':
		return string(value), true
	case c == '-', c >= '0' && c <= '9':
		return integerText(string(value))
	}
	return "", false
}

const (
	maxSafeInteger = "9007199254740991" // 2^53-1
	maxExponent    = 1 << 27            // no message has digits enough to make up for a larger one
)

// integerText writes a JSON number in decimal if it is a whole number that
// JavaScript can hold: 42, 42.0 and 4.2e1 are all "42". The digits are moved,
// never rounded. Larger numbers may not be bound to a header ("Schema
// Extension"), so they get none, and the server decides about the call.
func integerText(number string) (string, bool) {
	unsigned, negative := strings.CutPrefix(number, "-")
	mantissa, power := unsigned, 0
	if e := strings.IndexAny(unsigned, "eE"); e >= 0 {
		mantissa, power = unsigned[:e], exponent(unsigned[e+1:])
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	trimmed := strings.TrimRight(digits, "0")
	power += len(digits) - len(trimmed) - len(fraction)
	switch {
	case trimmed == "":
		return "0", true
	case power < 0, len(trimmed)+power > len(maxSafeInteger):
		return "", false
	}
	decimal := trimmed + strings.Repeat("0", power)
	if len(decimal) == len(maxSafeInteger) && decimal > maxSafeInteger {
		return "", false
	}
	if negative {
		return "-" + decimal, true
	}
	return decimal, true
}

// exponent reads an exponent, at most about maxExponent either way.
func exponent(text string) int {
	digits, negative := strings.CutPrefix(strings.TrimPrefix(text, "+"), "-")
	n := 0
	for i := 0; i < len(digits) && n < maxExponent; i++ {
		n = n*10 + int(digits[i]-'0')
	}
	if negative {
		return -n
	}
	return n
}
