package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// bridges lists the processes of the bridges that run with this state folder.
func (d *doctor) bridges(context.Context) diagnose.Findings {
	pids, err := runningBridges(d.o.stateDir)
	if err != nil {
		return diagnose.Found(faultOf("bridges", diagnose.Here, err))
	}
	if len(pids) == 0 {
		return diagnose.Found(fine("bridges", diagnose.Here, "none is running"))
	}
	var names []string
	for _, pid := range pids {
		names = append(names, fmt.Sprintf("process %d", pid))
	}
	return diagnose.Found(fine("bridges", diagnose.Here, strings.Join(names, ", ")))
}
