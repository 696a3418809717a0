package main

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// parentEnds waits until our parent pid has ended; false: ctx ended first. A
// pidfd sleeps in the runtime's poller, so that an idle bridge stays idle.
// PR_SET_PDEATHSIG is no way: it fires when the parent's thread ends that
// started us. A kernel before 5.10, or a sandbox that forbids pidfds, is asked
// again and again instead.
func parentEnds(ctx context.Context, pid int) bool {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return pollParent(ctx, pid)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	if os.Getppid() != pid {
		return true // it ended before: the pidfd may be that of a stranger
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return pollParent(ctx, pid)
	}
	defer context.AfterFunc(ctx, func() { _ = f.Close() })() // wakes the read below
	// Children change their parent before its pidfd tells, so no wake-up is lost.
	err = conn.Read(func(uintptr) bool { return os.Getppid() != pid })
	if err != nil && ctx.Err() == nil {
		return pollParent(ctx, pid)
	}
	return ctx.Err() == nil
}
