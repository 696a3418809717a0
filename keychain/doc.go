// Package keychain is a sealed store: one record per profile and resource, in a
// file encrypted with AES-256-GCM whose 32-byte key sits in the OS keychain
// (OAUTH sections 6 and 7, docs/decisions.md). It shares a record between
// processes: a lock of the operating system, a re-read under it, an atomic
// replace (OAUTH L1 to L4).
//
// A record's life on disk, in the state folder (0700, files 0600):
//
//	credential-<hash>.json   the sealed file: clear header, nonce, ciphertext
//	credential-<hash>.lock   locked while the record changes; never deleted
//	credential-<hash>.login  locked while a sign-in is open; never deleted
//	credential-<hash>.key    the key, only for the kind "file"
//	credential-<hash>.aside  an unreadable sealed file that a new one replaced
//
// The hash is of profile and resource. The account in the OS keychain adds the
// state folder's path, so a folder that was moved has lost its key
// (ErrKeyMissing): sign in again.
//
// It protects against disk theft, backups, other users and careless copies; not
// against a program that runs as the same user (OAUTH D10).
//
// It knows no OAuth, no HTTP and no MCP. It may import the standard library,
// go-keyring (in keyring_os.go only), gofrs/flock, x/sys and internal leaves.
package keychain
