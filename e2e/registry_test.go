package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	registry "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// registrySchema is the schema of server.json, from the source of the registry
// itself: the module whose types are used below.
func registrySchema(t *testing.T, address string) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/modelcontextprotocol/registry").Output()
	if err != nil {
		t.Fatalf("finding the source of the registry: %v", err)
	}
	version := filepath.Base(filepath.Dir(filepath.FromSlash(strings.TrimPrefix(address, "https://"))))
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(dir)), "internal", "validators", "schemas", version+".json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(address, text); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(address)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestRegistry_entry_fitsSchemaAndPackages(t *testing.T) {
	t.Parallel()
	dir := packages(t)
	text, err := os.ReadFile(filepath.Join(dir, "server.json"))
	if err != nil {
		t.Fatal(err)
	}
	var entry registry.ServerJSON
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields() // the schema lets misspelt members pass
	if err := d.Decode(&entry); err != nil {
		t.Fatal(err)
	}
	schema := registrySchema(t, entry.Schema)
	fits := func(text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	if err := fits(string(text)); err != nil {
		t.Error(err)
	}
	for what, bad := range map[string][2]string{
		"a name with two slashes": {entry.Name, "io.github.payu-mcp/payu/mcp"},
		"a long description":      {entry.Description, strings.Repeat("x", 101)},
		"no checksum":             {checksum(t, bundleFile(dir)), "0"},
		"a transport of our own":  {`"stdio"`, `"pipe"`},
	} {
		if spoilt := strings.ReplaceAll(string(text), bad[0], bad[1]); spoilt == string(text) || fits(spoilt) == nil {
			t.Errorf("%s would not be noticed", what)
		}
	}

	if len(entry.Packages) != 2 || entry.Version != packagesVersion {
		t.Fatalf("%d packages of version %s", len(entry.Packages), entry.Version)
	}
	bundle, npm := entry.Packages[0], entry.Packages[1]
	// What the registry takes for a release asset at GitHub (its validators/registries/mcpb.go).
	asset := regexp.MustCompile(`^https://github\.com/payu-mcp/payu-mcp/releases/download/v` + regexp.QuoteMeta(packagesVersion) + `/([^/]+)$`).FindStringSubmatch(bundle.Identifier)
	if bundle.RegistryType != "mcpb" || asset == nil || asset[1] != filepath.Base(bundleFile(dir)) || bundle.FileSHA256 != checksum(t, bundleFile(dir)) {
		t.Errorf("%+v", bundle)
	}
	var main struct{ Name, Version, MCPName string }
	text, err = os.ReadFile(filepath.Join(dir, "npm", "payu-mcp", "package.json"))
	if err == nil {
		err = json.Unmarshal(text, &main)
	}
	if err != nil || npm.RegistryType != "npm" || npm.Identifier != main.Name || npm.Version != main.Version || entry.Name != main.MCPName || npm.FileSHA256 != "" {
		t.Errorf("%+v for %+v (%v)", npm, main, err)
	}
	if again := checksum(t, filepath.Join(dir, "again", "server.json")); again != checksum(t, filepath.Join(dir, "server.json")) {
		t.Error("two runs gave two entries")
	}
}
