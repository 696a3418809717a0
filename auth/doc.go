// Package auth is the OAuth 2.1 client of the bridge: it finds the
// authorization server of a protected resource (RFC 9728, RFC 8414, OpenID
// Connect Discovery), registers (RFC 7591), signs a person in through the
// browser (RFC 6749 section 4.1 with RFC 7636, RFC 8252, RFC 8707, RFC 9207) or by
// a code on another device (RFC 8628), refreshes quietly and revokes at logout (RFC 7009). One file per RFC.
//
// It never sees an MCP message: it learns of a protected resource by the
// challenge that came with a 401, through Client.Rejected.
//
// It may import auth/loopback and the internal leaves; of pkg/browser it alone
// knows (browser.go). The credential goes to a Store that its user supplies.
package auth
