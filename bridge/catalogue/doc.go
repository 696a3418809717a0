// Package catalogue keeps what a server said about itself, so that the bridge
// can answer a host at once (HOSTS P2): the result of initialize or
// server/discover and those of the list methods, one file per protocol version.
// What the server wrote is kept byte for byte.
//
// A catalogue is shown to a model. So it is read only from a file that no other
// user can have written, it is bound to one profile and endpoint by the name of
// its Shelf, and whoever signs out, or in as somebody else, calls Drop.
//
// It may import remote, for the Hooks of a request, and the internal leaves.
package catalogue
