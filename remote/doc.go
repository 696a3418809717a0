// Package remote is the Streamable HTTP side of the relay (MCP transports,
// revisions 2025-03-26 to 2026-07-28): it posts one message of the host at a
// time, hands back what the server answers byte for byte, and delivers what the
// server says unasked. It owns what belongs to HTTP (RELAY O1): the session and
// its replay, versions and headers, streams and their resumption, what is known
// of the server's era, limits, and the decision whether something may be sent
// twice (section 6). A message that carries its protocol version in _meta is
// sent in the modern way, any other in the legacy way. HTTP is RFC 9110, bearer
// tokens RFC 6750, event streams the WHATWG HTML standard section 9.2.
//
// One message walks through exchange.go (its tries), retry.go (what may go out
// again), answer.go and status.go (what came back). replay.go makes a session
// anew, resume.go goes on with a broken stream, listen.go holds the GET stream.
//
// It never waits for a person: tokens come from an Authorizer, and ErrSignIn
// says that only a person can help. It may import the internal leaves, and
// neither auth nor bridge.
package remote
