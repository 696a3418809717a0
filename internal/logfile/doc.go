// Package logfile keeps the log of one profile's processes in the state folder:
// a file that several of them append to, that is rotated, and that nobody else
// can read or have planted (HOSTS C7, OAUTH X25). Whoever logs never waits for
// the disk. It also reads the log back: the last lines, and those that come. It
// imports nothing of ours but leaves.
package logfile
