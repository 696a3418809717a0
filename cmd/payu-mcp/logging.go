package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/logfile"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// How a log file is opened.
const (
	logFlags = os.O_APPEND | os.O_CREATE | os.O_WRONLY
	logMode  = 0o600
)

// flushLimit is how long the end of a process waits for a disk that hangs.
const flushLimit = 500 * time.Millisecond

// logPath returns where the log of this profile is.
func (o *options) logPath() string {
	return cmp.Or(o.logFile, logfile.Path(o.stateDir, o.profile))
}

// newLogger logs to the profile's file, because hosts swallow the standard error
// (HOSTS C7), and tells warnings there too, in words for a person. A file that the
// person names gets all of it. Secrets are masked in both, and nobody waits for
// either: a host may not read the standard error at all.
func newLogger(o *options, stderr io.Writer) (*slog.Logger, func(), error) {
	said := logfile.To(stderr, nil)
	trouble := func(err error) {
		_, _ = fmt.Fprintf(said, "payu-mcp: warning: the log cannot be written: %s\n", printable.Line(err.Error(), longestValue))
	}
	writer := logfile.Open(o.logPath(), trouble)
	closeFile := func() error { return nil }
	if o.logFile != "" {
		f, err := openLog(o.logFile)
		if err != nil {
			return nil, nil, hint.With(fmt.Errorf("opening the log file: %w", err), cmp.Or(hint.Of(err), "check the path given with --log-file"))
		}
		writer, closeFile = logfile.To(f, trouble), f.Close
	}
	pid := slog.Int("pid", os.Getpid())
	h := slog.NewTextHandler(writer, &slog.HandlerOptions{Level: o.level}).WithAttrs([]slog.Attr{pid})
	if o.logFile == "" {
		h = slog.NewMultiHandler(h, &voice{w: said, level: max(o.level, slog.LevelWarn)})
	}
	return slog.New(redact.NewHandler(h)), func() {
		writer.Close(flushLimit)
		said.Close(flushLimit)
		_ = closeFile()
	}, nil
}

// voice is the log as a person reads it on the standard error: short lines, as the
// rules of report say.
type voice struct {
	w     io.Writer
	level slog.Level
	about []slog.Attr
}

// Enabled implements slog.Handler.
func (v *voice) Enabled(_ context.Context, l slog.Level) bool { return l >= v.level }

// Handle implements slog.Handler.
func (v *voice) Handle(_ context.Context, r slog.Record) error {
	var about []string
	add := func(a slog.Attr) bool {
		about = append(about, a.Key+": "+a.Value.String())
		return true
	}
	for _, a := range v.about {
		add(a)
	}
	r.Attrs(add)
	text := r.Message
	if len(about) > 0 {
		text += " (" + strings.Join(about, ", ") + ")"
	}
	word := "warning"
	if r.Level >= slog.LevelError {
		word = "error"
	}
	_, err := fmt.Fprintf(v.w, "payu-mcp: %s: %s\n", word, printable.Line(oneLine(text), longestValue))
	return err
}

// WithAttrs implements slog.Handler.
func (v *voice) WithAttrs(as []slog.Attr) slog.Handler {
	return &voice{v.w, v.level, append(slices.Clip(v.about), as...)}
}

// WithGroup implements slog.Handler. Short lines have no groups.
func (v *voice) WithGroup(string) slog.Handler { return v }
