package main

import (
	"fmt"
	"os"

	"github.com/payu-mcp/payu-mcp/install"
)

// hostEntry is the configuration of a host for this very program.
func hostEntry() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the own program: %w", err)
	}
	host, _ := install.Find("claude-desktop")
	return host.Snippet(install.Command{Path: self})
}
