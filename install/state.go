package install

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// State is what one entry of a host's file is to us.
type State string

// The states of an entry.
const (
	// StateAbsent: there is none.
	StateAbsent State = "absent"
	// StateOurs: it starts this program, as install would write it. The person may
	// have added to it.
	StateOurs State = "ours"
	// StateStale: it starts a payu-mcp that is not there any more.
	StateStale State = "stale"
	// StateDifferent: it starts a payu-mcp, in another way than install would.
	StateDifferent State = "different"
	// StateForeign: somebody else's entry has our name.
	StateForeign State = "foreign"
	// StateBroken: it leads to PayU in a way that cannot work in this host (an
	// address where only commands are started), or not well (mcp-remote).
	StateBroken State = "broken"
	// StateDuplicate: it starts this program once more for the same login, under
	// another name.
	StateDuplicate State = "duplicate"
	// StateStorePackage: the entry is in the file of the usual edition; the one from
	// the Windows Store reads another file (HOSTS F24).
	StateStorePackage State = "store-package"
	// StateUnreadable: the file cannot be read, or not understood.
	StateUnreadable State = "unreadable"
)

// found is an entry that concerns us.
type found struct {
	name    string
	state   State
	profile string // whose login it uses, if it starts this program
	bare    bool   // it gives this program nothing but a profile
	detail  string // what is the matter, without secrets and arguments
	values  map[string]any
}

// judge looks at every entry of a file. want is what install would write.
func (h Host) judge(entries map[string]map[string]any, want Command) []found {
	var all []found
	for name, values := range entries {
		f := h.judgeOne(name, values, want)
		if f.state != StateForeign || name == want.Name() {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.name, b.name) })
	return all
}

func (h Host) judgeOne(name string, values map[string]any, want Command) found {
	f := found{name: name, values: values}
	words := commandLine(values)
	if f.detail = h.brokenWay(values, words); f.detail != "" {
		f.state = StateBroken
		return f
	}
	if len(words) == 0 || program(words[0]) != "payu-mcp" {
		f.state, f.detail = StateForeign, "the name belongs to another server"
		return f
	}
	f.profile, f.bare = loginOf(words[1:], values)
	gone := filepath.IsAbs(words[0]) && !exists(words[0])
	switch {
	case name != want.Name() && f.bare && f.profile == profileOf(want.Name()):
		f.state, f.detail = StateDuplicate, "it starts payu-mcp for the same login, under another name"
	case gone:
		f.state, f.detail = StateStale, words[0]+" is not there any more"
	case name == want.Name():
		f.state, f.detail = h.compare(values, want.keeping(values))
	default: // another login, or options that a person gave it
		f.state = StateOurs
	}
	return f
}

// compare tells whether an entry has all that install would write.
func (h Host) compare(values map[string]any, want Command) (State, string) {
	for _, m := range h.Entry(want) {
		if h.list && m.Key == "name" {
			continue // a parser may have taken it out: it is how the entry was found
		}
		if there := values[m.Key]; !reflect.DeepEqual(settled(m, there), there) && !sameValue(there, m.Value) {
			return StateDifferent, fmt.Sprintf("%q is not what install would write", m.Key)
		}
	}
	return StateOurs, ""
}

// commandLine is what an entry starts, in the words of all hosts.
func commandLine(values map[string]any) []string {
	var words []string
	for _, key := range []string{"command", "cmd", "args"} {
		words = append(words, stringsOf(values[key])...)
	}
	return words
}

// stringsOf is a string, or those of a list.
func stringsOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var all []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// program is a command's name, on whatever system it was written.
func program(command string) string {
	name := path.Base(strings.ReplaceAll(command, `\`, "/"))
	return strings.TrimSuffix(strings.ToLower(name), ".exe")
}

// profileIn is the profile that arguments name, and whether they name nothing else.
func profileIn(args []string) (profile string, bare bool) {
	profile, bare = defaultProfile, true
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		if name != "--profile" {
			bare = false
			continue
		}
		if !joined && i+1 < len(args) {
			i++
			value = args[i]
		}
		profile = value
	}
	return profile, bare
}

// loginOf is the profile that an entry's arguments or variables name, and whether
// they name nothing else. Each option has a variable, so any variable may lead to
// another login, or be a brake.
func loginOf(args []string, values map[string]any) (profile string, bare bool) {
	profile, bare = profileIn(args)
	for _, key := range []string{"env", "envs", "environment"} {
		variables, _ := values[key].(map[string]any)
		bare = bare && len(variables) == 0
		if named, ok := variables["PAYU_MCP_PROFILE"].(string); ok && named != "" && !namesProfile(args) {
			profile = named
		}
	}
	return profile, bare
}

// namesProfile: an argument goes before a variable.
func namesProfile(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool { return arg == "--profile" || strings.HasPrefix(arg, "--profile=") })
}

// brokenWay says how an entry tries to reach PayU's endpoint without this program,
// or "".
func (h Host) brokenWay(values map[string]any, words []string) string {
	for _, key := range []string{"url", "uri", "serverUrl", "httpUrl"} {
		if s, ok := values[key].(string); ok && h.noURL && isPayU(s) {
			return "an address is of no use to " + h.Name + ", which only starts commands"
		}
	}
	words = strings.Fields(strings.Join(words, " ")) // a whole command line may be one of them
	if slices.ContainsFunc(words, isPayU) && slices.ContainsFunc(words, isMCPRemote) {
		return "mcp-remote is started for PayU's endpoint"
	}
	return ""
}

func isMCPRemote(word string) bool {
	return word == "mcp-remote" || strings.HasPrefix(word, "mcp-remote@") || program(word) == "mcp-remote"
}

// isPayU tells whether a word is an address of PayU's endpoint. Other hosts of
// PayU have other servers: one for its documentation, which needs no sign-in
// (PAYU P27), and those for tests (P23). Entries for them are somebody's own.
func isPayU(word string) bool {
	u, err := url.Parse(word)
	if err != nil {
		return false
	}
	return strings.EqualFold(u.Hostname(), "api.payu.in")
}

// sameValue compares what a file holds with what install writes.
func sameValue(got, want any) bool {
	if isEmpty(want) {
		_, set := want.(map[string]string) // the person's own variables are theirs
		return got == nil || set || isEmpty(got)
	}
	v, ok := writable(got)
	return ok && reflect.DeepEqual(v, want)
}

func isEmpty(v any) bool {
	r := reflect.ValueOf(v)
	return (r.Kind() == reflect.Slice || r.Kind() == reflect.Map) && r.Len() == 0
}
