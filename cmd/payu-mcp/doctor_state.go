package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// state looks at the state folder: nobody else may read it, and it can be written.
func (d *doctor) state(context.Context) diagnose.Findings {
	dir := d.o.stateDir
	names, err := os.ReadDir(dir)
	if err != nil {
		return diagnose.Found(faultOf("state", diagnose.Here, err))
	}
	for _, n := range names {
		if n.IsDir() || !n.Type().IsRegular() && n.Type()&fs.ModeSymlink == 0 {
			continue
		}
		if err := privatefile.CheckFile(filepath.Join(dir, n.Name())); err != nil {
			return diagnose.Found(faultOf("state", diagnose.Here, err))
		}
	}
	if err := canWrite(dir); err != nil {
		return diagnose.Found(diagnose.Line{
			ID: "state", Result: diagnose.Fault, Side: diagnose.Here, Text: "the folder " + dir + " cannot be written: a renewed login would be kept in memory only",
			Next: "make room on the disk and make the folder writable, or give another one with --state-dir",
		})
	}
	return diagnose.Found(append([]diagnose.Line{fine("state", diagnose.Here, dir+" is private and can be written")}, d.note()...)...)
}

func canWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// note tells of a login that could not be saved.
func (d *doctor) note() []diagnose.Line {
	_, n, err := keychain.Peek(d.o.stateDir, d.o.profile, d.p.endpoint)
	r := statusReport{}
	if err == nil {
		r.fromNote(n)
	}
	if len(r.Notes) == 0 {
		return nil
	}
	return []diagnose.Line{{
		ID: "saved", Result: diagnose.Warning, Side: diagnose.Here, Text: strings.Join(r.Notes, "; "),
		Next: "make room on the disk; if calls fail then, sign in again with payu-mcp login",
	}}
}

// catalogue says how old the answers are that a host gets at once.
func (d *doctor) catalogue(context.Context) diagnose.Findings {
	var all []string
	for _, c := range savedVersions(d.p.catalogue.Ages()) {
		all = append(all, c.Version+" of "+c.SavedAt.UTC().Format(time.DateTime)+" UTC")
	}
	if len(all) == 0 {
		return diagnose.Found(fine("catalogue", diagnose.Here, "there is none yet: the first start of a host asks the server"))
	}
	return diagnose.Found(fine("catalogue", diagnose.Here, strings.Join(all, ", ")))
}
