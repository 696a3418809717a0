//go:build !linux && !darwin

package main

// harden has nothing to do on Windows: Go's runtime keeps Windows Error Reporting
// away from its processes (SEM_NOGPFAULTERRORBOX; only GOTRACEBACK=wer changes
// that), so a crash writes no dump. Other programs of the same user can read this
// process's memory, as they can read the user's Credential Manager.
func harden() (coreLimit uint64) { return 0 }

func keepCoreLimit(uint64) {}
