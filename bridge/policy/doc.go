// Package policy decides which of the server's tools a host may see and use: the
// brakes --read-only, --allow-tool, --block-tool and --confirm (docs/policy.md).
// It also tells in what a list of tools differs from the one that was kept.
//
// It is pure: bytes and rules in, a verdict or fewer bytes out. It judges the
// very bytes that are relayed, and takes nothing on trust that two readers of
// JSON could read in two ways: a member that stands twice, or in another
// spelling, is refused (RELAY F2).
package policy
