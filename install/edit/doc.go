// Package edit puts one entry into a configuration file of somebody else, and
// takes it out again, without touching any other byte (HOSTS E1 to E6): comments,
// order, indentation, newlines, a byte order mark, trailing commas and numbers
// stay as they are. An edit is a splice of text at a place that a parser has
// found; the result is parsed again, and everything but the entry must be equal
// to what it was. Whatever cannot be spliced safely is refused (ErrRefused), so
// that the caller can show the Snippet instead. Of ours it imports atomicfile only.
//
// Setting an entry twice gives the same bytes. Removing what Set has added gives
// the bytes of before, also when objects on the way to it had to be made; the
// files json.go, toml.go and yaml.go say how each format remembers that.
package edit
