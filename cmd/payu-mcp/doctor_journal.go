package main

import (
	"context"
	"fmt"

	"github.com/payu-mcp/payu-mcp/bridge/journal"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// journal tells whether calls that may change something can be noted, as far as
// reading shows it, and which of them somebody has to look up. What stands in the
// journal is not repeated.
func (d *doctor) journal(context.Context) diagnose.Findings {
	l, err := journal.Read(d.o.stateDir, d.o.profile)
	if err != nil {
		return diagnose.Found(faultOf("journal", diagnose.Here, err))
	}
	line := fine("journal", diagnose.Here, fmt.Sprintf("%d calls are noted", len(l.Entries)))
	if d.o.login.NoJournal {
		line.Text += ", and no more will be (--no-journal)"
	}
	if open := l.Open(); open > 0 {
		line.Result, line.Next = diagnose.Warning, d.o.journalCommand()
		line.Text += fmt.Sprintf("; of unknown outcome, and not looked up yet: %d", open)
	}
	return diagnose.Found(line)
}
