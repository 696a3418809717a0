package conformance

import "slices"

// wait is a scenario that does not pass yet because of a missing feature of
// OAuth: checks fail, and nothing else does. One that passes has to leave the
// list.
type wait struct {
	scenario string
	list     string   // version and host
	row      string   // of OAUTH section 1
	checks   []string // the suite's names of what fails
}

func waiting() []wait {
	bare := []string{"client-registration", "authorization-request", "token-request"}
	return []wait{
		{"auth/2025-03-26-oauth-endpoint-fallback", "2025-03-26-legacy", "A16", bare},
	}
}

// waitFor is what a scenario waits for; the zero value: it must pass.
func waitFor(list, scenario string) wait {
	all := waiting()
	i := slices.IndexFunc(all, func(w wait) bool { return w.list == list && w.scenario == scenario })
	if i < 0 {
		return wait{}
	}
	return all[i]
}
