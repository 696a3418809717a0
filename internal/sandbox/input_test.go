package sandbox_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestHeaderProbe_argumentsAndHeaders_mustBeTheSame(t *testing.T) {
	t.Parallel()
	_, h := startModern(t, sandbox.MCPKnobs{Tools: sandbox.ToolKnobs{HeaderProbe: true}})
	for _, c := range []struct {
		arguments string
		header    []string
		want      string
	}{
		{`{"note":"x"}`, nil, "200 0"},
		{`{"region":null,"tenant":{"id":null}}`, nil, "200 0"},
		{`{"region":"in"}`, []string{"Mcp-Param-Region", "in"}, "200 0"},
		{`{"region":"in"}`, nil, "400 -32020"},
		{`{"region":"in"}`, []string{"Mcp-Param-Region", "us"}, "400 -32020"},
		{`{}`, []string{"Mcp-Param-Region", "in"}, "400 -32020"},
		{`{"region":"मुंबई"}`, []string{"Mcp-Param-Region", "=?base64?4KSu4KWB4KSC4KSs4KSI?="}, "200 0"},
		{`{"region":"=?base64?x?="}`, []string{"Mcp-Param-Region", "=?base64?x?="}, "400 -32020"},
		{`{"limit":42.0,"dry":true}`, []string{"Mcp-Param-Limit", "42", "Mcp-Param-Dry-Run", "true"}, "200 0"},
		{`{"limit":42,"dry":true}`, []string{"Mcp-Param-Limit", "42", "Mcp-Param-Dry-Run", "True"}, "400 -32020"},
		{`{"tenant":{"id":"t","unit":{"no":7}}}`, []string{"Mcp-Param-Tenant-Id", "t", "Mcp-Param-Unit-No", "7"}, "200 0"},
		{`{"tenant":{"id":"t","unit":{"no":7}}}`, []string{"Mcp-Param-Tenant-Id", "t"}, "400 -32020"},
	} {
		resp := h.modern("tools/call", `"name":"`+sandbox.HeaderTool+`","arguments":`+c.arguments, c.header...)
		if got, _ := verdict(t, resp); got != c.want {
			t.Errorf("%s with %s: %s, want %s", c.arguments, c.header, got, c.want)
		}
	}
}

func TestHeaderProbe_listed_onlyByKnob(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	count := func() (n int) {
		for _, tool := range h.ask("tools/list", "{}").Result.Tools {
			if tool.Name == sandbox.HeaderTool || tool.Name == sandbox.AskTool || strings.HasPrefix(tool.Name, sandbox.InvalidHeaderPrefix) {
				n++
			}
		}
		return n
	}
	before := count()
	sb.SetMCP(sandbox.MCPKnobs{Tools: sandbox.ToolKnobs{HeaderProbe: true, Ask: true}})
	if after := count(); before != 0 || after != 15 {
		t.Error(before, after)
	}
}

// needed is an answer to AskTool of the modern era.
type needed struct {
	Result struct {
		ResultType    string
		InputRequests map[string]struct{ Method string }
		RequestState  string
		Content       []struct{ Text string }
	}
	Error struct{ Code int }
}

