//go:build !windows

package logfile

import (
	"os"
	"syscall"
)

const noFollow = syscall.O_NOFOLLOW

// openAppend follows no link, and does not wait for the reader of a FIFO.
func openAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, privateFile)
}

// openRead opens for reading, also what is renamed meanwhile.
func openRead(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}
