package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// What all packages say of the program.
const (
	name        = "payu-mcp"
	title       = "PayU"
	homepage    = "https://github.com/payu-mcp/payu-mcp"
	support     = homepage + "/issues"
	licenceID   = "Apache-2.0"
	registryID  = "io.github.payu-mcp/payu-mcp" // in the MCP Registry: whose GitHub organisation, which server
	privacy     = "https://payu.in/privacy-policy"
	description = "Use your PayU account from desktop assistants: signs in through the browser, relays to PayU's MCP"
)

// The options that packages offer to a person, by their name on the command line.
const (
	optionProfile  = "profile"
	optionReadOnly = "read-only"
)

// The same two as variables. A host's form that was left empty gives an empty
// one, which the program takes for none.
const (
	variableProfile  = "PAYU_MCP_PROFILE"
	variableReadOnly = "PAYU_MCP_READ_ONLY"
)

const defaultProfile = "default"

// release is what one version is made of.
type release struct {
	version  string
	programs programs
	help     help
	licences []text // go into everything that has a program in it
}

// text is a file that people read.
type text struct {
	name string
	data []byte
}

func (r release) bundleName() string { return name + "_" + r.version + ".mcpb" }

// address is where a file of the release is downloaded.
func (r release) address(file string) string {
	return homepage + "/releases/download/v" + r.version + "/" + file
}

// indented is JSON as people read it: <, > and & stay what they are.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// write makes a file, and the folders on the way to it.
func write(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, data, mode); err != nil {
		return err
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask, and whatever was there
		return fmt.Errorf("setting the mode: %w", err)
	}
	return nil
}
