package conformance

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// inParallel is how many scenarios run at a time: each is three programs.
const inParallel = 2

// The official suite, scenario by scenario: all pass but those that wait for a
// row of OAUTH.
func TestConformance(t *testing.T) {
	p, err := prepare()
	if err != nil {
		t.Fatal(err)
	}
	all, err := lists(p.suite)
	if err != nil {
		t.Fatal(err)
	}
	r, slots := &report{}, make(chan struct{}, inParallel)
	t.Run("suite", func(t *testing.T) {
		for _, l := range all {
			for _, s := range l.scenarios {
				t.Run(l.name()+"/"+s, func(t *testing.T) {
					if s != "sse-retry" { // it measures 500 ms, so it runs alone, before the others
						t.Parallel()
					}
					slots <- struct{}{}
					defer func() { <-slots }()
					o, err := runScenario(t.Context(), p, l, s)
					if err != nil {
						t.Fatal(err)
					}
					r.add(o)
					o.hold(t)
				})
			}
		}
	})
	table := r.markdown(all)
	t.Log("\n" + table)
	if err := os.WriteFile(p.report, []byte(table), 0o644); err != nil {
		t.Error(err)
	}
}

// hold fails the test unless the outcome is the expected one.
func (o *outcome) hold(t *testing.T) {
	t.Helper()
	said, expected := o.verdict(waitFor(o.list, o.scenario))
	if !expected {
		t.Error(said)
		return
	}
	t.Log(said)
}

// verdict tells an outcome in a line, and whether it is the expected one: w is
// what the scenario waits for, if it need not pass.
func (o *outcome) verdict(w wait) (said string, expected bool) {
	name, took := o.list+" "+o.scenario, o.took.Round(100*time.Millisecond)
	switch {
	case o.ok() && w.row == "":
		return fmt.Sprintf("%s: pass, %d checks, %s", name, o.passed, took), true
	case o.ok():
		return fmt.Sprintf("%s: it passes now: take it off the list of those that wait for %s", name, w.row), false
	case len(o.unexcused(w)) == 0:
		return fmt.Sprintf("%s: waits for %s, %s:%s", name, w.row, took, o.told()), true
	default:
		return fmt.Sprintf("%s: fail, %s:%s", name, took, o.told()), false
	}
}
