module github.com/payu-mcp/payu-mcp/e2e

go 1.26.0

require (
	github.com/godbus/dbus/v5 v5.2.2
	github.com/payu-mcp/payu-mcp v0.0.0
	golang.org/x/sys v0.49.0
)

// The tests use the sandbox, which is internal to the module that they test.
replace github.com/payu-mcp/payu-mcp => ../
