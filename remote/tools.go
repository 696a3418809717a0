package remote

import "sync"

const (
	maxTools     = 10_000  // tools remembered
	maxToolBytes = 8 << 20 // and what their names and bindings take

	bindingSize, pathSize = 64, 16 // beside their text
)

// tool is what the relay knows of a tool of the server.
type tool struct {
	readOnly bool      // annotations.readOnlyHint is true (RELAY R9)
	valid    bool      // its x-mcp-header annotations are
	bindings []binding // none if they are not
}

// size is about what remembering the tool takes.
func (t tool) size(name string) int {
	n := len(name)
	for _, b := range t.bindings {
		n += bindingSize + len(b.header)
		for _, p := range b.path {
			n += pathSize + len(p)
		}
	}
	return n
}

// toolbox remembers the tools that went by in answers to tools/list (RELAY
// H13). The zero value is ready and safe for concurrent use. It is bounded; a
// tool that finds no room is unknown.
type toolbox struct {
	mu    sync.Mutex
	tools map[string]tool
	bytes int
}

// learn takes an answer to tools/list. fresh says that it is the first page of a
// list: what was known before is forgotten. An answer without tools, such as an
// error, changes nothing.
func (t *toolbox) learn(answer []byte, fresh bool) {
	page := toolbox{tools: map[string]tool{}}
	if lists, err := eachTool(answer, page.add); err != nil || lists == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if fresh || t.tools == nil {
		t.tools, t.bytes = page.tools, page.bytes
		return
	}
	for name, known := range page.tools {
		t.add(toolEntry{tool: known, name: name, named: true})
	}
}

// add remembers a tool. Of two with one name, which MCP discourages, the valid
// one is what the host sees, and both must be read-only to count as that: a call
// that is sent again must be harmless whichever runs.
func (t *toolbox) add(e toolEntry) {
	old, again := t.tools[e.name]
	if again {
		t.bytes -= old.size(e.name)
		delete(t.tools, e.name)
		if old.valid && !e.valid {
			e.valid, e.bindings = true, old.bindings
		}
		e.readOnly = e.readOnly && old.readOnly
	}
	size := e.size(e.name)
	if !e.named || len(t.tools) >= maxTools || t.bytes+size > maxToolBytes {
		return
	}
	t.tools[e.name] = e.tool
	t.bytes += size
}

// of returns what is known of a tool.
func (t *toolbox) of(name string) (known tool, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok = t.tools[name]
	return known, ok
}
