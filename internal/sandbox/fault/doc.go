// Package fault wraps the sandbox with what goes wrong in the field (PAYU S16,
// S29). Only tests import it: nothing reachable from cmd may.
//
// It may import the sandbox and the internal leaves.
package fault
