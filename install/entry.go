// Package install knows the configuration files of MCP hosts. For now it gives
// the entry that a person puts into one by hand. It imports nothing of ours.
package install

import (
	"encoding/json"
	"fmt"
)

// Entry returns the lines for a host whose configuration has an `mcpServers`
// object, such as Claude Desktop (HOSTS F1): command with its arguments, under
// the name payu.
func Entry(command string, args ...string) (string, error) {
	type server struct {
		Command string   `json:"command"`
		Args    []string `json:"args"`
	}
	if args == nil {
		args = []string{}
	}
	b, err := json.MarshalIndent(map[string]map[string]server{
		"mcpServers": {"payu": {Command: command, Args: args}},
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encoding the host entry: %w", err)
	}
	return string(b), nil
}
