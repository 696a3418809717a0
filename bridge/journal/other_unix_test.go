//go:build !windows

package journal_test

func windows() bool { return false }
