// Package buildinfo tells which build this is. Releases set the version and the
// commit with -ldflags (goreleaser.yaml), because what git says differs between
// clones; every other build takes them from the module information, so that
// `go install` works too. It imports nothing of ours.
package buildinfo

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// version, as in v1.2.3, and commit are written by the linker only, whose -X needs
// package variables; nothing assigns them.
var version, commit string

// Version returns the release version, or "devel" for a build from a checkout.
// It is cheap: each request to the server names it.
func Version() string {
	if version != "" {
		return version
	}
	return moduleVersion()
}

// moduleVersion parses the module information when first needed, and once.
var moduleVersion = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
})

// Commit returns the revision the build was made from, or "" when unknown.
func Commit() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

// Platform returns the Go version and the target, as in "go1.26.8 linux/amd64".
func Platform() string {
	return runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}
