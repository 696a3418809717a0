//go:build linux || darwin

package main

import "golang.org/x/sys/unix"

// harden keeps the secrets of this process out of core dumps and, where the
// system can, out of reach of other programs of the same user (OAUTH X26). A
// system that refuses is no reason not to work. It returns the limit for core
// dumps as it was, in bytes, for the browser: see keepCoreLimit.
func harden() (coreLimit uint64) {
	closeMemory()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return 0
	}
	before := limit.Cur
	limit.Cur = 0 // not Max: who is started by us may have dumps again
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return 0
	}
	return before
}

// keepCoreLimit gives what this process starts from now on the limit back. This
// process itself stays closed on Linux.
func keepCoreLimit(bytes uint64) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return
	}
	limit.Cur = min(bytes, limit.Max)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &limit) // the browser then writes no core dumps: no harm
}
