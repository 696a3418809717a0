package main

import (
	"context"
	"os"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
	"github.com/payu-mcp/payu-mcp/internal/logfile"
)

// loggedLines is how much of the log a report repeats.
const loggedLines = 8

// log shows the last lines of the profile's log. They are masked where they are
// written, and cleaned once more as every text of a report.
func (d *doctor) log(context.Context) diagnose.Findings {
	path := d.o.logPath()
	if info, err := os.Stat(path); err == nil && d.o.logFile != "" && !info.Mode().IsRegular() {
		return diagnose.Found(fine("log", diagnose.Here, path+" takes it, which keeps no lines")) // such as /dev/stderr
	}
	lines, err := logfile.Tail(path, loggedLines)
	if err = d.o.notShown(err); err != nil {
		l := faultOf("log", diagnose.Here, err)
		if d.o.logFile != "" {
			l.Result = diagnose.Warning // a bridge writes to it all the same
		}
		return diagnose.Found(l)
	}
	found := diagnose.Found(fine("log", diagnose.Here, path+" has its last lines below"))
	if len(lines) == 0 {
		found.Lines[0].Text = path + " has no lines yet"
	}
	found.Log = lines
	return found
}
