package bridge

import (
	"encoding/json"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// What an answer says of the call that it is to: for the journal, and for the exit
// code of `call`.

// outcomeOf reads what became of a call in the answer to it, which came with an
// HTTP status. An answer that is delivered is the server's, whatever it says of
// itself: it can write all that we can. How a call ended that we end ourselves is
// told by the error of Upstream.Do (account.after). An error may be the trace of the
// host's cancellation: then nobody knows how far it had come.
func outcomeOf(m jsonmsg.Message, status int, cancelled bool) journal.Outcome {
	failed := journal.Failed
	if cancelled || LeavesOpen(m, status) {
		failed = journal.Unknown
	}
	switch {
	case IsFailure(m):
		return failed
	case m.ResultType == resultInput:
		return journal.Asked
	case m.ResultType != "" && m.ResultType != resultComplete:
		return journal.Unknown
	}
	return journal.Done
}

// The values of resultType that are known here.
const (
	resultInput    = "input_required"
	resultComplete = "complete"
)

// LeavesOpen reports whether an answer is an error that does not exclude that the
// call has run: one with an HTTP status of 500 and above, as of a gateway that lost
// its patience (RELAY R10), whatever it has for a body, or an internal error.
func LeavesOpen(m jsonmsg.Message, status int) bool {
	const fault = 500
	return m.IsError && (status >= fault || m.ErrorCode() == jsonmsg.CodeInternal)
}

// IsFailure reports whether an answer is an error, of the server or of the tool, or
// a refusal in words.
func IsFailure(m jsonmsg.Message) bool {
	result := jsonmsg.Lookup(m.Raw, "result")
	return m.IsError || string(jsonmsg.Lookup(result, "isError")) == "true" || saysNo(result)
}

// saysNo reports whether a result is PayU's refusal in words: a text of JSON with
// status -1 (PAYU P26).
func saysNo(result json.RawMessage) bool {
	const most = 64 << 10 // bytes: a refusal is short
	content := jsonmsg.At(jsonmsg.Lookup(result, "content"))
	no := false
	_ = content.Elements(func(c jsonmsg.Cursor) error {
		part, err := c.Value()
		if err != nil || len(part) > most {
			return err
		}
		no = no || string(jsonmsg.Lookup([]byte(jsonmsg.Text(jsonmsg.Lookup(part, "text"))), "status")) == "-1"
		return nil
	})
	return no
}
