package hosts

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// model is a language model on loopback that says what the test scripted, in
// the dialect that it is asked in.
type model struct {
	*httptest.Server

	mu     sync.Mutex
	script []turn
	asked  []asked
	n      int // of answers
}

// turn is one answer of the model: a tool to call, by the server's own name for
// it. An empty one is the word "done".
type turn struct {
	tool string
	args map[string]any
	// before is what the person does while the model thinks, who has read the
	// results of the tools so far.
	before func(results []string)
}

// asked is what a host sent to the model, with the tools that it offered, the
// results of tools that it brought, and what the model said. Questions without
// tools, such as for a title, are not recorded, nor is waiting for a server.
type asked struct {
	offered []string
	results []string
	said    string
}

// question is what a dialect finds in a request.
type question struct {
	offered []string // names of the tools
	results []string // all results of tools in the conversation, oldest first
	stream  bool
}

// reply is what a dialect writes: a call of a tool, or text.
type reply struct {
	tool, namespace string
	args            map[string]any
	text            string
	n               int // makes ids differ
}

// dialect is the language of one provider.
type dialect struct {
	read  func(body []byte) question
	write func(w io.Writer, q question, r reply)
}

func startModel(t *testing.T) *model {
	t.Helper()
	m := &model{}
	m.Server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.Close)
	return m
}

func (m *model) serve(w http.ResponseWriter, r *http.Request) {
	d, ok := speaks(r.URL.Path)
	body, err := io.ReadAll(r.Body)
	switch {
	case r.Method != http.MethodPost || !ok || err != nil:
		http.Error(w, `{"error":{"message":"not here"}}`, http.StatusNotFound)
		return
	case strings.HasSuffix(r.URL.Path, "count_tokens") || strings.HasSuffix(r.URL.Path, ":countTokens"):
		_, _ = io.WriteString(w, `{"input_tokens":7,"totalTokens":7}`)
		return
	}
	q := d.read(body)
	q.stream = q.stream || strings.Contains(r.URL.Path, ":stream")
	w.Header().Set("Content-Type", map[bool]string{true: "text/event-stream", false: "application/json"}[q.stream])
	if before := m.pause(q); before != nil {
		before(q.results)
	}
	d.write(w, q, m.next(q))
}

// pause is what happens before the next turn.
func (m *model) pause(q question) func(results []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(q.offered) == 0 || len(m.script) == 0 {
		return nil
	}
	before := m.script[0].before
	m.script[0].before = nil
	return before
}

func speaks(path string) (dialect, bool) {
	switch {
	case strings.Contains(path, "/messages"):
		return anthropic(), true
	case strings.HasSuffix(path, "/responses"):
		return responses(), true
	case strings.HasSuffix(path, "/chat/completions"):
		return completions(), true
	case strings.Contains(path, "enerateContent") || strings.HasSuffix(path, ":countTokens"):
		return gemini(), true
	}
	return dialect{}, false
}

// next is the answer to q: the next turn of the script, or "done" at its end.
func (m *model) next(q question) reply {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	r := reply{text: "done", n: m.n}
	if len(q.offered) == 0 {
		return r
	}
	if len(m.script) > 0 {
		r = m.script[0].reply(q.offered, m.n)
		if r.tool == waitTool {
			return r // the turn is still to come
		}
		m.script = m.script[1:]
	}
	said := r.text
	if r.tool != "" {
		said = "calls " + r.tool
	}
	m.asked = append(m.asked, asked{q.offered, q.results, said})
	return r
}

// waitTool is what Claude Code offers while servers are starting, for which it
// does not wait (HOSTS H5).
const waitTool = "WaitForMcpServers"

// reply finds the tool among those offered: hosts put a prefix before its name,
// with a full stop if it is one that goes apart.
func (t turn) reply(offered []string, n int) reply {
	i := slices.IndexFunc(offered, func(name string) bool {
		return name == t.tool || strings.HasSuffix(name, "_"+t.tool) || strings.HasSuffix(name, "."+t.tool)
	})
	switch {
	case t.tool == "":
		return reply{text: "done", n: n}
	case i < 0 && slices.Contains(offered, waitTool):
		return reply{tool: waitTool, args: object{}, n: n}
	case i < 0:
		return reply{text: "there is no tool " + t.tool, n: n}
	}
	r := reply{tool: offered[i], args: t.args, n: n}
	if r.args == nil {
		r.args = map[string]any{}
	}
	if space, name, ok := strings.Cut(offered[i], "."); ok {
		r.namespace, r.tool = space, name
	}
	return r
}

// says sets what the model answers to the next questions.
func (m *model) says(script ...turn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.script = script
}

// mark is a place in the record of questions.
func (m *model) mark() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.asked)
}

// since returns the questions from a mark on.
func (m *model) since(mark int) []asked {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked[mark:])
}

// String is the record for people.
func (m *model) String() string {
	var b strings.Builder
	for i, a := range m.since(0) {
		fmt.Fprintf(&b, "%d. offered %d tools: %s\n", i+1, len(a.offered), strings.Join(a.offered, " "))
		for _, r := range a.results {
			fmt.Fprintf(&b, "   result: %.600q\n", r)
		}
		fmt.Fprintf(&b, "   the model: %s\n", a.said)
	}
	return b.String()
}

// event writes one server-sent event, or nothing but the data if there is no stream.
func event(w io.Writer, name string, data any) {
	text, _ := json.Marshal(data)
	if name != "" {
		_, _ = fmt.Fprintf(w, "event: %s\n", name)
	}
	_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
}

// text is the words in a value, wherever they are: dialects and hosts wrap the
// result of a tool in their own ways.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, text(e))
		}
		return strings.Join(parts, "\n")
	case map[string]any:
		if t, ok := v["text"]; ok {
			return text(t)
		}
		data, _ := json.Marshal(v)
		return string(data)
	}
	return ""
}

type object = map[string]any
