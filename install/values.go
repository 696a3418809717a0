package install

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/payu-mcp/payu-mcp/install/edit"
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

// merge keeps what the person has added to an entry that starts this program:
// after ours, in the order of the names.
func merge(ours edit.Entry, values map[string]any) edit.Entry {
	e := slices.Clone(ours)
	for _, key := range sortedKeys(values) {
		i := slices.IndexFunc(e, func(m edit.Member) bool { return m.Key == key })
		if i < 0 {
			e = append(e, edit.Member{Key: key, Value: values[key]})
			continue
		}
		e[i].Value = settled(e[i], values[key])
	}
	return e
}

// settled is what a member of ours shall be where there is one already: the
// person's, if it is no part of how this program is started. Of the tools that a
// host may use (Copilot) theirs may be fewer: that is a brake, which install does
// not release.
func settled(ours edit.Member, there any) any {
	switch ours.Key {
	case "description", "timeout", "tools", "env", "envs", "environment":
		if there != nil {
			return there
		}
	case "env_vars":
		return withAll(there, ours.Value)
	}
	return ours.Value
}

// withAll is a list of the person's with those of ours that it lacks.
func withAll(there, ours any) any {
	list, ok := there.([]any)
	if !ok {
		return ours
	}
	list = slices.Clone(list)
	for _, name := range stringsOf(ours) {
		if !slices.ContainsFunc(list, func(v any) bool { return reflect.DeepEqual(v, name) }) {
			list = append(list, name)
		}
	}
	return list
}
