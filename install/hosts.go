package install

import "github.com/payu-mcp/payu-mcp/install/edit"

// The table of hosts, HOSTS F1 to F22. Where those who wrote such tables before
// contradict each other (F25), the host's own documentation or a measurement
// counts. A program is named only if no other one has its name: goose, zed, amp,
// q and copilot are known by their folders. Each row has golden tests on three
// systems.

// desktops are programs whose main thing is the assistant.
func desktops() []Host {
	return []Host{
		{ // F1; F24: the Store's package reads its own copy of %APPDATA%, under a name with the publisher's hash
			ID: "claude-desktop", Name: "Claude Desktop", noURL: true, // PAYU P24
			places: []place{
				{base: "$DATA/Claude", files: []string{"claude_desktop_config.json"}},
				{
					on: "windows", store: true, extra: true, base: "$LOCALAPPDATA/Packages/Claude_*/LocalCache/Roaming",
					files: []string{"Claude/claude_desktop_config.json"},
				},
			},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain,
			After: "Quit Claude Desktop completely, also in the menu bar or the notification area, and start it again.",
		},
		{ // F12
			ID: "lmstudio", Name: "LM Studio",
			places: []place{
				{base: "$HOME/.lmstudio", files: []string{"mcp.json"}},
				{base: "$HOME/.cache/lm-studio", files: []string{"mcp.json"}, extra: true},
			},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain, links: []link{lmStudioLink},
			After: "LM Studio notices by itself; switch payu on in the chat's integrations.",
		},
		{ // F11
			ID: "goose", Name: "Goose",
			places: []place{
				{on: "unix", base: "$CONFIG/goose", files: []string{"config.yaml"}},
				{on: "windows", base: "$APPDATA/Block/goose/config", files: []string{"config.yaml"}},
			},
			format: edit.YAML, parent: []string{"extensions"}, shape: extension, links: []link{gooseLink},
			After: "Start a new session in Goose.",
		},
	}
}

// editors are programs for code.
func editors() []Host {
	return []Host{
		{ // F3
			ID: "cursor", Name: "Cursor", programs: []string{"cursor"}, project: []string{".cursor/mcp.json"},
			places: []place{{base: "$HOME/.cursor", files: []string{"mcp.json"}}},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain, links: []link{cursorLink},
			After: "Cursor notices by itself; if payu is off in its settings under Tools & MCP, switch it on.",
		},
		vsCode("vscode", "VS Code", "Code", "code", "$HOME/.vscode-server", vsCodeLink),                                                        // F4
		vsCode("vscode-insiders", "VS Code Insiders", "Code - Insiders", "code-insiders", "$HOME/.vscode-server-insiders", vsCodeInsidersLink), // F4
		{ // F5
			ID: "windsurf", Name: "Windsurf", programs: []string{"windsurf"},
			places: []place{
				{base: "$HOME/.codeium/windsurf", files: []string{"mcp_config.json"}},
				{base: "$HOME/.codeium", files: []string{"mcp_config.json"}, marks: []string{"$HOME/.codeium/mcp_config.json"}, extra: true}, // its plug-in for JetBrains
			},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain,
			After: "Press refresh in Windsurf's list of MCP servers.",
		},
		{ // F6
			ID: "zed", Name: "Zed", programs: []string{"zeditor"},
			places: []place{
				{on: "unix", base: "$CONFIG/zed", files: []string{"settings.json"}},
				{on: "windows", base: "$APPDATA/Zed", files: []string{"settings.json"}},
			},
			format: edit.JSON, parent: []string{"context_servers"}, shape: plain,
			After: "Zed notices by itself.",
		},
		{ // F15
			ID: "kiro", Name: "Kiro", programs: []string{"kiro"}, project: []string{".kiro/settings/mcp.json"},
			places: []place{{base: "$HOME/.kiro", files: []string{"settings/mcp.json"}}},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain, links: []link{kiroLink},
			After: "Kiro notices by itself.",
		},
		{ // F19: the folder is moving
			ID: "antigravity", Name: "Antigravity",
			places: []place{
				{base: "$HOME/.gemini/antigravity", files: []string{"mcp_config.json"}},
				{base: "$HOME/.gemini/config", files: []string{"mcp_config.json"}, extra: true},
			},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain,
			After: "Press refresh in Antigravity's list of MCP servers.",
		},
		{ // F22
			ID: "trae", Name: "Trae",
			places: []place{{base: "$DATA/Trae/User", files: []string{"mcp.json"}}},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain,
			After: "Start Trae again.",
		},
	}
}

