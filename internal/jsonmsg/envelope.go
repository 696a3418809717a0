package jsonmsg

import (
	"encoding/json"
	"fmt"
)

// metaVersion is the member of _meta that marks a request of the modern era.
const metaVersion = "io.modelcontextprotocol/protocolVersion"

// judged are the members that the relay reads; each may stand once.
type judged int

const (
	idKey judged = iota
	methodKey
	paramsKey
	resultKey
	errorKey
	nameKey
	uriKey
	requestIDKey
	versionKey
	metaKey
	metaVersionKey
	judgedKeys // how many there are
)

// envelope collects the judged members of one message while it is scanned.
type envelope struct {
	Message
	*scanner

	uri      string
	seen     [judgedKeys]int
	badError bool // error is there, and no object
}

// top takes one member of the message; the scanner stands at its value.
func (e *envelope) top(key string) error {
	if key == "params" && e.peek() == '{' {
		e.seen[paramsKey]++
		return e.object(e.param)
	}
	if key == "result" && e.peek() == '{' {
		e.seen[resultKey]++
		return e.object(e.resultMember)
	}
	at := e.i
	if err := e.value(); err != nil {
		return err
	}
	switch key {
	case "id":
		e.seen[idKey]++
		e.ID, e.idAt = json.RawMessage(e.b[at:e.i:e.i]), at
	case "method":
		e.seen[methodKey]++
		e.Method = text(e.b[at:e.i])
	case "params":
		e.seen[paramsKey]++
	case "result":
		e.seen[resultKey]++
	case "error":
		e.seen[errorKey]++
		e.IsError = e.b[at] != 'n' // some servers write "error":null beside a result
		e.badError = e.IsError && e.b[at] != '{'
	}
	return nil
}

// param takes one member of params.
func (e *envelope) param(key string) error {
	if key == "_meta" {
		e.seen[metaKey]++
		if e.peek() == '{' {
			return e.object(e.metaMember)
		}
	}
	at := e.i
	if err := e.value(); err != nil {
		return err
	}
	value := e.b[at:e.i:e.i]
	switch key {
	case "name":
		e.seen[nameKey]++
		e.Name = text(value)
	case "uri":
		e.seen[uriKey]++
		e.uri = text(value)
	case "requestId":
		e.seen[requestIDKey]++
		e.CancelID = value
	case "protocolVersion":
		e.seen[versionKey]++
		e.Version = text(value)
	}
	return nil
}

// metaMember takes one member of params._meta.
func (e *envelope) metaMember(key string) error {
	at := e.i
	if err := e.value(); err != nil {
		return err
	}
	if key == metaVersion {
		e.seen[metaVersionKey]++
		e.Meta = text(e.b[at:e.i])
	}
	return nil
}

// resultMember takes one member of result.
func (e *envelope) resultMember(key string) error {
	at := e.i
	if err := e.value(); err != nil {
		return err
	}
	switch key {
	case "protocolVersion":
		e.Version = text(e.b[at:e.i])
	case "resultType":
		e.ResultType = text(e.b[at:e.i])
	}
	return nil
}

func (e *envelope) count(k judged) int { return e.seen[k] }

// classify finds the kind of a message that is valid JSON.
func (e *envelope) classify() error {
	for _, n := range e.seen {
		if n > 1 {
			return fmt.Errorf("%w (id, method, params, result, error, name, uri, requestId, _meta and the protocol version may stand once)", ErrDuplicate)
		}
	}
	if e.Name == "" {
		e.Name = e.uri
	}
	switch {
	case e.count(methodKey) == 0:
		return e.classifyAnswer()
	case e.Method == "":
		return fmt.Errorf("%w: the method is not a name", ErrInvalid)
	case e.ID == nil:
		e.Kind = Notification
	case isID(e.ID):
		e.Kind = Request
	default:
		return fmt.Errorf("%w: the id is neither a string nor a number", ErrInvalid)
	}
	return nil
}

func (e *envelope) classifyAnswer() error {
	// {"error":"invalid_token"} is what OAuth servers say, not JSON-RPC.
	if e.count(resultKey) == 0 && !e.IsError || e.badError || !e.NullID() && !isID(e.ID) {
		return ErrInvalid
	}
	e.Kind = Response
	return nil
}

// text returns a string value decoded, any other value as "".
func text(v []byte) string {
	if len(v) == 0 || v[0] != '"' {
		return ""
	}
	return unquote(v)
}
