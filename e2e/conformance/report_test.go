package conformance

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// report gathers the outcomes.
type report struct {
	mu  sync.Mutex
	all []outcome
}

func (r *report) add(o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, o)
}

// find returns what came of a scenario in a list.
func (r *report) find(list, scenario string) (outcome, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.all, func(o outcome) bool { return o.list == list && o.scenario == scenario })
	if i < 0 {
		return outcome{}, false
	}
	return r.all[i], true
}

// markdown is the table of all scenarios by list, and the sums.
func (r *report) markdown(all []list) string {
	var b strings.Builder
	head, rule, sums := "| scenario |", "|---|", "| **passed** |"
	var names []string
	for _, l := range all {
		head += " " + strings.Replace(l.name(), "-"+l.host, ", "+l.host+" host", 1) + " |"
		rule += "---|"
		passed := 0
		for _, s := range l.scenarios {
			if !slices.Contains(names, s) {
				names = append(names, s)
			}
			if o, ok := r.find(l.name(), s); ok && o.ok() {
				passed++
			}
		}
		sums += fmt.Sprintf(" **%d of %d** |", passed, len(l.scenarios))
	}
	fmt.Fprintf(&b, "%s\n%s\n", head, rule)
	for _, s := range names {
		fmt.Fprintf(&b, "| %s |", s)
		for _, l := range all {
			fmt.Fprintf(&b, " %s |", r.cell(l, s))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s\n", sums)
	return b.String()
}

func (r *report) cell(l list, scenario string) string {
	if !slices.Contains(l.scenarios, scenario) {
		return ""
	}
	o, ran := r.find(l.name(), scenario)
	switch {
	case !ran:
		return "not run"
	case o.ok():
		return "pass"
	default:
		return "**fail**"
	}
}
