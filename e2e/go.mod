module github.com/payu-mcp/payu-mcp/e2e

go 1.26.0

require (
	github.com/godbus/dbus/v5 v5.2.2
	github.com/payu-mcp/payu-mcp v0.0.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/danieljoos/wincred v1.2.3 // indirect
	github.com/gofrs/flock v0.13.2 // indirect
	github.com/modelcontextprotocol/go-sdk v1.8.0 // indirect
	github.com/pkg/browser v0.0.0-20240102092130-5ac0b6a4141c // indirect
	github.com/segmentio/asm v1.1.3 // indirect
	github.com/segmentio/encoding v0.5.4 // indirect
	github.com/zalando/go-keyring v0.2.8 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
)

// The tests use the sandbox, which is internal to the module that they test.
replace github.com/payu-mcp/payu-mcp => ../
