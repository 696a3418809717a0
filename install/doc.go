// Package install knows the hosts: where each keeps its MCP servers on each
// system, what an entry for this program looks like there, and what a person
// does afterwards (HOSTS section 3, rows F1 to F24). hosts.go is the one table.
// Survey says what is there, Plan and Removal say what would be changed, and a
// Change is shown before it is applied.
//
// An entry holds fixed strings, the program's own absolute path and a profile's
// name: never a secret, never a text from the network (HOSTS E8). Files are
// edited by install/edit; ~/.claude.json by the claude program where there is
// one. It imports install/edit and nothing else of ours.
package install
