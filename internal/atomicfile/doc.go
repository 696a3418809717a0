// Package atomicfile replaces files so that a reader sees the old or the new
// content, never a part of one (OAUTH D6, X25), and says in our words why a writing failed.
// It imports nothing of ours.
package atomicfile
