package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// Saved is what one server said in one protocol version.
type Saved struct {
	// Opening is the result of initialize, or of server/discover in the modern era.
	Opening json.RawMessage
	// Lists holds the complete results, without nextCursor, by method: tools/list,
	// prompts/list, resources/list, resources/templates/list. A list that the server
	// does not have, or did not give, is not there.
	Lists map[string]json.RawMessage
	// SavedAt is when it was saved; Save fills it in.
	SavedAt time.Time
}

// items names the array in the result of each list method.
var items = map[string]string{
	"tools/list":               "tools",
	"prompts/list":             "prompts",
	"resources/list":           "resources",
	"resources/templates/list": "resourceTemplates",
}

// ItemsOf names the array in the result of a list method; "" for any other method.
func ItemsOf(method string) string { return items[method] }

// fileFormat is the version of the file. An older payu-mcp takes one of a newer
// for none.
const fileFormat = "1"

var errDamaged = errors.New("the catalogue is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errDamaged}, args...)...)
}

// encode puts the parts together as they are: encoding/json would escape and
// compact what the server wrote.
func (v Saved) encode() []byte {
	lists := make([]jsonmsg.Member, 0, len(v.Lists))
	for _, method := range slices.Sorted(maps.Keys(v.Lists)) {
		lists = append(lists, jsonmsg.Member{Key: method, Value: v.Lists[method]})
	}
	return append(jsonmsg.Object(
		jsonmsg.Member{Key: "format", Value: json.RawMessage(fileFormat)},
		jsonmsg.Member{Key: "savedAt", Value: jsonmsg.Quote(v.SavedAt.UTC().Format(time.RFC3339Nano))},
		jsonmsg.Member{Key: "opening", Value: v.Opening},
		jsonmsg.Member{Key: "lists", Value: jsonmsg.Object(lists...)},
	), '\n')
}

// decode is careful: whatever it returns may go to a host as a part of one line.
func decode(raw []byte) (*Saved, error) {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, damaged("it is not JSON in UTF-8")
	}
	if format := jsonmsg.Lookup(raw, "format"); string(format) != fileFormat {
		return nil, damaged("its format is %.20q, and not %s", format, fileFormat)
	}
	at, err := time.Parse(time.RFC3339Nano, jsonmsg.Text(jsonmsg.Lookup(raw, "savedAt")))
	if err != nil {
		return nil, damaged("it does not say when it was saved")
	}
	v := &Saved{Opening: jsonmsg.Compact(jsonmsg.Lookup(raw, "opening")), Lists: map[string]json.RawMessage{}, SavedAt: at}
	for _, m := range jsonmsg.Members(jsonmsg.Lookup(raw, "lists")) {
		v.Lists[m.Key] = jsonmsg.Compact(m.Value)
	}
	return v, v.check()
}

// check refuses what a host could not use.
func (v Saved) check() error {
	if !begins(v.Opening, '{') || !json.Valid(v.Opening) {
		return damaged("the opening is no object")
	}
	for method, result := range v.Lists {
		if key, known := items[method]; !known || !begins(jsonmsg.Lookup(result, key), '[') || !json.Valid(result) {
			return damaged("what is kept for %.40q is no result of a list method", method)
		}
		if jsonmsg.Text(jsonmsg.Lookup(result, "nextCursor")) != "" {
			return damaged("the result of %s is not complete", method)
		}
	}
	return nil
}

// begins reports whether a JSON value begins with c, which tells its type.
func begins(value json.RawMessage, c byte) bool { return len(value) > 0 && value[0] == c }

// same reports whether two differ in nothing but when they were saved.
func (v Saved) same(other Saved) bool {
	v.SavedAt = other.SavedAt
	return bytes.Equal(v.encode(), other.encode())
}
