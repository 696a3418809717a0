// Package sandbox is an embedded stand-in for PayU on loopback: the fake of the
// tests and the engine of `payu-mcp demo`. Two listeners reproduce PayU's host
// split (PAYU P2, P3): RS plays api.payu.in (metadata, registration, /mcp), AS
// plays accounts.payu.in (sign-in pages, token and revocation endpoint). A
// CONNECT proxy maps PayU's own host names to them, and a foreign listener
// records whatever should never have been sent to it.
//
// It follows RFC 6749, 7591, 7636, 7009, 8414, 8707, 9207 and 9728 as far as
// PAYU section 5 says, and MCP's Streamable HTTP up to revision 2025-11-25, or
// 2026-07-28 by a knob.
//
// Behaviour is changed by Knobs while it runs, by Go calls only: there is no
// HTTP control endpoint, because a control port is an attack surface. Faults
// live in sandbox/fault, which only tests import.
//
// It may import the standard library and the internal leaves.
package sandbox
