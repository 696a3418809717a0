// Package fault wraps the sandbox with what goes wrong in the field (PAYU S16,
// S29). Only tests import it: nothing reachable from cmd may.
//
// There are two places for faults. An Injector stands before the handlers and
// spoils answers; a Line stands before the ports and spoils connections (TCP,
// TLS, frames of HTTP/2, RFC 9113). Cuts lists both as points at which one
// request can be cut, for the matrix of RELAY section 6, and says of each
// whether the request has run.
//
// It may import the sandbox and the internal leaves.
package fault
