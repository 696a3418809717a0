// Package hosts runs real MCP hosts from npm on the built payu-mcp, offline:
// the Inspector and Gemini CLI always, Claude Code, Codex, opencode, Copilot CLI
// and Qwen Code with `make e2e-hosts`. A model on loopback, scripted by the test, says which tools
// to call; the sandbox plays PayU. What goes over the bridge's standard input
// and output is recorded by a program in between, and what a terminal shows by
// tmux. Both are in the test's output (go test -v), and in out/.
//
// The stories: firstDays (a call signs in, a restart, PayU ends it), atADesk (the
// same on a terminal, with the host's dialog), inWords (no browser, no dialog),
// sameConversation (PayU's tools right after the sign-in), signedInBefore (login
// came first), probed (a host that only looks whether we start), readsBack (what
// install has written, as the host itself understands it).
//
// A host that is not installed is skipped, with the reason. E2E_HOSTS=all runs
// the big ones, E2E_BINARY names a payu-mcp that is built already.
package hosts
