package main

import (
	"context"
	"os"
)

// withParent returns a context that also ends when the process that started
// this one is gone: a host that crashed may leave its end of our standard input
// to somebody else, and then no EOF tells (RELAY S9). cancel must be called.
//
// Who is an orphan from the start, or was started from outside its container,
// has nobody to watch.
func withParent(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	ctx, cancel = context.WithCancel(ctx)
	if pid := os.Getppid(); pid > 1 {
		go func() {
			if parentEnds(ctx, pid) {
				cancel()
			}
		}()
	}
	return ctx, cancel
}
