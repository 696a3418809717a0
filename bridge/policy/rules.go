package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rules are one set of brakes, as a profile or a host's entry gives it.
type Rules struct {
	ReadOnly bool     // only tools that say readOnlyHint: true
	Confirm  bool     // any other tool asks a person first
	Allow    []string // globs; if there are any, only these tools
	Block    []string // globs: not these tools, whatever else is said
}

// Policy is what several sets of rules say together; each can only tighten what
// the others say. It never changes, so it is safe for concurrent use.
type Policy struct {
	readOnly, confirm bool
	allow             [][]string // one glob of each must match
	block             []string
}

// New puts sets of rules together; nil if they forbid nothing.
func New(sets ...Rules) *Policy {
	p := &Policy{}
	for _, r := range sets {
		p.readOnly = p.readOnly || r.ReadOnly
		p.confirm = p.confirm || r.Confirm
		if len(r.Allow) > 0 {
			p.allow = append(p.allow, r.Allow)
		}
		p.block = append(p.block, r.Block...)
	}
	if !p.confirm && !p.hides() {
		return nil
	}
	return p
}

// ReadOnly reports whether only tools that say readOnlyHint: true pass.
func (p *Policy) ReadOnly() bool { return p != nil && p.readOnly }

// hides reports whether a tool may be forbidden, and so is not to be listed.
func (p *Policy) hides() bool { return p.readOnly || len(p.allow) > 0 || len(p.block) > 0 }

// Verdict is what becomes of a tool.
type Verdict int

// The verdicts. All after Ask are refusals, but for NeedsList.
const (
	Pass       Verdict = iota // it may be listed and called
	Ask                       // a person decides about each call
	NeedsList                 // only the server's list can tell
	BadName                   // no two readers need to agree on the name
	Blocked                   // a glob of Block matches
	NotAllowed                // no glob of Allow matches
	Unlisted                  // the server's list does not have it
	Writes                    // it does not say readOnlyHint: true
)

// Judge says what becomes of a call of a tool. tools are the server's newest;
// nil: none are known.
func (p *Policy) Judge(name string, tools Tools) Verdict {
	readOnly, listed := tools[name]
	switch {
	case !certain(name):
		return BadName
	case matches(p.block, name, sameLetter):
		return Blocked
	case !p.allows(name):
		return NotAllowed
	case tools == nil:
		return NeedsList
	case !listed && p.hides(): // a server that is lenient with names may take it for another tool
		return Unlisted
	case readOnly:
		return Pass
	case p.readOnly:
		return Writes
	case p.confirm:
		return Ask
	}
	return Pass
}

func (p *Policy) allows(name string) bool {
	for _, globs := range p.allow {
		if !matches(globs, name, sameRune) {
			return false
		}
	}
	return true
}

// certain reports whether all readers of JSON that take a name take the same one:
// half a surrogate pair reads as U+FFFD in one and as itself in another, and a
// NUL ends the name for a third.
func certain(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError })
}

// CheckGlob refuses what is no glob: the characters of tool names (MCP 2025-11-25,
// server/tools, "Tool Names") and the slash, * for any number of characters, and
// ? for one.
func CheckGlob(glob string) error {
	if glob == "" {
		return errors.New("an empty glob matches no tool")
	}
	for _, r := range glob {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-./*?", r) {
			return fmt.Errorf("%q in a glob: it may have letters, digits, _ - . / and * for anything, ? for one character", r)
		}
	}
	return nil
}

// matches reports whether one of the globs matches the name.
func matches(globs []string, name string, same func(a, b rune) bool) bool {
	runes := []rune(name)
	return slices.ContainsFunc(globs, func(glob string) bool { return match([]rune(glob), runes, same) })
}

// match goes back to the last * only, so it takes len(glob)*len(name) steps at
// most.
func match(glob, name []rune, same func(a, b rune) bool) bool {
	g, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, from = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || same(glob[g], name[n])):
			g++
			n++
		case star >= 0:
			from++
			g, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(string(glob[g:]), "*") == ""
}

func sameRune(a, b rune) bool { return a == b }

// sameLetter ignores case: what is blocked is blocked in every spelling.
func sameLetter(a, b rune) bool { return a == b || strings.EqualFold(string(a), string(b)) }
