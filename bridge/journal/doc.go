// Package journal keeps the record of write calls: one entry for each call of a
// tool that may change something, begun on the disk before the first byte of it
// goes to the server, and ended with what became of it. An entry whose process is
// gone without an end is of unknown outcome: that is what a person has to look up.
//
// There is one file per profile, of one JSON object a line (record.go). Several
// processes append to it at once and rotate it; nothing is ever rewritten. Each
// holds a lock of its own while it runs, which the system frees when it dies
// (run.go).
//
// It knows neither the bridge nor HTTP, and imports nothing of ours but leaves.
package journal
