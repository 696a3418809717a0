package catalogue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// maxPages bounds a list that never ends.
const maxPages = 50

var errEndless = errors.New("the list is too long")

// CollectList asks for one list, page after page, and returns it as one result:
// all items, and the other members of the first page but for nextCursor, as the
// server wrote them. In the modern era meta is the _meta of the requests, in the
// legacy era it is nil; a progress token in it names a request of the host, so it
// is dropped.
func CollectList(ctx context.Context, up Upstream, method string, meta json.RawMessage) (json.RawMessage, error) {
	key, known := items[method]
	if !known {
		return nil, fmt.Errorf("collecting %q: not a list method", method)
	}
	var always []jsonmsg.Member
	if meta != nil {
		always = []jsonmsg.Member{{Key: "_meta", Value: without(meta, "progressToken")}}
	}
	params, first, all, size := always, json.RawMessage(nil), [][]byte(nil), 0
	for range maxPages {
		page, err := ask(ctx, up, method, params...)
		if err != nil {
			return nil, err
		}
		list := jsonmsg.Lookup(page, key)
		if !begins(list, '[') {
			return nil, fmt.Errorf("the server answered %s with no list", method)
		}
		if size += len(page); size > maxFile {
			break
		}
		if first == nil {
			first = page
		}
		if inner := bytes.TrimSpace(list[1 : len(list)-1]); len(inner) > 0 {
			all = append(all, inner)
		}
		next := jsonmsg.Lookup(page, "nextCursor")
		if jsonmsg.Text(next) == "" {
			return merged(first, key, all), nil
		}
		params = slices.Concat(always, []jsonmsg.Member{{Key: "cursor", Value: next}})
	}
	return nil, fmt.Errorf("collecting %s: %w", method, errEndless)
}

// merged puts all items into the first page. A list of one page stays as it is.
func merged(first json.RawMessage, key string, all [][]byte) json.RawMessage {
	if jsonmsg.Lookup(first, "nextCursor") == nil {
		return first
	}
	var members []jsonmsg.Member
	for _, m := range jsonmsg.Members(first) {
		switch m.Key {
		case "nextCursor":
			continue
		case key:
			m.Value = bytes.Join([][]byte{[]byte("["), bytes.Join(all, []byte(",")), []byte("]")}, nil)
		}
		members = append(members, m)
	}
	return jsonmsg.Object(members...)
}

// without returns an object without a member.
func without(object json.RawMessage, key string) json.RawMessage {
	var kept []jsonmsg.Member
	for _, m := range jsonmsg.Members(object) {
		if m.Key != key {
			kept = append(kept, m)
		}
	}
	return jsonmsg.Object(kept...)
}
