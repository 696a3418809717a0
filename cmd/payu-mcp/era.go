package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/atomicfile"
	"github.com/payu-mcp/payu-mcp/internal/privatefile"
	"github.com/payu-mcp/payu-mcp/remote"
)

// eraMemory remembers which era the server of a login speaks, so that the next
// bridge need not find out (RELAY H17). What is lost or damaged is learnt again.
type eraMemory struct {
	file string
	log  *slog.Logger
}

// newEraMemory puts the file beside the login's, under the same hash.
func newEraMemory(stateDir, profile, endpoint string, log *slog.Logger) eraMemory {
	return eraMemory{filepath.Join(stateDir, "era-"+stateName(stateDir, profile, endpoint)+".json"), log}
}

func (m eraMemory) load() remote.Era {
	const most = 64 // bytes: it is one word
	b, _, err := privatefile.Read(m.file, most)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.log.Debug("the server's era could not be read", "err", err)
	}
	return remote.ParseEra(strings.TrimSpace(string(b)))
}

// save keeps what an answer has shown. Without a state folder, so without a
// login, there is nothing to keep it beside.
func (m eraMemory) save(era remote.Era) {
	err := atomicfile.Write(m.file, []byte(era.String()+"\n"), 0o600)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.log.Debug("the server's era could not be kept", "err", err)
	}
}

func (m eraMemory) forget() {
	if err := os.Remove(m.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.log.Debug("the server's era could not be forgotten", "err", err)
	}
}
