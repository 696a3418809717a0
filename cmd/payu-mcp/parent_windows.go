package main

import (
	"context"

	"golang.org/x/sys/windows"
)

// parentEnds waits until our parent pid has ended; false: ctx ended first, or
// there is no parent to watch. Windows gives the pid of a parent that is long
// gone, and gives pids again: a process younger than ours is not the parent.
func parentEnds(ctx context.Context, pid int) bool {
	parent, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return false
	}
	defer func() { _ = windows.CloseHandle(parent) }()
	if !older(parent, windows.CurrentProcess()) {
		return false
	}
	over, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return false
	}
	// Set and closed in this order only: a closed handle may be somebody else's.
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(told); _ = windows.SetEvent(over) })
	defer func() {
		if !stop() {
			<-told
		}
		_ = windows.CloseHandle(over)
	}()
	n, err := windows.WaitForMultipleObjects([]windows.Handle{parent, over}, false, windows.INFINITE)
	return err == nil && n == windows.WAIT_OBJECT_0
}

// older reports whether process p was started no later than q.
func older(p, q windows.Handle) bool {
	a, okA := started(p)
	b, okB := started(q)
	return okA && okB && a <= b
}

func started(p windows.Handle) (nanoseconds int64, ok bool) {
	var at, exit, kernel, user windows.Filetime
	err := windows.GetProcessTimes(p, &at, &exit, &kernel, &user)
	return at.Nanoseconds(), err == nil
}
