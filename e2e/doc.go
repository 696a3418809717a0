// Package e2e runs the built payu-mcp against real programs: gnome-keyring on a
// private D-Bus session, headless Chromium, oidc-provider as authorization
// server, server-everything as MCP server, and the Inspector as host. It is a
// module of its own, so that what it needs is not needed to build payu-mcp.
//
// Run it as root, as .ci/run does: payu-mcp lets no other process of its user look
// into it, and tests that look into all processes then see nothing.
//
// Run install.sh once, then `go test ./...`. Pictures and records of the last
// run are in out/. E2E_RACE=1 builds payu-mcp with the race detector,
// E2E_BINARY names one that is built already, CHROMIUM another browser.
// BRIDGES=60s lets the crowds of bridges that share one login live for a minute
// instead of a quarter of it.
package e2e
