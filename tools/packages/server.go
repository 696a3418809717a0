package main

// registrySchema is the version of the format that the entry is written in.
const registrySchema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

// registryEntry is server.json of the MCP Registry, as far as it is used.
type registryEntry struct {
	Schema      string             `json:"$schema"`
	Name        string             `json:"name"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Repository  registryRepository `json:"repository"`
	Website     string             `json:"websiteUrl"`
	Version     string             `json:"version"`
	Packages    []registryPackage  `json:"packages"`
}

type registryRepository struct {
	URL    string `json:"url"`
	Source string `json:"source"`
}

type registryPackage struct {
	Type       string            `json:"registryType"`
	Identifier string            `json:"identifier"`
	Version    string            `json:"version"`
	SHA256     string            `json:"fileSha256,omitempty"` // of a bundle, never of another package
	Runtime    string            `json:"runtimeHint,omitempty"`
	Transport  map[string]string `json:"transport"`
	Variables  []registryInput   `json:"environmentVariables,omitempty"`
}

type registryInput struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Format      string `json:"format"`
	Default     string `json:"default"`
}

// writeServer writes server.json. sum is that of the bundle, which brings a form
// of its own. The npm package takes variables: clients disagree whether an
// argument is one word or two, and the program takes `--read-only true` for a
// mistyped command.
func (r release) writeServer(path, sum string) error {
	profile, err := r.help.usage(optionProfile)
	if err != nil {
		return err
	}
	readOnly, err := r.help.usage(optionReadOnly)
	if err != nil {
		return err
	}
	stdio := map[string]string{"type": "stdio"}
	text, err := indented(registryEntry{
		Schema: registrySchema,
		Name:   registryID, Title: title, Description: description,
		Repository: registryRepository{homepage, "github"}, Website: homepage, Version: r.version,
		Packages: []registryPackage{
			{Type: "mcpb", Identifier: r.address(r.bundleName()), Version: r.version, SHA256: sum, Transport: stdio},
			{Type: "npm", Identifier: name, Version: r.version, Runtime: "npx", Transport: stdio, Variables: []registryInput{
				{variableProfile, profile, "string", defaultProfile},
				{variableReadOnly, readOnly, "boolean", "false"},
			}},
		},
	})
	if err != nil {
		return err
	}
	return write(path, text, 0o644)
}
