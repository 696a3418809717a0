package conformance

import (
	"os"
	"testing"
	"time"
)

// inParallel is how many scenarios run at a time: each is three programs.
const inParallel = 2

// The official suite, scenario by scenario: all pass.
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

// hold fails the test unless the scenario has passed.
func (o *outcome) hold(t *testing.T) {
	t.Helper()
	took := o.took.Round(100 * time.Millisecond)
	if !o.ok() {
		t.Errorf("%s %s: fail, %s:%s", o.list, o.scenario, took, o.told())
		return
	}
	t.Logf("%s %s: pass, %d checks, %s", o.list, o.scenario, o.passed, took)
}
