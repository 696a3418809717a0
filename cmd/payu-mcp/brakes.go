package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
)

// brakes are the options that keep a host from tools (docs/policy.md). `login`
// sets them for the profile; what a host's entry or the environment of a bridge
// says comes on top, and can only tighten them.
type brakes struct {
	ReadOnly   bool  `json:"read_only,omitempty"`
	AllowTools globs `json:"allow_tools,omitempty"`
	BlockTools globs `json:"block_tools,omitempty"`
	Confirm    bool  `json:"confirm,omitempty"`
}

func addBrakeFlags(f *pflag.FlagSet, b *brakes) {
	f.BoolVar(&b.ReadOnly, "read-only", false, "let hosts see and use only tools that say they change nothing")
	f.Var(&b.AllowTools, "allow-tool", "let hosts see and use only tools of this name, * for anything; may be repeated")
	f.Var(&b.BlockTools, "block-tool", "keep tools of this name from hosts, * for anything; may be repeated")
	f.BoolVar(&b.Confirm, "confirm", false, "ask a person before each call of a tool that may change something")
}

// over returns b with what was not given filled from saved.
func (b brakes) over(saved brakes, given func(flag string) bool) brakes {
	keep(given("read-only"), &b.ReadOnly, saved.ReadOnly)
	keep(given("allow-tool"), &b.AllowTools, saved.AllowTools)
	keep(given("block-tool"), &b.BlockTools, saved.BlockTools)
	keep(given("confirm"), &b.Confirm, saved.Confirm)
	return b
}

func (b brakes) rules() policy.Rules {
	return policy.Rules{ReadOnly: b.ReadOnly, Confirm: b.Confirm, Allow: b.AllowTools.list(), Block: b.BlockTools.list()}
}

// brakeArgs are the brakes that were given, as a host's entry gives them to a
// bridge. What the profile says needs no repeating there.
func (o *options) brakeArgs() []string {
	var args []string
	for _, b := range []struct {
		flag string
		set  bool
	}{{"read-only", o.login.ReadOnly}, {"confirm", o.login.Confirm}} {
		if o.origin[b.flag] != "" && b.set {
			args = append(args, "--"+b.flag)
		}
	}
	for _, b := range []struct {
		flag string
		of   globs
	}{{"allow-tool", o.login.AllowTools}, {"block-tool", o.login.BlockTools}} {
		if o.origin[b.flag] != "" && b.of != "" {
			args = append(args, "--"+b.flag+"="+string(b.of))
		}
	}
	return args
}

// globs are patterns of tool names, joined by commas so that settings can be
// compared.
type globs string

func (g *globs) list() []string {
	if *g == "" {
		return nil
	}
	return strings.Split(string(*g), ",")
}

// String implements pflag.Value.
func (g *globs) String() string { return string(*g) }

// Type implements pflag.Value.
func (g *globs) Type() string { return "NAME" }

// Set implements pflag.Value. Each one adds to those before; an empty one alone
// gives none, which makes login forget what it was told.
func (g *globs) Set(text string) error {
	for glob := range strings.SplitSeq(text, ",") {
		if text == "" {
			break
		}
		if err := policy.CheckGlob(glob); err != nil {
			return err
		}
		*g = globs(strings.TrimPrefix(string(*g)+","+glob, ","))
	}
	return nil
}

// UnmarshalJSON reads what a profile has. A name that is none is an error: a brake
// that cannot be read is no reason to drive without it.
func (g *globs) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("reading tool names: %w", err)
	}
	*g = ""
	return g.Set(text)
}

// policy is what the profile says and what was given on top of it; nil: nothing.
func (o *options) policy() *policy.Policy {
	return policy.New(o.saved.rules(), o.login.rules())
}

// statusPolicy is what `status` shows of it. A tool must match one name of each
// list of AllowTools.
type statusPolicy struct {
	ReadOnly   bool       `json:"read_only"`
	Confirm    bool       `json:"confirm"`
	AllowTools [][]string `json:"allow_tools,omitempty"`
	BlockTools []string   `json:"block_tools,omitempty"`
}

func (o *options) statusPolicy() statusPolicy {
	var s statusPolicy
	for _, b := range []brakes{o.saved.brakes, o.login.brakes} {
		s.ReadOnly, s.Confirm = s.ReadOnly || b.ReadOnly, s.Confirm || b.Confirm
		if allow := b.AllowTools.list(); allow != nil && !slices.ContainsFunc(s.AllowTools, func(l []string) bool { return slices.Equal(l, allow) }) {
			s.AllowTools = append(s.AllowTools, allow)
		}
		for _, glob := range b.BlockTools.list() {
			if !slices.Contains(s.BlockTools, glob) {
				s.BlockTools = append(s.BlockTools, glob)
			}
		}
	}
	return s
}

// text is "" if nothing is set.
func (s statusPolicy) text() string {
	var all []string
	if s.ReadOnly {
		all = append(all, "read-only")
	}
	if s.Confirm {
		all = append(all, "asks before a tool that may change something")
	}
	for _, allow := range s.AllowTools {
		all = append(all, "only "+strings.Join(allow, ", "))
	}
	if s.BlockTools != nil {
		all = append(all, "not "+strings.Join(s.BlockTools, ", "))
	}
	return strings.Join(all, "; ")
}