// plugIns are added to programs for code.
func plugIns() []Host {
	return []Host{
		{ // F7
			ID: "cline", Name: "Cline", programs: []string{"cline"},
			places: []place{
				{base: "$DATA/Code/User/globalStorage/saoudrizwan.claude-dev", files: []string{"settings/cline_mcp_settings.json"}},
				{base: "$HOME/.cline/data", files: []string{"settings/cline_mcp_settings.json"}, extra: true}, // its command line
			},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: enabled,
			After: "Cline notices by itself.",
		},
		{ // F8: the file has other members that must be there
			ID: "continue", Name: "Continue", needs: true,
			places: []place{{base: "$HOME/.continue", files: []string{"config.yaml"}}},
			format: edit.YAML, parent: []string{"mcpServers"}, list: true, shape: named,
			After: "Continue notices by itself; its tools are there in agent mode.",
		},
		{ // F13: stdio only
			ID: "junie", Name: "JetBrains Junie", noURL: true, project: []string{".junie/mcp/mcp.json"},
			places: []place{{base: "$HOME/.junie", files: []string{"mcp/mcp.json"}}},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain,
			After: "Look at Settings, Tools, Junie, MCP Settings in the JetBrains program, and start it again if payu is not there.",
		},
	}
}

// vsCode is one edition. Each has a folder for windows whose files are on
// another computer, too, which is where MCP servers of such windows run.
func vsCode(id, name, folder, program, server string, l link) Host {
	return Host{
		ID: id, Name: name, programs: []string{program}, project: []string{".vscode/mcp.json"},
		places: []place{
			{base: "$DATA/" + folder + "/User", files: []string{"mcp.json"}},
			{base: server + "/data/User", files: []string{"mcp.json"}, marks: []string{server}, extra: true},
		},
		format: edit.JSON, parent: []string{"servers"}, shape: typed("stdio"), links: []link{l},
		After: name + " notices by itself, and asks whether you trust payu when it is first used.",
	}
}

// terminals are programs of the command line.
func terminals() []Host {
	return []Host{
		{ // F2
			ID: claudeCode, Name: "Claude Code", programs: []string{"claude"}, project: []string{".mcp.json"},
			places: []place{{
				base: "$CLAUDE_CONFIG_DIR", files: []string{".claude.json"},
				marks: []string{"$CLAUDE_CONFIG_DIR/.claude.json", "$HOME/.claude"},
			}},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: typed("stdio"),
			After: "Start a new session of claude; /mcp shows payu.",
		},
		{ // F10
			ID: "codex", Name: "Codex", programs: []string{"codex"}, project: []string{".codex/config.toml"},
			places: []place{{base: "$CODEX_HOME", files: []string{"config.toml"}}},
			format: edit.TOML, parent: []string{"mcp_servers"}, shape: withVariables,
			After: "Start a new session of codex; /mcp shows payu.",
		},
		gemini("gemini", "Gemini CLI", ".gemini"), // F9
		gemini("qwen", "Qwen Code", ".qwen"),      // F21
		{ // F17: the same folder on all systems
			ID: "opencode", Name: "opencode", programs: []string{"opencode"}, project: []string{"opencode.json", "opencode.jsonc"},
			places: []place{{base: "$CONFIG/opencode", files: []string{"opencode.json", "opencode.jsonc"}}},
			format: edit.JSON, parent: []string{"mcp"}, shape: commandList,
			After: "Start a new session of opencode.",
		},
		{ // F20
			ID: "copilot", Name: "Copilot CLI",
			places: []place{{base: "$HOME/.copilot", files: []string{"mcp-config.json"}}},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: typed("local", edit.Member{Key: "tools", Value: []string{"*"}}),
			After: "Start a new session of copilot.",
		},
		{ // F18: one member whose name has a dot in it
			ID: "amp", Name: "Amp",
			places: []place{
				{on: "unix", base: "$CONFIG/amp", files: []string{"settings.json"}},
				{on: "windows", base: "$APPDATA/amp", files: []string{"settings.json"}},
			},
			format: edit.JSON, parent: []string{"amp.mcpServers"}, shape: plain,
			After: "Start a new session of amp.",
		},
		{ // F16
			ID: "amazonq", Name: "Amazon Q", project: []string{".amazonq/mcp.json"},
			places: []place{{base: "$HOME/.aws/amazonq", files: []string{"mcp.json"}}},
			format: edit.JSON, parent: []string{"mcpServers"}, shape: plain,
			After: "Start a new session of Amazon Q.",
		},
	}
}

// gemini is Gemini CLI or what was made from it. The folder alone shows nothing:
// Antigravity has its own in it.
func gemini(id, name, folder string) Host {
	base := "$HOME/" + folder
	return Host{
		ID: id, Name: name, programs: []string{id}, project: []string{folder + "/settings.json"},
		places: []place{{
			base: base, files: []string{"settings.json"},
			marks: []string{base + "/settings.json", base + "/oauth_creds.json", base + "/installation_id", base + "/tmp"},
		}},
		format: edit.JSON, parent: []string{"mcpServers"}, shape: plain,
		After: "Start a new session of " + id + ", in a folder that it trusts; /mcp shows payu.",
	}
}