func TestAsk_modern_answeredByARetryWithItsState(t *testing.T) {
	t.Parallel()
	_, h := startModern(t, sandbox.MCPKnobs{Tools: sandbox.ToolKnobs{Ask: true, AskRounds: 2}})
	ask := func(more string) needed {
		var n needed
		raw := read(t, h.modern("tools/call", `"name":"`+sandbox.AskTool+`","arguments":{"about":"x"}`+more))
		if err := json.Unmarshal([]byte(raw), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	with := func(n needed) string {
		state, err := json.Marshal(n.Result.RequestState)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`,"inputResponses":{"note":{"action":"accept","content":{"note":"n"}}},"requestState":%s`, state)
	}
	first := ask("")
	if first.Result.ResultType != "input_required" || first.Result.InputRequests["note"].Method != "elicitation/create" {
		t.Fatalf("%+v", first)
	}
	second := ask(with(first))
	if second.Result.ResultType != "input_required" || second.Result.RequestState == first.Result.RequestState {
		t.Errorf("%+v", second)
	}
	if again := ask(with(first)); again.Error.Code != -32602 {
		t.Errorf("a state was taken twice: %+v", again)
	}
	last := ask(with(second))
	if last.Result.ResultType != "complete" || len(last.Result.Content) != 1 || last.Result.Content[0].Text != `{"action":"accept","content":{"note":"n"}}` {
		t.Errorf("%+v", last)
	}
}

func TestAsk_modernWithoutTheCapability_refused(t *testing.T) {
	t.Parallel()
	_, h := startModern(t, sandbox.MCPKnobs{Tools: sandbox.ToolKnobs{Ask: true}})
	body := strings.Replace(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{`+modernMeta+`,"name":"`+sandbox.AskTool+`"}}`, `"elicitation":{}`, "", 1)
	got, data := verdict(t, h.send(http.MethodPost, body, modernHeaders(body)...))
	if got != "400 -32021" || string(data) != `{"requiredCapabilities":{"elicitation":{"form":{}}}}` {
		t.Error(got, string(data))
	}
}

func TestAsk_legacy_requestOnTheCallsOwnStream(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Tools: sandbox.ToolKnobs{Ask: true}}}})
	h := newHost(t, sb, "A")
	resp := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+sandbox.AskTool+`"}}`)
	lines := bufio.NewReader(resp.Body)
	next := func() (m struct{ ID, Method, Result json.RawMessage }) {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				if err := json.Unmarshal([]byte(data), &m); err != nil {
					t.Fatal(err)
				}
				return m
			}
		}
	}
	question := next()
	if string(question.Method) != `"elicitation/create"` {
		t.Fatal(string(question.Method))
	}
	h.send(http.MethodPost, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"action":"decline"}}`, question.ID))
	if answer := next(); !strings.Contains(string(answer.Result), `{\"action\":\"decline\"}`) {
		t.Error(string(answer.Result))
	}
}

// RELAY H8: what a cut stream would have said is kept until it was fetched.
func TestResumable_get_bringsWhatCameAfterTheEvent(t *testing.T) {
	t.Parallel()
	k := sandbox.MCPKnobs{Answer: sandbox.AnswerRichSSE, Resumable: true}
	sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: k}})
	h := newHost(t, sb, "A")
	whole := read(t, h.send(http.MethodPost, ping))
	prime, event, _ := strings.Cut(whole, "data:\n\n")
	if prime != "id: s1.0\nretry: 500\n" || !strings.Contains(event, "id: s1.1\n") || sb.Resumable() != 1 {
		t.Fatalf("%q, %d", whole, sb.Resumable())
	}
	if diff := cmp.Diff(event, read(t, h.send(http.MethodGet, "", "Last-Event-ID", "s1.0"))); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"s1.0", "s9.0", "x"} {
		if resp := h.send(http.MethodGet, "", "Last-Event-ID", id); resp.StatusCode != http.StatusBadRequest || sb.Resumable() != 0 {
			t.Error(id, resp.Status, sb.Resumable())
		}
	}
}

func TestResumable_getWhileTheCallRuns_waitsForItsEnd(t *testing.T) {
	t.Parallel()
	k := sandbox.MCPKnobs{Answer: sandbox.AnswerRichSSE, Resumable: true, Tools: sandbox.ToolKnobs{Ask: true}}
	sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: k}})
	h := newHost(t, sb, "A")
	cut := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+sandbox.AskTool+`"}}`)
	if _, err := io.ReadFull(cut.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cut.Body.Close()
	resumed := h.send(http.MethodGet, "", "Last-Event-ID", "s1.0")
	lines := bufio.NewScanner(resumed.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), `data: "jsonrpc":"2.0","id":"ask-`); ok {
			id, _, _ := strings.Cut(rest, `"`)
			h.send(http.MethodPost, `{"jsonrpc":"2.0","id":"ask-`+id+`","result":{"action":"cancel"}}`)
		}
		if strings.Contains(lines.Text(), `{\"action\":\"cancel\"}`) {
			return
		}
	}
	t.Error("the answer did not come", lines.Err())
}
