// Package bridge is the stdio side of the relay (MCP transports, stdio): it
// reads the host's messages line by line, sends each through a remote, and
// writes what comes back, one message a line. It owns the ids in flight, the
// order of messages, cancellation and the answers of our own (RELAY O1, O3 to
// O8, section 3). Each request of the host gets exactly one answer, and a fault
// stays with its request. A host shows its era in how it opens; discover.go
// serves the probe of a modern one (RELAY section 5).
//
// It never sees HTTP and is the only package that writes to the host. It may
// import remote and the internal leaves.
package bridge
