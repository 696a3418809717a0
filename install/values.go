package install

import (
	"maps"
	"slices"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// writable turns a value of a parser into one that an entry can have.
func writable(v any) (any, bool) {
	switch v := v.(type) {
	case string, bool, int, []string, map[string]string:
		return v, true
	case int64:
		return int(v), true
	case uint64:
		return int(v), int(v) >= 0 //nolint:gosec // G115: the second result says so
	case float64:
		return int(v), float64(int(v)) == v
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
