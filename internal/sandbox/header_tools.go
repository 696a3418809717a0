package sandbox

import "context"

// The header probe (PAYU S24), listed with ToolKnobs.HeaderProbe.
const (
	// HeaderTool wants five of its arguments in headers, two of them nested, and
	// answers with the arguments as they came.
	HeaderTool = "header_probe"
	// InvalidHeaderPrefix begins the names of the tools whose x-mcp-header breaks
	// one rule each; the rest of the name says which.
	InvalidHeaderPrefix = "invalid_header_"
)

func headerTools() []tool {
	const valid = `{"type":"object","properties":{` +
		`"region":{"type":"string","x-mcp-header":"Region"},"limit":{"type":"integer","x-mcp-header":"Limit"},` +
		`"dry":{"type":"boolean","x-mcp-header":"Dry-Run"},"note":{"type":"string"},` +
		`"tenant":{"type":"object","properties":{"id":{"type":"string","x-mcp-header":"Tenant-Id"},` +
		`"unit":{"type":"object","properties":{"no":{"type":"integer","x-mcp-header":"Unit-No"}}}}}}}`
	all := []tool{{
		name: HeaderTool, title: "Header probe", description: "Answer with the arguments; some must stand in headers.",
		schema: valid, run: runHeaderProbe,
	}}
	for _, bad := range []struct{ rule, properties string }{
		{"empty", `"a":{"type":"string","x-mcp-header":""}`},
		{"space", `"a":{"type":"string","x-mcp-header":"two words"}`},
		{"colon", `"a":{"type":"string","x-mcp-header":"a:b"}`},
		{"crlf", `"a":{"type":"string","x-mcp-header":"a\r\nX-Evil: 1"}`},
		{"non_ascii", `"a":{"type":"string","x-mcp-header":"Größe"}`},
		{"not_a_string", `"a":{"type":"string","x-mcp-header":7}`},
		{"twice", `"a":{"type":"string","x-mcp-header":"Name"},"b":{"type":"string","x-mcp-header":"nAME"}`},
		{"number", `"a":{"type":"number","x-mcp-header":"A"}`},
		{"object", `"a":{"type":"object","x-mcp-header":"A","properties":{}}`},
		{"array", `"a":{"type":"array","x-mcp-header":"A","items":{"type":"string"}}`},
		{"items", `"a":{"type":"array","items":{"type":"object","properties":{"b":{"type":"string","x-mcp-header":"B"}}}}`},
		{"one_of", `"a":{"oneOf":[{"type":"string","x-mcp-header":"A"},{"type":"integer"}]}`},
		{"if_then", `"a":{"type":"object","if":{"properties":{"b":{"type":"string","x-mcp-header":"B"}}}}`},
	} {
		all = append(all, tool{
			name: InvalidHeaderPrefix + bad.rule, title: "Invalid header", description: "A definition that clients leave out.",
			schema: `{"type":"object","properties":{` + bad.properties + `}}`, unmirrored: true, run: runHeaderProbe,
		})
	}
	return all
}

func runHeaderProbe(_ context.Context, _ *Sandbox, c *call) outcome {
	return outcome{text: string(c.arguments)}
}
