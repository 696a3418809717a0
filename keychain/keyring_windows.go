package keychain

import (
	"errors"

	"golang.org/x/sys/windows"
)

func reachable() error { return nil }

// platformError knows the network logon, which has no credential store (OAUTH
// K4).
func platformError(err error) error {
	if errors.Is(err, windows.ERROR_NO_SUCH_LOGON_SESSION) {
		return faultError(faultAbsent)
	}
	return faultError(faultRefused)
}
