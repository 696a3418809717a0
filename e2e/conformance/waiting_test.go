package conformance

// wait is a scenario that does not pass yet because of a missing feature of
// OAuth. One that passes has to leave the list; no other scenario may fail.
type wait struct {
	scenario string
	list     string // version and host
	row      string // of OAUTH section 1
}

func waiting() []wait {
	return []wait{}
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
