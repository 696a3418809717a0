//go:build windows || darwin

package auth

import "context"

// desktop: no variable is needed for a browser here.
func (Opener) desktop(context.Context) (extra []string, found bool) { return nil, true }

// anyOpener: the system has its own.
func anyOpener() bool { return true }
