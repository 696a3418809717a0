// Package hosts runs real MCP hosts from npm on the built payu-mcp, offline:
// the Inspector and Gemini CLI always, Claude Code, Codex and opencode with
// `make e2e-hosts`. A model on loopback, scripted by the test, says which tools
// to call; the sandbox plays PayU. What goes over the bridge's standard input
// and output is recorded by a program in between, and what a terminal shows by
// tmux: both are in the test's output, and in out/.
//
// A host that is not installed is skipped, with the reason.
package hosts
