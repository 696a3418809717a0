//go:build !windows

package auth

import "syscall"

// detached gives the child a session of its own, out of reach of signals to the
// host's process group.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
