package conformance

// wait is a scenario that does not pass yet because of a missing feature of
// OAuth. One that passes has to leave the list; no other scenario may fail.
type wait struct {
	scenario string
	list     string // version and host
	row      string // of OAUTH section 1
}

func waiting() []wait {
	return []wait{
		{"auth/scope-step-up", "2025-11-25-legacy", "A22"},
		{"auth/scope-step-up", "2026-07-28-modern", "A22, A23"},
		{"auth/scope-step-up", "2026-07-28-legacy", "A22, A23"},
		{"auth/2025-03-26-oauth-endpoint-fallback", "2025-03-26-legacy", "A16"},
	}
}

// rowFor is the row that a scenario waits for; empty: it must pass.
func rowFor(list, scenario string) string {
	for _, w := range waiting() {
		if w.list == list && w.scenario == scenario {
			return w.row
		}
	}
	return ""
}
