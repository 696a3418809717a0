package main

// Where things are in the bundle.
const (
	iconFile    = "icon.png"
	macFile     = "server/darwin/payu-mcp"
	linuxFile   = "server/linux/payu-mcp"
	windowsFile = "server/win32/payu-mcp.exe"
)

// manifest is manifest.json of the bundle, version 0.3, as far as it is used.
type manifest struct {
	ManifestVersion string                   `json:"manifest_version"`
	Name            string                   `json:"name"`
	DisplayName     string                   `json:"display_name"`
	Version         string                   `json:"version"`
	Description     string                   `json:"description"`
	LongDescription string                   `json:"long_description"`
	Author          author                   `json:"author"`
	Repository      repository               `json:"repository"`
	Homepage        string                   `json:"homepage"`
	Documentation   string                   `json:"documentation"`
	Support         string                   `json:"support"`
	Icon            string                   `json:"icon"`
	Server          server                   `json:"server"`
	ToolsGenerated  bool                     `json:"tools_generated"` // they are PayU's: what a merchant sees is known after the sign-in
	Keywords        []string                 `json:"keywords"`
	License         string                   `json:"license"`
	PrivacyPolicies []string                 `json:"privacy_policies"`
	Compatibility   compatibility            `json:"compatibility"`
	UserConfig      map[string]configuration `json:"user_config"`
}

type author struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type repository struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type server struct {
	Type       string    `json:"type"`
	EntryPoint string    `json:"entry_point"`
	Config     mcpConfig `json:"mcp_config"`
}

type mcpConfig struct {
	Command   string              `json:"command"`
	Args      []string            `json:"args"`
	Env       map[string]string   `json:"env"`
	Platforms map[string]override `json:"platform_overrides"`
}

type override struct {
	Command string `json:"command"`
}

type compatibility struct {
	ClaudeDesktop string   `json:"claude_desktop"`
	Platforms     []string `json:"platforms"`
}

// configuration is one field of the form that a person fills in.
type configuration struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
	Default     any    `json:"default"`
}

// longDescription is what a person reads before installing the bundle.
const longDescription = `Lets your assistant work with your PayU account: payment links, transactions, settlements, refunds, whatever
PayU's Remote MCP endpoint (https://api.payu.in/mcp) offers to your account.

**The first time:** ask the assistant for something at PayU, for example "sign in to PayU". Your browser opens PayU's own
sign-in; when you have finished there, ask again. No key and no password is typed into the assistant. In the next
conversation the assistant knows all of PayU's tools.

**What is kept:** the login, in a file on this computer that is sealed by a key in the system's keychain. It is sent to PayU
and to nobody else. Turning the extension off does not sign you out: PayU's dashboard can revoke the login, and so does
` + "`payu-mcp logout`" + ` if you have the program itself, too.

**Only looking:** turn on "Read only" and tools that may change something, such as refunds, are out of reach.

Programs for every Mac, and for Windows and Linux on x86-64 processors (Windows on ARM runs it, too). Your PayU account must be
enabled for MCP; ask your key account manager at PayU, or ai-solutions@payu.in.`

// manifest makes manifest.json. An empty read-only must be an error, so it is an
// argument; an empty profile is the default one, so it is a variable (docs/packages.md).
func (r release) manifest() ([]byte, error) {
	profile, err := r.help.usage(optionProfile)
	if err != nil {
		return nil, err
	}
	readOnly, err := r.help.usage(optionReadOnly)
	if err != nil {
		return nil, err
	}
	return indented(manifest{
		ManifestVersion: "0.3",
		Name:            name, DisplayName: title, Version: r.version,
		Description: description + ".", LongDescription: longDescription,
		Author:     author{"The authors of payu-mcp", homepage},
		Repository: repository{"git", homepage + ".git"},
		Homepage:   homepage, Documentation: homepage + "#readme", Support: support,
		Icon: iconFile,
		Server: server{"binary", macFile, mcpConfig{
			Command:   inBundle(macFile),
			Args:      []string{"--" + optionReadOnly + "=${user_config.read_only}"},
			Env:       map[string]string{variableProfile: "${user_config.profile}"},
			Platforms: map[string]override{"darwin": {inBundle(macFile)}, "linux": {inBundle(linuxFile)}, "win32": {inBundle(windowsFile)}},
		}},
		ToolsGenerated: true,
		Keywords:       []string{"payu", "payments", "payment links", "refunds", "settlements"},
		License:        licenceID, PrivacyPolicies: []string{privacy},
		Compatibility: compatibility{">=0.10.0", []string{"darwin", "win32", "linux"}},
		UserConfig: map[string]configuration{
			"profile":   {"string", "Profile", profile + " Letters, digits, - and _. Leave it as it is if you have one PayU account.", false, defaultProfile},
			"read_only": {"boolean", "Read only", readOnly, false, false},
		},
	})
}

func inBundle(file string) string { return "${__dirname}/" + file }
