package main

import (
	"context"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// hosts looks at the hosts' configurations.
func (d *doctor) hosts(context.Context) diagnose.Findings { return diagnose.Findings{} }
