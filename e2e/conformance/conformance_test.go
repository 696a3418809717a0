package conformance

import (
	"os"
	"strings"
	"testing"
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
func (o outcome) hold(t *testing.T) {
	t.Helper()
	row, said := rowFor(o.list, o.scenario), strings.Join(o.faults, "\n\t")
	switch {
	case o.ok() && row == "":
		t.Logf("%s %s: pass, %d checks, %.1f s", o.list, o.scenario, o.passed, o.took.Seconds())
	case o.ok():
		t.Errorf("%s %s: it passes now: take it off the list of those that wait for %s", o.list, o.scenario, row)
	case row != "":
		t.Logf("%s %s: waits for %s, %.1f s:\n\t%s", o.list, o.scenario, row, o.took.Seconds(), said)
	default:
		t.Errorf("%s %s: fail, %.1f s:\n\t%s", o.list, o.scenario, o.took.Seconds(), said)
	}
}

// Only what needs a sign-in may wait.
func TestWaiting_onlyScenariosOfOAuth(t *testing.T) {
	t.Parallel()
	for _, w := range waiting() {
		if !strings.HasPrefix(w.scenario, "auth/") || w.row == "" {
			t.Errorf("%+v", w)
		}
	}
}
