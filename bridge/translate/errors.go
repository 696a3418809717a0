package translate

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// The error codes of the modern era that a legacy host cannot know, and those
// of JSON-RPC 2.0 section 5.1 that we read or give.
const (
	codeCapability  = -32021 // MissingRequiredClientCapability
	codeVersion     = -32022 // UnsupportedProtocolVersion
	codeMethod      = -32601
	codeParams      = -32602
	source          = "payu-mcp"
	kindBadMessage  = "bad_message"  // as the bridge says it
	kindUnsupported = "unsupported"  // one side lacks what the other needs
	kindBadAnswer   = "bad_answer"   // as remote says it
	kindRounds      = "input_rounds" // the server asks and asks
)

// errorData is the data of an error that we author, as the bridge writes it
// (RELAY L16).
type errorData struct {
	Source string `json:"source"`
	Kind   string `json:"kind"`
	Side   string `json:"side"`
	Hint   string `json:"hint,omitempty"`
}

// fail answers a request with an error of ours.
func fail(h remote.Hooks, m jsonmsg.Message, code int, kind, text string) error {
	return deliver(h, jsonmsg.ErrorReply(m.ID, code, text, errorData{Source: source, Kind: kind, Side: sideOf(kind)}))
}

// hintUnfit helps where server, payu-mcp and host do not fit together.
const hintUnfit = "a newer payu-mcp, or another host program, may help"

// sideOf tells whose the fault is: the host's of a bad message, else the server's.
func sideOf(kind string) string {
	if kind == kindBadMessage {
		return "host"
	}
	return remote.SidePayU
}

// giveUp ends a request that the server answered but that cannot be finished
// here. Of a tool call the model reads the reason, so that it can act on it.
func (t *Translator) giveUp(h remote.Hooks, m jsonmsg.Message, kind, text string) error {
	if m.Method != methodCall {
		return fail(h, m, jsonmsg.CodeInternal, kind, text)
	}
	return t.reply(h, m, jsonmsg.ToolText(text, true))
}

// plainly puts an error of the modern era into words. Nothing of the server's
// text is in it, but for names that we know.
func plainly(m jsonmsg.Message) error {
	switch m.ErrorCode() {
	case codeCapability:
		return errors.New("this needs something that the host program cannot do" + required(jsonmsg.Lookup(m.Raw, "error", "data", "requiredCapabilities")))
	case codeVersion:
		return errors.New("the server speaks other protocol versions than payu-mcp (" + remote.ModernVersion + ")" +
			versions(jsonmsg.Lookup(m.Raw, "error", "data", "supported")) + "; a newer payu-mcp may help")
	}
	return errors.New("the server and payu-mcp do not agree on the headers of the request")
}

// required names the capabilities that the server misses.
func required(capabilities json.RawMessage) string {
	var names []string
	for _, c := range jsonmsg.Members(capabilities) {
		if slices.Contains([]string{"roots", "sampling", "elicitation", "experimental", "extensions"}, c.Key) {
			names = append(names, c.Key)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

// versions names the server's versions, as far as they look like some.
func versions(list json.RawMessage) string {
	var names []string
	for _, v := range texts(list) {
		if len(v) == len(remote.ModernVersion) && strings.Trim(v, "0123456789-") == "" && len(names) < 10 {
			names = append(names, v)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

// texts decodes an array of strings; of anything else, nothing.
func texts(list json.RawMessage) []string {
	var all []string
	if err := json.Unmarshal(list, &all); err != nil {
		return nil
	}
	return all
}
