//go:build !windows && !linux

package main

import "context"

// parentEnds waits until pid is our parent no longer; false: ctx ended first.
func parentEnds(ctx context.Context, pid int) bool { return pollParent(ctx, pid) }
