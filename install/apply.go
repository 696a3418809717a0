package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

// Result says how a change was made.
type Result struct {
	// Backup is the copy of the file as it was; "" if there was none before, or the
	// host's own program did it.
	Backup string
	// Program is the host's own program, if that did it.
	Program string
}

// Apply makes the change, or none: a file that is not what it was when it was
// planned is left alone. ctx bounds what the host's own program may take.
func (s System) Apply(ctx context.Context, c Change, now time.Time) (Result, error) {
	if c.Err != nil || c.Empty() {
		return Result{}, c.Err
	}
	if len(c.steps) > 0 {
		if s.throughSteps(ctx, c) {
			return Result{Program: c.steps[0][0]}, nil
		}
		// It may have done half of it: the rest is done to the file as it is now.
		if c.again(); c.Err != nil {
			return Result{}, c.Err
		}
	}
	backup, err := c.file.Replace(c.after, now)
	if errors.Is(err, edit.ErrChanged) && c.done() {
		return Result{}, nil
	}
	if err != nil {
		return Result{}, err
	}
	return Result{Backup: backup}, c.clearUp()
}

// again plans the same for the file as it is now.
func (c *Change) again() {
	c.open()
	for _, name := range c.gone {
		c.edit(c.without(name))
	}
	if c.entry != nil {
		c.edit(c.set)
	}
}

// done tells that the file is what it should be: it is another host's, too, by a
// link, and that one's change was the same.
func (c *Change) done() bool {
	now, err := edit.ReadIn(c.spot.within, c.Path)
	return err == nil && now.Exists && bytes.Equal(now.Bytes, c.after)
}

// clearUp removes a file in which nothing is left: install had made it, and hosts
// dislike an empty one. Not the target of a link: that is somebody's file.
func (c *Change) clearUp() error {
	if len(bytes.TrimSpace(c.after)) > 0 || c.file.Target != c.file.Path {
		return nil
	}
	if err := os.Remove(c.file.Path); err != nil {
		return fmt.Errorf("removing the empty file: %w", err)
	}
	return nil
}
