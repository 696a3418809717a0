package keychain

import (
	"errors"
	"fmt"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// fault is what is wrong with the keychain, in our words.
type fault int

const (
	faultRefused fault = iota
	faultAbsent
	faultLocked
	faultTimeout
	faultNotKept
	faultNotGone
	faultBroken
)

var errPanicked = errors.New("the keychain library panicked")

// faultError is what a Backend returns when it knows more than "refused".
type faultError fault

func (f faultError) Error() string { text, _ := describe(fault(f)); return text }

// classify replaces a backend's error by ours.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrItemNotFound) {
		return err
	}
	if f, ok := errors.AsType[faultError](err); ok {
		return unavailable(fault(f))
	}
	if errors.Is(err, errPanicked) {
		return unavailable(faultBroken)
	}
	return unavailable(faultRefused)
}

func unavailable(f fault) error {
	text, advice := describe(f)
	return hint.With(fmt.Errorf("%w: %s", ErrUnavailable, text), advice)
}

func describe(f fault) (text, advice string) {
	const file = "keep the login in a file with payu-mcp login --store=file"
	switch f {
	case faultAbsent:
		return "there is none on this machine or in this session", file
	case faultLocked:
		return "it is locked", "unlock it (log in to the desktop) and try again, or " + file
	case faultTimeout:
		return "it does not answer", "look for a prompt that waits for you, restart the keychain service, or " + file
	case faultNotKept:
		return "it said that it stored the key, but did not (was its prompt dismissed?)", "try again and answer its prompt, or " + file
	case faultNotGone:
		return "it said that it removed the key, but did not (was its prompt dismissed?)", "try again and answer its prompt"
	case faultBroken:
		return "it gave an answer that makes no sense", file
	default:
		return "it refused the request", "see whether it works in the desktop's own keychain program, or " + file
	}
}
