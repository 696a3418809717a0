package hint_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

func TestOf_wrappedHint_outermostWins(t *testing.T) {
	t.Parallel()
	base := errors.New("no route")
	inner := hint.With(base, "check the cable")
	outer := hint.With(fmt.Errorf("posting: %w", inner), "try again")
	if got := hint.Of(outer); got != "try again" {
		t.Errorf("Of = %q", got)
	}
	if !errors.Is(outer, base) {
		t.Error("the chain is broken")
	}
	if got := outer.Error(); got != "posting: no route" {
		t.Errorf("Error = %q", got)
	}
}

func TestWith_nilError_staysNil(t *testing.T) {
	t.Parallel()
	if err := hint.With(nil, "anything"); err != nil {
		t.Errorf("With(nil) = %v", err)
	}
	if got := hint.Of(errors.New("plain")); got != "" {
		t.Errorf("Of(plain) = %q", got)
	}
}
