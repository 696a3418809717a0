// Package diagnose is what `payu-mcp doctor` is made of: a report that a person
// can paste into a message to support, checks that run at once and cannot hang
// it, and the checks of the way to a server (names, proxy, TLS, clock). What it
// says names whose side a fault is on and what cures it; Cleaner keeps secrets and
// personal data out. It may import the internal leaves.
package diagnose
