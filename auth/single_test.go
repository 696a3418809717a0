package auth

import (
	"context"
	"errors"
	"testing"
)

// Who comes while an abandoned call unwinds starts another.
func TestSingle_abandonedRun_isNotJoined(t *testing.T) {
	t.Parallel()
	var s single
	started, unwind := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	err := s.do(ctx, false, func(ctx context.Context) error {
		close(started)
		<-ctx.Done()
		<-unwind
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the first caller: %v", err)
	}
	again := make(chan error, 1)
	go func() { again <- s.do(t.Context(), false, func(context.Context) error { return nil }) }()
	close(unwind)
	if err := <-again; err != nil {
		t.Errorf("the second caller: %v", err)
	}
}
