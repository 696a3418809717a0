// Package conformance runs the official MCP conformance suite against the built
// payu-mcp, over stdio: each scenario is a server of the suite, and a small host
// of ours that speaks to it through the bridge and does what the scenario asks
// for (RELAY section 9).
//
// It needs what e2e/install.sh installs. The results of the last run are in
// ../out/conformance.md, what each scenario said in ../out/conformance/; see
// docs/conformance.md.
package conformance
