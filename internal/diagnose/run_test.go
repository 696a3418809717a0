package diagnose_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

func takes(id string, d time.Duration) diagnose.Check {
	return diagnose.Check{ID: id, Do: func(ctx context.Context) diagnose.Findings {
		select {
		case <-time.After(d):
			return diagnose.Found(diagnose.Line{ID: id, Text: "done"})
		case <-ctx.Done():
			return diagnose.Found(diagnose.Line{ID: id, Text: "no time"})
		}
	}}
}

// All at once, and in order.
func TestRun_checks_runTogetherInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		begun := time.Now()
		found := diagnose.Run(ctx, []diagnose.Check{takes("a", 5*time.Second), takes("b", 4*time.Second), takes("c", 0)})
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		for i, id := range []string{"a", "b", "c"} {
			if l := found.Lines[i]; l.ID != id || l.Text != "done" {
				t.Errorf("line %d: %+v", i, l)
			}
		}
	})
}

// What heeds its time says what it saw; what hangs is a fault, and costs the others
// nothing.
func TestRun_checkHangs_faultAfterTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		never := make(chan struct{})
		defer close(never)
		stuck := diagnose.Check{ID: "stuck", Side: diagnose.Here, Next: "cure", Do: func(context.Context) diagnose.Findings {
			<-never
			return diagnose.Findings{}
		}}
		begun := time.Now()
		found := diagnose.Run(ctx, []diagnose.Check{stuck, takes("quick", time.Second), takes("slow", time.Hour)})
		if took := time.Since(begun); took != 21*time.Second {
			t.Errorf("it took %v", took)
		}
		want := diagnose.Line{ID: "stuck", Result: diagnose.Fault, Side: diagnose.Here, Text: "this check did not end in time", Next: "cure"}
		if found.Lines[0] != want || found.Lines[1].Text != "done" || found.Lines[2].Text != "no time" {
			t.Errorf("%+v", found.Lines)
		}
	})
}
