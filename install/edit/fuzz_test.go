package edit_test

import (
	"bytes"
	"testing"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

// fuzz holds the editor against the second opinion: whatever the file is, only
// the entry differs afterwards, and what Set adds Remove takes away.
func fuzz(f *testing.F, format edit.Format) {
	f.Helper()
	for _, s := range corpus(f) {
		if s.format == format && len(s.content) < 1200 { // more only slows it down
			for which := range uint8(3) {
				f.Add(s.content, which)
			}
		}
	}
	all := entries()
	f.Fuzz(func(t *testing.T, file []byte, which uint8) {
		if format == edit.YAML && bytes.Contains(file, []byte("added by payu-mcp")) {
			t.Skip("a parent of ours, with which Remove may go further than Set came")
		}
		where := places(format)
		judge(t, format, file, where[int(which)%len(where)], all[int(which)%len(all)])
	})
}

// FuzzJSON edits arbitrary bytes as JSON with comments.
func FuzzJSON(f *testing.F) { fuzz(f, edit.JSON) }

// FuzzTOML edits arbitrary bytes as TOML.
func FuzzTOML(f *testing.F) { fuzz(f, edit.TOML) }

// FuzzYAML edits arbitrary bytes as YAML.
func FuzzYAML(f *testing.F) { fuzz(f, edit.YAML) }
