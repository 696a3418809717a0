package keychain

import (
	"errors"
	"os/exec"
)

func reachable() error { return nil }

// platformError reads the exit code of /usr/bin/security, the low byte of an
// OSStatus (OAUTH K4).
func platformError(err error) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return faultError(faultAbsent) // `security` could not be started
	}
	switch exit.ExitCode() {
	case 44: // errSecItemNotFound
		return ErrItemNotFound
	case 36, 128: // errSecInteractionNotAllowed (over ssh), the person cancelled
		return faultError(faultLocked)
	default:
		return faultError(faultRefused)
	}
}
