package keychain

import (
	"errors"
	"fmt"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
)

// The sentinels of this package; each one is a decision of the caller.
var (
	// ErrUnavailable: the key cannot be had now (no keychain, locked, timed out:
	// the text says which). It does not mean "signed out": do not sign in because
	// of it (STYLE D4). The command line exits 5.
	ErrUnavailable = errors.New("the system keychain cannot be used")
	// ErrDamaged: the sealed file is truncated, edited, or belongs to another
	// profile or resource. A new sign-in is needed; it sets the file aside.
	ErrDamaged = errors.New("the stored login is damaged")
	// ErrKeyMissing: the sealed file is whole, but its key is gone or is another
	// one (OAUTH D8). A new sign-in is needed; it sets the file aside.
	ErrKeyMissing = errors.New("the stored login cannot be opened: its key is missing")
	// ErrNewerVersion: a newer payu-mcp wrote the file. It is never overwritten
	// nor deleted; the way out is an update.
	ErrNewerVersion = errors.New("the stored login was written by a newer payu-mcp")
	// ErrUnsaved: the record is in use, but only in this process's memory; saving
	// it is tried again until Close. Carry on, and tell the person.
	ErrUnsaved = errors.New("the login could not be saved and is kept in memory")
	// ErrBusy: another process holds the lock and the context ended the wait.
	// Nothing was changed. The context's error is in the chain too.
	ErrBusy = errors.New("the stored login is in use by another payu-mcp")
	// ErrKeyLeft: the record is deleted, but its key could not be removed from the
	// keychain. The sign-out is complete; say what is left.
	ErrKeyLeft = errors.New("the login is deleted, but its key is still in the keychain")
	// ErrUnsafe: the state folder or a file in it has another owner, is open to
	// other users, or is a symbolic link (OAUTH X25).
	ErrUnsafe = privatefile.ErrUnsafe
)

var errClosed = errors.New("the store is closed")

const (
	hintSignIn = "sign in again: payu-mcp login"
	hintFolder = "make room in the state folder and make it writable, or give another --state-dir"
)

func damaged(format string, args ...any) error {
	return hint.With(fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...), hintSignIn)
}

func keyMissing(why string) error {
	return hint.With(fmt.Errorf("%w (%s)", ErrKeyMissing, why), hintSignIn)
}

func newerVersion(v int) error {
	return hint.With(fmt.Errorf("%w (file version %d, this one reads up to %d)", ErrNewerVersion, v, fileVersion),
		"update payu-mcp, or give another --profile")
}
