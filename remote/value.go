package remote

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// The sentinel of MCP 2026-07-28, Streamable HTTP, "Value Encoding" (RELAY H12).
const (
	sentinelHead = "=?base64?"
	sentinelTail = "?="
)

// headerValue returns s as a header may carry it: as it is, if it consists of
// visible ASCII and spaces within, and base64 in the sentinel otherwise. A value
// that looks like a sentinel is encoded too, so that decoding gives back s. Tabs
// would be allowed, but not every proxy leaves them alone.
func headerValue(s string) string {
	if plainValue(s) {
		return s
	}
	return sentinelHead + base64.StdEncoding.EncodeToString([]byte(s)) + sentinelTail
}

func plainValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	sentinel := strings.HasPrefix(s, sentinelHead) && strings.HasSuffix(s, sentinelTail)
	return strings.Trim(s, " ") == s && !sentinel
}

// errFound ends a walk early.
var errFound = errors.New("found")

// nameValue returns the value of Mcp-Name for a message, and whether it has one:
// the name of a tool or prompt, the URI of a resource (RELAY H12). It reads the
// very member, since Message.Name takes a name before a URI.
func nameValue(m jsonmsg.Message) (string, bool) {
	member := "name"
	switch m.Method {
	case "tools/call", "prompts/get":
	case "resources/read":
		member = "uri"
	default:
		return "", false
	}
	var found []byte
	_ = jsonmsg.At(m.Raw).Members(func(key string, c jsonmsg.Cursor) error {
		if key != "params" {
			return nil
		}
		return c.Members(func(key string, c jsonmsg.Cursor) (err error) {
			if key != member {
				return nil
			}
			if found, err = c.Value(); err != nil {
				return err
			}
			return errFound // it stands once: Scan saw to it
		})
	})
	if len(found) == 0 || found[0] != '"' {
		return "", false
	}
	return headerValue(jsonmsg.Text(found)), true
}
