package hosts

import (
	"encoding/json"
	"fmt"
	"io"
)

// anthropic is the Messages API.
func anthropic() dialect {
	return dialect{
		read: func(body []byte) question {
			var b struct {
				Stream   bool
				Tools    []struct{ Name string }
				Messages []struct{ Content json.RawMessage }
			}
			_ = json.Unmarshal(body, &b)
			q := question{stream: b.Stream}
			for _, t := range b.Tools {
				q.offered = append(q.offered, t.Name)
			}
			for _, m := range b.Messages {
				var blocks []struct {
					Type    string
					Content any
				}
				_ = json.Unmarshal(m.Content, &blocks) // a text is no list
				for _, block := range blocks {
					if block.Type == "tool_result" {
						q.results = append(q.results, text(block.Content))
					}
				}
			}
			return q
		},
		write: func(w io.Writer, q question, r reply) {
			block, delta, reason := object{"type": "text", "text": ""}, object{"type": "text_delta", "text": r.text}, "end_turn"
			whole := object{"type": "text", "text": r.text}
			if r.tool != "" {
				args, _ := json.Marshal(r.args)
				block = object{"type": "tool_use", "id": fmt.Sprintf("toolu_%d", r.n), "name": r.tool, "input": object{}}
				delta, reason = object{"type": "input_json_delta", "partial_json": string(args)}, "tool_use"
				whole = object{"type": "tool_use", "id": block["id"], "name": r.tool, "input": r.args}
			}
			usage := object{"input_tokens": 7, "output_tokens": 7}
			message := object{"id": fmt.Sprintf("msg_%d", r.n), "type": "message", "role": "assistant", "model": "stub", "content": []any{}, "stop_reason": nil, "usage": usage}
			if !q.stream {
				message["content"], message["stop_reason"] = []any{whole}, reason
				_ = json.NewEncoder(w).Encode(message)
				return
			}
			event(w, "message_start", object{"type": "message_start", "message": message})
			event(w, "content_block_start", object{"type": "content_block_start", "index": 0, "content_block": block})
			event(w, "content_block_delta", object{"type": "content_block_delta", "index": 0, "delta": delta})
			event(w, "content_block_stop", object{"type": "content_block_stop", "index": 0})
			event(w, "message_delta", object{"type": "message_delta", "delta": object{"stop_reason": reason}, "usage": usage})
			event(w, "message_stop", object{"type": "message_stop"})
		},
	}
}

// responses is OpenAI's Responses API, which Codex speaks.
func responses() dialect {
	type tool struct {
		Type, Name string
		Tools      []struct{ Name string }
	}
	return dialect{
		read: func(body []byte) question {
			var b struct {
				Stream bool
				Tools  []tool
				Input  []struct {
					Type   string
					Output any
				}
			}
			_ = json.Unmarshal(body, &b)
			q := question{stream: b.Stream}
			for _, t := range b.Tools {
				if len(t.Tools) == 0 {
					q.offered = append(q.offered, t.Name)
				}
				for _, inner := range t.Tools {
					q.offered = append(q.offered, t.Name+"."+inner.Name)
				}
			}
			for _, item := range b.Input {
				if item.Type == "function_call_output" {
					q.results = append(q.results, text(item.Output))
				}
			}
			return q
		},
		write: func(w io.Writer, _ question, r reply) {
			item := object{"type": "message", "role": "assistant", "id": fmt.Sprintf("msg_%d", r.n), "content": []any{object{"type": "output_text", "text": r.text}}}
			if r.tool != "" {
				args, _ := json.Marshal(r.args)
				item = object{"type": "function_call", "id": fmt.Sprintf("fc_%d", r.n), "call_id": fmt.Sprintf("call_%d", r.n), "name": r.tool, "arguments": string(args)}
				if r.namespace != "" {
					item["namespace"] = r.namespace
				}
			}
			usage := object{"input_tokens": 7, "output_tokens": 7, "total_tokens": 14}
			event(w, "response.created", object{"type": "response.created", "response": object{"id": "resp"}})
			event(w, "response.output_item.done", object{"type": "response.output_item.done", "output_index": 0, "item": item})
			event(w, "response.completed", object{"type": "response.completed", "response": object{"id": "resp", "usage": usage}})
		},
	}
}

// completions is OpenAI's Chat Completions API, which opencode speaks to others.
func completions() dialect {
	return dialect{
		read: func(body []byte) question {
			var b struct {
				Stream bool
				Tools  []struct {
					Function struct{ Name string }
				}
				Messages []struct {
					Role    string
					Content any
				}
			}
			_ = json.Unmarshal(body, &b)
			q := question{stream: b.Stream}
			for _, t := range b.Tools {
				q.offered = append(q.offered, t.Function.Name)
			}
			for _, m := range b.Messages {
				if m.Role == "tool" {
					q.results = append(q.results, text(m.Content))
				}
			}
			return q
		},
		write: func(w io.Writer, q question, r reply) {
			said, reason := object{"role": "assistant", "content": r.text}, "stop"
			if r.tool != "" {
				args, _ := json.Marshal(r.args)
				said["tool_calls"], reason = []any{object{
					"index": 0, "id": fmt.Sprintf("call_%d", r.n), "type": "function",
					"function": object{"name": r.tool, "arguments": string(args)},
				}}, "tool_calls"
			}
			part := func(what string, choice object) object {
				return object{
					"id": "c", "object": what, "created": 1, "model": "stub", "choices": []any{choice},
					"usage": object{"prompt_tokens": 7, "completion_tokens": 7, "total_tokens": 14},
				}
			}
			if !q.stream {
				_ = json.NewEncoder(w).Encode(part("chat.completion", object{"index": 0, "message": said, "finish_reason": reason}))
				return
			}
			event(w, "", part("chat.completion.chunk", object{"index": 0, "delta": said, "finish_reason": nil}))
			event(w, "", part("chat.completion.chunk", object{"index": 0, "delta": object{}, "finish_reason": reason}))
			_, _ = io.WriteString(w, "data: [DONE]\n\n")
		},
	}
}

// gemini is Google's generateContent and its stream.
func gemini() dialect {
	return dialect{
		read: func(body []byte) question {
			var b struct {
				Tools []struct {
					FunctionDeclarations []struct{ Name string }
				}
				Contents []struct {
					Parts []struct {
						FunctionResponse struct{ Response any }
					}
				}
			}
			_ = json.Unmarshal(body, &b)
			var q question
			for _, t := range b.Tools {
				for _, f := range t.FunctionDeclarations {
					q.offered = append(q.offered, f.Name)
				}
			}
			for _, c := range b.Contents {
				for _, p := range c.Parts {
					if p.FunctionResponse.Response != nil {
						q.results = append(q.results, text(p.FunctionResponse.Response))
					}
				}
			}
			return q
		},
		write: func(w io.Writer, q question, r reply) {
			part := object{"text": r.text}
			if r.tool != "" {
				part = object{"functionCall": object{"id": fmt.Sprintf("call_%d", r.n), "name": r.tool, "args": r.args}}
			}
			answer := object{
				"candidates":    []any{object{"index": 0, "content": object{"role": "model", "parts": []any{part}}, "finishReason": "STOP"}},
				"usageMetadata": object{"promptTokenCount": 7, "candidatesTokenCount": 7, "totalTokenCount": 14},
			}
			if q.stream {
				event(w, "", answer)
				return
			}
			_ = json.NewEncoder(w).Encode(answer)
		},
	}
}
