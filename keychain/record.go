package keychain

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// Record is what is stored. Treat one that Load or Update handed out as
// read-only: it is shared.
type Record struct {
	// Public stands in the file in the clear, authenticated but readable by
	// Peek and by anybody who can read the file: nothing secret, nothing
	// personal. Valid JSON or empty; it comes back compact.
	Public json.RawMessage `json:"public,omitempty"`
	// Secret is sealed. Any bytes; with Public at most about 5 MB.
	Secret []byte `json:"-"`
}

const recordMark = "[sealed record]"

// String implements fmt.Stringer without the secret.
func (Record) String() string { return recordMark }

// Format implements fmt.Formatter, so that no verb prints the secret.
func (Record) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(recordMark)) }

// LogValue implements slog.LogValuer without the secret.
func (Record) LogValue() slog.Value { return slog.StringValue(recordMark) }

// Kind is where the key of a record is held.
type Kind string

// The kinds.
const (
	// KindKeychain: the key is in the OS keychain.
	KindKeychain Kind = "keychain"
	// KindFile: the key is in a file beside the data, by explicit choice. That is
	// obfuscation, not encryption (OAUTH section 7, "No keychain").
	KindFile Kind = "file"
	// KindMemory: the record is in this process only and ends with it.
	KindMemory Kind = "memory"
)

// Header is the clear part of a sealed file. Its exact bytes are authenticated
// with the sealed part, but only Load and Update check that; Peek and List do
// not (they have no key).
type Header struct {
	Version    int             `json:"version"`    // of the file format
	Kind       Kind            `json:"kind"`       // which holder has the key
	KeyID      string          `json:"key_id"`     // fingerprint of the key
	Generation uint64          `json:"generation"` // grows by one with each write
	Profile    string          `json:"profile"`
	Resource   string          `json:"resource"`
	SavedAt    time.Time       `json:"saved_at"`
	Public     json.RawMessage `json:"public,omitempty"`
}

// Note is what a process that could not save leaves for `status` and for those
// who wait for the lock. The zero Note: nothing to tell.
type Note struct {
	// Unsaved: the process PID holds a newer login in memory, and the lock. If
	// that process was killed, the note turns into Lost when the next one takes
	// the lock.
	Unsaved bool `json:"unsaved,omitempty"`
	// Lost: a process ended before it could save a newer login, so the stored
	// refresh token may be spent.
	Lost bool `json:"lost,omitempty"`
	// Changing: the process PID is in an Update. If it was killed there, the note
	// turns into Cut when the next one takes the lock.
	Changing bool `json:"changing,omitempty"`
	// Cut: a process was killed while it changed the record, so what it was doing
	// elsewhere, such as spending the stored refresh token, may have been done
	// (OAUTH B3).
	Cut    bool      `json:"cut,omitempty"`
	Reason string    `json:"reason,omitempty"` // in our words: "the disk is full", ...
	Since  time.Time `json:"since,omitzero"`
	PID    int       `json:"pid,omitempty"`
}
