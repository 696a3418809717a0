package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// Change is a tool that may change something, before or after, and that the server
// describes in another way than it did.
type Change struct {
	Name string   // as the server gives it: see Plain
	What []string // in our words: what of it is different
	Sum  string   // stands for how it is described now
}

// parts are what of a tool is compared, and our words for them.
func parts() [3][2]string {
	return [3][2]string{{"description", "description"}, {"inputSchema", "input schema"}, {"annotations", "annotations"}}
}

// description is all that a list says of the tools of one name.
type description struct {
	readOnly bool
	parts    [3][]json.RawMessage
}

// Changes compares two results of tools/list. Tools that come or go are no change,
// and tools that only read, before and after, are left out; the order of members
// and blanks do not count.
func Changes(before, after []byte) []Change {
	if bytes.Equal(before, after) {
		return nil
	}
	was, is := descriptions(before), descriptions(after)
	var all []Change
	for _, name := range slices.Sorted(maps.Keys(is)) {
		old, known := was[name]
		now := is[name]
		if !known || old.readOnly && now.readOnly {
			continue
		}
		c := Change{Name: name, Sum: now.sum()}
		for i, p := range parts() {
			if !slices.EqualFunc(old.parts[i], now.parts[i], same) {
				c.What = append(c.What, p[1])
			}
		}
		if c.What != nil {
			all = append(all, c)
		}
	}
	return all
}

func descriptions(result []byte) map[string]description {
	all := map[string]description{}
	lists, err := find(result, []string{"tools"})
	if err != nil {
		return all
	}
	for _, l := range lists {
		for _, t := range l.items {
			d, twice := all[t.name]
			d.readOnly = t.readOnly && !twice
			for _, m := range jsonmsg.Members(result[t.from:t.to]) {
				for i, p := range parts() {
					if alike(m.Key, p[0]) {
						d.parts[i] = append(d.parts[i], m.Value)
					}
				}
			}
			all[t.name] = d
		}
	}
	delete(all, "")
	return all
}

func (d description) sum() string {
	h := sha256.New()
	for _, values := range d.parts {
		for _, v := range values {
			h.Write(append(v, 0))
		}
		h.Write([]byte{1})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// same compares two values as JSON.
func same(a, b json.RawMessage) bool {
	return bytes.Equal(a, b) || reflect.DeepEqual(decoded(a), decoded(b))
}

func decoded(raw json.RawMessage) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	return v
}

// The characters of tool names and how many there may be (MCP 2025-11-25,
// server/tools, "Tool Names"), and the slash. A regular expression that counts to
// 128 would cost every start of the program 2 ms.
const (
	nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-"
	maxName        = 128
)

// Plain reports whether the name of a tool is one that may be shown to a person:
// anything else is text of the server's.
func Plain(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, nameCharacters) == ""
}
