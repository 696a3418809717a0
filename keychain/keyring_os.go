package keychain

import (
	"errors"

	"github.com/zalando/go-keyring"
)

// osKeychain is the keychain of the operating system through go-keyring. The
// library has no timeout anywhere (OAUTH K8): only Keyring calls it.
type osKeychain struct{}

// Get implements Backend.
func (osKeychain) Get(service, account string) (string, error) {
	if err := reachable(); err != nil {
		return "", err
	}
	text, err := keyring.Get(service, account)
	return text, osError(err)
}

// Set implements Backend.
func (osKeychain) Set(service, account, secret string) error {
	if err := reachable(); err != nil {
		return err
	}
	return osError(keyring.Set(service, account, secret))
}

// Delete implements Backend.
func (osKeychain) Delete(service, account string) error {
	if err := reachable(); err != nil {
		return err
	}
	return osError(keyring.Delete(service, account))
}

// osError maps the library's error to ours; its text goes no further.
func osError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return ErrItemNotFound
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return faultError(faultAbsent)
	default:
		return platformError(err)
	}
}
