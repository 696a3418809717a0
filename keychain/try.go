package keychain

import "context"

// trialAccount is one for all runs, so that what a keychain stores too late, when
// nobody waits any more, is there once at most.
const trialAccount = "doctor"

// Try stores an item that opens nothing, reads it back and removes it, to find out
// whether the keychain works. It takes about the deadline at most, since after one
// timeout the keychain is not asked again. Its errors are ErrUnavailable, with a
// hint, or the context's.
func (r *Keyring) Try(ctx context.Context) error {
	err := r.set(ctx, trialAccount, newKeyText())
	// Also after a failure: the item may be there all the same.
	if removeErr := r.remove(ctx, trialAccount); err == nil {
		err = removeErr
	}
	return err
}
