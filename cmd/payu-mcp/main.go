// Command payu-mcp lets desktop programs that start MCP servers over stdio use
// PayU's Remote MCP endpoint: it signs in through the browser, keeps the login
// sealed by the operating system's keychain, and relays MCP messages.
//
// This package holds the commands, their options and the wiring; it may import
// everything else, and nothing imports it.
package main

import (
	"os"
)

func main() {
	e := env{
		args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv,
		coreLimit: harden(), // first of all: no secret is in memory yet
	}
	// Whatever a library prints goes to stderr: stdout carries the protocol (OAUTH X20).
	os.Stdout = os.Stderr
	os.Exit(run(e))
}
