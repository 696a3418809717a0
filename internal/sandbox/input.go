package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// AskTool asks the person for a note, or to open a page, before it answers with
// what came back. It is listed with ToolKnobs.Ask: in the legacy era it asks by an
// elicitation/create request on the call's own stream, in the modern era by an
// input_required result.
const AskTool = "ask_probe"

const (
	askKey  = "note"
	askForm = `{"mode":"form","message":"A note for this probe?","requestedSchema":{"type":"object",` +
		`"properties":{"note":{"type":"string"}},"required":["note"]}}`
)

// askParams are those of the question. Both eras take an elicitationId; only the
// legacy one demands it.
func askParams(k *ToolKnobs) []byte {
	if k.AskURL == "" {
		return []byte(askForm)
	}
	return fmt.Appendf(nil, `{"mode":"url","message":"A page for this probe","url":%s,"elicitationId":%s}`, quoted(k.AskURL), quoted(rand.Text()))
}

func askTools() []tool {
	return []tool{{
		name: AskTool, title: "Ask probe", description: "Ask for a note and answer with it.",
		schema: `{"type":"object","properties":{"about":{"type":"string"}}}`, write: true, run: runAsk,
	}}
}

// inputs is what a retried request brings along (MCP 2026-07-28, MRTR).
type inputs struct {
	Responses map[string]json.RawMessage `json:"inputResponses"`
	State     *string                    `json:"requestState"`
}

func runAsk(ctx context.Context, s *Sandbox, c *call) outcome {
	if !c.out.modern {
		return s.askOnStream(ctx, c)
	}
	if c.capabilities["elicitation"] == nil {
		return outcome{err: &rpcError{codeCapability, "Missing required client capability: elicitation"}, refused: &refusal{
			http.StatusBadRequest, codeCapability, "Missing required client capability: elicitation",
			map[string]any{"requiredCapabilities": map[string]any{"elicitation": map[string]any{"form": map[string]any{}}}},
		}}
	}
	round := 0
	if c.inputs.State != nil {
		n, ok := s.gateway.asked(*c.inputs.State, string(c.arguments))
		if !ok {
			return outcome{err: &rpcError{codeParams, "Invalid params: requestState"}}
		}
		round = n
	}
	answer := c.inputs.Responses[askKey]
	if round < max(1, c.knobs.Tools.AskRounds) || answer == nil {
		return outcome{raw: inputRequired(askParams(&c.knobs.Tools), s.gateway.ask(rand.Text(), string(c.arguments), round+1))}
	}
	return outcome{text: string(answer)}
}

func inputRequired(params []byte, state string) []byte {
	return fmt.Appendf(nil, `{"resultType":"input_required","inputRequests":{%q:{"method":"elicitation/create","params":%s}},"requestState":%s}`,
		askKey, params, quoted(state))
}

// ask remembers a state for one use; asked takes it back.
func (g *gateway) ask(state, arguments string, round int) string {
	state += " \u20b9=?\n" + strconv.Itoa(round) // to be echoed exactly, whatever is in it
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.states == nil {
		g.states = map[string]askedFor{}
	}
	g.states[state] = askedFor{arguments, round}
	return state
}

func (g *gateway) asked(state, arguments string) (round int, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, ok := g.states[state]
	delete(g.states, state)
	return a.round, ok && a.arguments == arguments
}

// askedFor is what a requestState stands for.
type askedFor struct {
	arguments string
	round     int
}

// askOnStream sends a request on the stream of the call and waits for the
// host's answer in a POST of its own.
func (s *Sandbox) askOnStream(ctx context.Context, c *call) outcome {
	if !c.out.mayStream {
		return outcome{text: "there is no stream to ask on", isError: true}
	}
	id := "ask-" + rand.Text()
	c.out.notify(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%q,"method":"elicitation/create","params":%s}`, id, askParams(&c.knobs.Tools)))
	raw, err := s.WaitForAnswer(ctx, strconv.Quote(id))
	if err != nil {
		return outcome{} // cancelled or closed
	}
	var m struct {
		Result json.RawMessage `json:"result"`
	}
	if json.Unmarshal(raw, &m) != nil || m.Result == nil {
		return outcome{text: "the host refused to ask", isError: true}
	}
	return outcome{text: string(m.Result)}
}
