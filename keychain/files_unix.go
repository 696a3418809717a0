//go:build !windows

package keychain

import "syscall"

const noFollow = syscall.O_NOFOLLOW
