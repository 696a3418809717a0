//go:build unix

package main

// terminalName is the terminal of this process, if it has one.
const terminalName = "/dev/tty"
