// Package jsonmsg looks into one JSON-RPC message without decoding it: bytes
// in, the same bytes out (RELAY O2, F1, F2). Scan checks the whole message and
// peeks at the few members that the relay judges; Compact makes one line of
// it; Set changes members and no other byte; ErrorReply builds the errors that
// we author ourselves.
//
// JSON is RFC 8259, messages are JSON-RPC 2.0 as MCP uses it. The package
// imports nothing of ours.
package jsonmsg
