// Package remote is the Streamable HTTP side of the relay (MCP transports,
// revisions 2025-03-26 to 2025-11-25): it posts one message of the host at a
// time, hands back what the server answers byte for byte, and holds the
// server's GET stream open. It owns the session id, the negotiated version,
// headers, limits and the decision whether something may be sent twice (RELAY
// O1 and section 6). HTTP is RFC 9110, bearer tokens RFC 6750, event streams the
// WHATWG HTML standard section 9.2.
//
// It never waits for a person: tokens come from an Authorizer, and ErrSignIn
// says that only a person can help. It may import the internal leaves, and
// neither auth nor bridge.
package remote
