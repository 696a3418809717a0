package remote

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// levelDropped is for what a server sends amiss: of use when somebody looks for
// a fault, noise otherwise.
const levelDropped = slog.LevelDebug

// errMessage says that an event held no JSON-RPC message; the stream goes on.
var errMessage = errors.New("an event is no JSON-RPC message")

// nextMessage returns the next message of a stream, on one line. Events without
// data (they only set an id or keep the connection open) and events of other
// names are passed over.
func nextMessage(r *eventReader) (jsonmsg.Message, error) {
	for {
		e, err := r.next()
		if err != nil {
			return jsonmsg.Message{}, err
		}
		if len(e.data) == 0 || e.name != "" && e.name != "message" {
			continue
		}
		m, err := jsonmsg.Scan(jsonmsg.Compact(e.data))
		if err != nil {
			return m, fmt.Errorf("%w: %w", errMessage, err)
		}
		return m, nil
	}
}
