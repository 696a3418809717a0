// Package privatefile reads files that no other user of the computer can have
// written or can read (OAUTH X25). Files are written with atomicfile. It imports
// nothing of ours but hint.
package privatefile
