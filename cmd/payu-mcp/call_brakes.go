package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
)

// The brakes are the bridge's to decide (docs/policy.md). Here a person is told
// before which of them it is that holds a call back, and where it is set; what this
// lets pass the bridge judges all the same.

// brakeFlags are the options that a verdict comes from.
func brakeFlags() map[policy.Verdict]string {
	return map[policy.Verdict]string{
		policy.Blocked: "block-tool", policy.NotAllowed: "allow-tool", policy.Writes: "read-only", policy.Ask: "confirm",
	}
}

// heldBackBy is the error for a verdict that is a refusal, or a question that
// nobody is here for; nil: the call may go to the bridge.
func (s *shell) heldBackBy(v policy.Verdict, name string, tools policy.Tools) error {
	why := ""
	switch v {
	case policy.Pass, policy.NeedsList, policy.Unlisted: // a tool that is not listed has words of its own
		return nil
	case policy.Ask:
		if s.person != nil {
			return nil
		}
		why = "a person has to say yes to it at a terminal"
	case policy.BadName:
		return heldBack(kindBrake, "the name of the tool can be read in several ways, so nothing was sent", "see payu-mcp tools")
	case policy.Blocked:
		why = "it is blocked"
	case policy.NotAllowed:
		why = "it is not among the tools that are allowed"
	case policy.Writes:
		why = "PayU does not say that it changes nothing"
	}
	flag, where, advice := s.brakeOf(v, name, tools)
	return heldBack(kindBrake, fmt.Sprintf("the tool %s is held back by --%s %s: %s; nothing was sent", name, flag, where, why), advice)
}

// brakeOf tells which option a verdict comes from, where that is set, and who may
// change it there.
func (s *shell) brakeOf(v policy.Verdict, name string, tools policy.Tools) (flag, where, advice string) {
	flag = brakeFlags()[v]
	saved := policy.New(s.saved.rules())
	switch origin := s.origin[flag]; {
	case saved != nil && saved.Judge(name, tools) == v:
		return flag, "of the profile " + s.profile, "whoever may change that uses payu-mcp login --" + flag + "=...; see docs/policy.md"
	case origin == sourceFlag:
		return flag, "of this command line", "leave the option away"
	default:
		return flag, "of the environment", "unset " + cmp.Or(origin, variable(flag))
	}
}

// judge holds the policy against a name; without tools only against what needs no
// list of them.
func (s *shell) judge(name string, tools policy.Tools) error {
	p := s.policy()
	if p == nil {
		return nil
	}
	return s.heldBackBy(p.Judge(name, tools), name, tools)
}

// hidden are the names of the tools that the brakes hide.
func (s *shell) hidden(tools policy.Tools) []string {
	p := s.policy()
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(tools)), func(name string) bool { return p.Judge(name, tools) <= policy.Ask })
}

// unknownTool says that the server has no such tool, and which names are near.
func unknownTool(name string, tools []shellTool) error {
	text := fmt.Sprintf("PayU lists no tool %q, so nothing was sent", name)
	if near := nearest(name, tools); len(near) > 0 {
		text += "; it has " + strings.Join(near, ", ")
	}
	return usagef("see payu-mcp tools", "%s", text)
}
