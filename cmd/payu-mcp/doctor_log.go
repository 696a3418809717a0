package main

import (
	"context"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// log shows the last lines of the log.
func (d *doctor) log(context.Context) diagnose.Findings { return diagnose.Findings{} }
