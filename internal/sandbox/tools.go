package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Annotations says whether tools carry the right readOnlyHint (PAYU S24).
type Annotations int

// The annotations.
const (
	AnnotationsRight Annotations = iota
	AnnotationsAbsent
	AnnotationsLying // every tool claims to be read-only
)

// ToolKnobs shape tools/list (PAYU S24, S31).
type ToolKnobs struct {
	Annotations Annotations
	// Without drops tools whose names begin with one of these, as permissions do
	// (PAYU P15): they are neither listed nor callable.
	Without []string
	// PageSize gives tools/list pages of so many tools; 0 is one page.
	PageSize int
	// Probe adds FidelityTool and ForeignNameTool.
	Probe bool
	// HeaderProbe adds HeaderTool and the tools with an invalid x-mcp-header.
	HeaderProbe bool
	// Ask adds AskTool; it asks AskRounds times, 0 is once. AskURL is the page that
	// it asks the person to open; "" asks for a note in a form.
	Ask       bool
	AskRounds int
	AskURL    string
}

// tool is one tool with its behaviour.
type tool struct {
	name, title, description string
	schema                   string // of the arguments: raw JSON
	write                    bool
	needsMerchant            bool
	unmirrored               bool // its x-mcp-header annotations are invalid
	run                      func(context.Context, *Sandbox, *call) outcome
}

// tools are the 13 of PAYU section 2, W1 to W13.
func tools() []tool {
	return slices.Concat(merchantTools(), reportTools(), linkTools(), []tool{
		{name: "list_available_tools", title: "List tools", description: "List the tools that this account may use.", schema: noArguments, run: runListTools},
		{name: "get_metadata", title: "Metadata", description: "Describe the servers behind this gateway.", schema: noArguments, run: runMetadata},
		{name: "health_check", title: "Health check", description: "Tell whether the gateway is running.", schema: noArguments, run: runHealth},
	})
}

const noArguments = `{"type":"object","properties":{},"additionalProperties":false}`

func visibleTools(k ToolKnobs) []tool {
	all := tools()
	if k.Probe {
		all = append(all, probeTools()...)
	}
	if k.HeaderProbe {
		all = append(all, headerTools()...)
	}
	if k.Ask {
		all = append(all, askTools()...)
	}
	return slices.DeleteFunc(all, func(t tool) bool {
		return slices.ContainsFunc(k.Without, func(p string) bool { return strings.HasPrefix(t.name, p) })
	})
}

func findTool(k ToolKnobs, name string) (tool, bool) {
	all := visibleTools(k)
	i := slices.IndexFunc(all, func(t tool) bool { return t.name == name })
	if i < 0 {
		return tool{}, false
	}
	return all[i], true
}

// listing is how tools/list shows a tool.
type listing struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"inputSchema"`
	Annotations *annotations    `json:"annotations,omitempty"`
}

type annotations struct {
	ReadOnly    bool `json:"readOnlyHint"`
	Destructive bool `json:"destructiveHint"`
	OpenWorld   bool `json:"openWorldHint"`
}

func (t tool) listing(a Annotations) listing {
	l := listing{Name: t.name, Title: t.title, Description: t.description, InputSchema: json.RawMessage(t.schema)}
	switch a {
	case AnnotationsRight:
		l.Annotations = &annotations{ReadOnly: !t.write, OpenWorld: true}
	case AnnotationsLying:
		l.Annotations = &annotations{ReadOnly: true, OpenWorld: true}
	case AnnotationsAbsent:
	}
	return l
}

// listTools answers tools/list. A cursor is the number of tools before it.
func (s *Sandbox) listTools(out *responder, k MCPKnobs, m *message) {
	var p struct {
		Cursor string `json:"cursor"`
	}
	_ = json.Unmarshal(m.Params, &p) // params are optional
	all, from := visibleTools(k.Tools), 0
	if p.Cursor != "" {
		n, err := strconv.Atoi(p.Cursor)
		if err != nil || n < 1 || n >= len(all) {
			out.final(http.StatusOK, failure(string(m.ID), codeParams, "Invalid cursor"))
			return
		}
		from = n
	}
	answer := map[string]any{}
	all = all[from:]
	if size := k.Tools.PageSize; size > 0 && len(all) > size {
		all = all[:size]
		answer["nextCursor"] = strconv.Itoa(from + size)
	}
	list := make([]listing, 0, len(all))
	for _, t := range all {
		list = append(list, t.listing(k.Tools.Annotations))
	}
	answer["tools"] = list
	if out.modern {
		answer["ttlMs"], answer["cacheScope"] = 0, "private"
	}
	out.result(m.ID, marshal(answer))
}

func runListTools(_ context.Context, _ *Sandbox, c *call) outcome {
	var b strings.Builder
	for _, t := range visibleTools(c.knobs.Tools) {
		b.WriteString("- " + t.name + ": " + t.description + "\n")
	}
	return outcome{text: strings.TrimSuffix(b.String(), "\n")}
}

func runMetadata(_ context.Context, _ *Sandbox, c *call) outcome {
	count := func(prefix string) int {
		n := 0
		for _, t := range visibleTools(c.knobs.Tools) {
			if strings.HasPrefix(t.name, prefix) {
				n++
			}
		}
		return n
	}
	return outcome{text: string(marshal(map[string]any{"servers": []map[string]any{
		{"name": "payLinks", "prefix": "payLinks_", "tools": count("payLinks_"), "status": "running"},
		{"name": "reporting", "prefix": "reporting_", "tools": count("reporting_"), "status": "running"},
	}}))}
}

func runHealth(context.Context, *Sandbox, *call) outcome {
	return outcome{text: `{"status":"running"}`}
}
