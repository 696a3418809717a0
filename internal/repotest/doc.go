// Package repotest holds the rules of this repository as tests (STYLE R13):
// import directions, package docs, sizes, the one exit, and text that must not
// be in the tree. Each rule is a pure function of a file tree, so that each is
// also run on a small bad sample and seen to fail. It imports nothing of ours,
// and nothing imports it.
package repotest
