// Package redact keeps secrets out of everything people read: the Secret type
// prints as a fixed mark whatever the verb, and Handler masks known secrets and
// token-like shapes in log records (OAUTH X18). It imports nothing of ours.
package redact

import (
	"fmt"
	"log/slog"
)

// Mark is what stands where a secret was.
const Mark = "[redacted]"

// Secret is a token, code, verifier, key or client secret. Printing, logging or
// encoding it yields Mark; only Reveal gives the value.
type Secret string

// Reveal returns the value, for the one place that sends or seals it.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (Secret) String() string { return Mark }

// Format implements fmt.Formatter, so that %x, %q and %#v are covered too.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mark)) }

// MarshalJSON implements json.Marshaler: a struct that is encoded by mistake
// leaks nothing.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Mark + `"`), nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(Mark) }
