package main

import "os"

// openLog opens the log file for appending. Links need a privilege on Windows, and
// folders that all users share have none that everybody writes to.
func openLog(path string) (*os.File, error) { return os.OpenFile(path, logFlags, logMode) }
