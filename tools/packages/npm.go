package main

import (
	_ "embed"
	"errors"
	"os"
	"path/filepath"
)

//go:embed npm/payu-mcp.js
var wrapper []byte // embed needs a package variable

//go:embed npm/README.md
var wrapperReadme []byte

// npmScope is what the platforms' packages are called below. Only the owner of
// the scope can publish there, so that nobody takes a name before us.
const npmScope = "@payu-mcp/"

// npmPackage is package.json, as far as it is used.
type npmPackage struct {
	Name          string            `json:"name"`
	Version       string            `json:"version"`
	Description   string            `json:"description"`
	MCPName       string            `json:"mcpName,omitempty"` // the MCP Registry compares it with its entry
	Keywords      []string          `json:"keywords,omitempty"`
	License       string            `json:"license"`
	Homepage      string            `json:"homepage"`
	Bugs          string            `json:"bugs"`
	Repository    repository        `json:"repository"`
	OS            []string          `json:"os,omitempty"`
	CPU           []string          `json:"cpu,omitempty"`
	Engines       map[string]string `json:"engines,omitempty"`
	Bin           map[string]string `json:"bin,omitempty"`
	Files         []string          `json:"files"`
	Optional      map[string]string `json:"optionalDependencies,omitempty"`
	Unplugged     bool              `json:"preferUnplugged,omitempty"` // Yarn must not start it out of a zip file
	PublishConfig map[string]string `json:"publishConfig"`
}

// platform is the target in Node's words: process.platform and process.arch.
func (t target) platform() (system, processor string) {
	system, processor = t.os, t.arch
	if system == "windows" {
		system = "win32"
	}
	if processor == "amd64" {
		processor = "x64"
	}
	return system, processor
}

// writeNPM writes a folder for each package, as `npm publish` and `npm pack` take
// it: payu-mcp, and one for each platform that has the program in it. npm installs
// only the one that fits, and runs nothing while it does.
func (r release) writeNPM(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	main := r.npmPackage(name)
	main.MCPName, main.Keywords = registryID, []string{"mcp", "payu", "payments"}
	main.Engines, main.Bin = map[string]string{"node": ">=18"}, map[string]string{name: "bin/payu-mcp.js"}
	main.Optional = map[string]string{}
	for _, t := range targets() {
		system, processor := t.platform()
		p := r.npmPackage(npmScope + system + "-" + processor)
		p.Description = "The program of payu-mcp for " + system + " on " + processor + "; install payu-mcp instead"
		p.OS, p.CPU, p.Unplugged = []string{system}, []string{processor}, true
		main.Optional[p.Name] = r.version
		program, err := os.ReadFile(r.programs.of[t])
		if err != nil {
			return err
		}
		readme := []byte("# " + p.Name + "\n\n" + p.Description + ": " + homepage + "\n")
		if err := r.writePackage(dir, p, t.file(), program, readme); err != nil {
			return err
		}
	}
	return r.writePackage(dir, main, "payu-mcp.js", wrapper, wrapperReadme)
}

func (r release) npmPackage(called string) npmPackage {
	return npmPackage{
		Name: called, Version: r.version, Description: description,
		License: licenceID, Homepage: homepage + "#readme", Bugs: support,
		Repository:    repository{"git", "git+" + homepage + ".git"}, // as npm's provenance wants it
		Files:         []string{"bin", "THIRD-PARTY-LICENSES.txt"},   // npm adds package.json, README.md and LICENSE
		PublishConfig: map[string]string{"access": "public"},         // a scope is private by default
	}
}

func (r release) writePackage(dir string, p npmPackage, program string, data, readme []byte) error {
	dir = filepath.Join(dir, filepath.FromSlash(p.Name))
	text, err := indented(p)
	if err != nil {
		return err
	}
	err = errors.Join(
		write(filepath.Join(dir, "package.json"), text, 0o644),
		write(filepath.Join(dir, "bin", program), data, 0o755),
		write(filepath.Join(dir, "README.md"), readme, 0o644),
	)
	for _, l := range r.licences {
		err = errors.Join(err, write(filepath.Join(dir, l.name), l.data, 0o644))
	}
	return err
}
