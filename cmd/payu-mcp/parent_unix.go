//go:build !windows

package main

import (
	"context"
	"os"
	"time"
)

// parentPoll is how often a system without a better way is asked.
const parentPoll = 2 * time.Second

// pollParent waits until pid is our parent no longer; false: ctx ended first.
func pollParent(ctx context.Context, pid int) bool {
	tick := time.NewTicker(parentPoll)
	defer tick.Stop()
	for os.Getppid() == pid {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
