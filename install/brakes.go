package install

import (
	"slices"
	"strings"
)

// brakeOptions are the bridge's options that keep a host from tools, and whether a
// value follows (docs/policy.md). In a host's entry they only tighten what the
// profile says.
func brakeOptions() map[string]bool {
	return map[string]bool{"--read-only": false, "--confirm": false, "--allow-tool": true, "--block-tool": true}
}

// keeping is c with the brakes that are on in an entry, unless c has its own: a
// person has put them there, and an install without a word about them does not
// release them.
func (c Command) keeping(values map[string]any) Command {
	if words := commandLine(values); len(c.Brakes) == 0 && len(words) > 0 {
		c.Brakes = brakesIn(words[1:])
	}
	return c
}

// brakesIn are the brakes among arguments, as they stand there.
func brakesIn(args []string) (brakes []string) {
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		follows, ok := brakeOptions()[name]
		switch {
		case !ok:
		case follows && !joined && i+1 < len(args):
			brakes = append(brakes, args[i], args[i+1])
			i++
		default:
			brakes = append(brakes, args[i])
		}
	}
	return slices.Clip(brakes)
}
