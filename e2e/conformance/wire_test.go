package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// exchange is one request that a server of the suite got, as record.mjs notes it.
type exchange struct {
	At      int64             `json:"at"` // ms
	Verb    string            `json:"verb"`
	Path    string            `json:"path"`
	RPC     string            `json:"rpc"`
	Headers map[string]string `json:"headers"`
}

// relayed tells the relay's requests from those of the sign-in.
func (x exchange) relayed() bool {
	return x.RPC != "" || strings.HasPrefix(x.Headers["user-agent"], "payu-mcp/") && !strings.Contains(x.Path, "/.well-known/")
}

// legacyWays finds what the bridge, not login, sent to the server and has no
// place with a modern host (RELAY M3, H11). Where login was refused no bridge
// was started, and nothing is found.
func legacyWays(dir string) ([]string, error) {
	began, err := os.ReadFile(filepath.Join(dir, bridgeMark))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	since, err := strconv.ParseInt(string(began), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reading when the bridge began: %w", err)
	}
	wire, err := os.ReadFile(filepath.Join(dir, "wire.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("reading the record of the wire: %w", err)
	}
	return legacyWaysSince(since, string(wire))
}

func legacyWaysSince(since int64, wire string) ([]string, error) {
	var faults []string
	seen := false
	for line := range strings.Lines(wire) {
		var x exchange
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			return nil, fmt.Errorf("reading the record of the wire: %w", err)
		}
		if x.At >= since && x.relayed() {
			seen = true
			faults = append(faults, x.legacyWays()...)
		}
	}
	if !seen {
		return []string{"the bridge sent nothing"}, nil // or the record misses it
	}
	return faults, nil
}

func (x exchange) legacyWays() []string {
	var found []string
	if x.RPC == "initialize" || strings.HasPrefix(x.RPC, "notifications/") {
		found = append(found, "the bridge sent "+x.RPC+" for a modern host")
	}
	if x.Verb != "POST" {
		found = append(found, "the bridge sent "+x.Verb+" for a modern host")
	}
	if x.Headers["mcp-session-id"] != "" {
		found = append(found, "the bridge sent a session id for a modern host")
	}
	return found
}
