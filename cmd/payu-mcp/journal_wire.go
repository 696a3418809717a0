package main

import (
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/journal"
)

// journalLimit is how long the end of a process waits for a disk that hangs.
const journalLimit = 500 * time.Millisecond

// journal opens the journal of the profile; nil: the person wants none. Nothing is
// made on the disk before the first call that may change something. It is to be
// closed when no call is under way any more.
func (o *options) journal(log *slog.Logger) (j bridge.Journal, closeIt func()) {
	if o.login.NoJournal {
		return nil, func() {}
	}
	open := journal.Open(o.stateDir, o.profile, log)
	return open, func() { open.Close(journalLimit) }
}

// journalCommand shows the entries of unknown outcome, as a person types it.
func (o *options) journalCommand() string { return o.command("journal --unknown") }

// command is a command line for this profile and state folder.
func (o *options) command(what string) string {
	line := "payu-mcp " + what
	if o.profile != defaultProfile {
		line += " --profile " + o.profile
	}
	if o.origin["state-dir"] != "" {
		dir := o.stateDir
		if strings.ContainsFunc(dir, func(r rune) bool { return r == ' ' || !strconv.IsPrint(r) }) {
			dir = strconv.Quote(dir)
		}
		line += " --state-dir " + dir
	}
	return line
}
