package install

import (
	"encoding/json"
	"maps"
	"slices"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// writable turns a value of a file into one that an entry can have.
func writable(v any) (any, bool) {
	switch v := v.(type) {
	case string, bool:
		return v, true
	case json.Number:
		n, err := v.Int64()
		return int(n), err == nil
	case []any:
		s := stringsOf(v)
		return append([]string{}, s...), len(s) == len(v)
	case map[string]any:
		m := map[string]string{}
		for key, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, false
			}
			m[key] = s
		}
		return m, true
	}
	return nil, false
}
