package provider

import (
	"cmp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

const anthropicMessageID = "msg_01XFDUDYJgAACzvnptvVoYEL"

func (anthropic) whole(req request, a Answer) []byte {
	a = a.complete()
	content := []any{}
	for _, block := range anthropicContent(a) {
		whole := block.start
		switch block.delta {
		case "thinking_delta":
			whole = map[string]any{"type": "thinking", "thinking": a.Reasoning, "signature": Signature(a.Reasoning)}
		case "text_delta":
			whole = map[string]any{"type": "text", "text": cmp.Or(a.Text, a.Refusal)}
		case "input_json_delta":
			whole["input"] = jsontext.Value(block.arguments)
		}
		content = append(content, whole)
	}
	message := anthropicEnvelope(req, a)
	message["content"] = content
	message["stop_reason"] = anthropicStopReason(a)
	if a.UsageIn != UsageNowhere {
		message["usage"] = anthropicUsage(a, a.Usage.Output)
	}
	return []byte(encode(message))
}

func (anthropic) events(req request, a Answer) []event {
	a = a.complete()
	var events []event
	emit := func(name string, piece bool, fields map[string]any) {
		fields["type"] = name
		events = append(events, event{name: name, data: encode(fields), piece: piece})
	}
	message := anthropicEnvelope(req, a)
	if a.UsageIn != UsageNowhere {
		message["usage"] = anthropicUsage(a, 1)
	}
	emit("message_start", false, map[string]any{"message": message})
	emit("ping", false, map[string]any{})
	for i, block := range anthropicContent(a) {
		emit("content_block_start", false, map[string]any{"index": i, "content_block": block.start})
		for _, piece := range block.pieces {
			emit("content_block_delta", true, map[string]any{
				"index": i, "delta": map[string]any{"type": block.delta, block.key: piece},
			})
		}
		if block.delta == "thinking_delta" {
			emit("content_block_delta", false, map[string]any{
				"index": i,
				"delta": map[string]any{"type": "signature_delta", "signature": Signature(a.Reasoning)},
			})
		}
		emit("content_block_stop", false, map[string]any{"index": i})
	}
	end := map[string]any{"delta": map[string]any{"stop_reason": anthropicStopReason(a), "stop_sequence": nil}}
	if a.UsageIn != UsageNowhere {
		end["usage"] = map[string]any{"output_tokens": a.Usage.Output}
	}
	emit("message_delta", false, end)
	emit("message_stop", false, map[string]any{})
	return events
}

// anthropicBlock is one content block, as it starts and as it goes on.
type anthropicBlock struct {
	start     map[string]any
	delta     string // the type of its deltas, empty for a block without
	key       string // the delta's key for a piece
	pieces    []string
	arguments string // of a tool_use block, whole
}

func anthropicContent(a Answer) []anthropicBlock {
	var blocks []anthropicBlock
	if a.Reasoning != "" {
		blocks = append(blocks, anthropicBlock{
			start: map[string]any{"type": "thinking", "thinking": "", "signature": ""},
			delta: "thinking_delta", key: "thinking", pieces: pieces(a.Reasoning),
		})
	}
	if a.RedactedThinking != "" {
		blocks = append(blocks, anthropicBlock{
			start: map[string]any{"type": "redacted_thinking", "data": redactedPrefix + a.RedactedThinking},
		})
	}
	if said := slices.Concat(a.Pieces, pieces(a.Refusal)); len(said) > 0 {
		blocks = append(blocks, anthropicBlock{
			start: map[string]any{"type": "text", "text": ""},
			delta: "text_delta", key: "text", pieces: said,
		})
	}
	for _, call := range a.ToolCalls {
		blocks = append(blocks, anthropicBlock{
			start: map[string]any{
				"type": "tool_use", "id": call.ID, "name": call.Name, "input": map[string]any{},
			},
			delta: "input_json_delta", key: "partial_json",
			pieces: append([]string{""}, fragments(call.Arguments)...), arguments: call.Arguments,
		})
	}
	return blocks
}

func anthropicEnvelope(req request, a Answer) map[string]any {
	return map[string]any{
		"id": anthropicMessageID, "type": "message", "role": "assistant",
		"model": cmp.Or(a.Model, req.model), "content": []any{},
		"stop_reason": nil, "stop_sequence": nil,
	}
}

func anthropicStopReason(a Answer) string {
	switch {
	case a.Finish != "":
		return a.Finish
	case a.Refusal != "":
		return "refusal"
	case len(a.ToolCalls) > 0:
		return "tool_use"
	default:
		return "end_turn"
	}
}

func anthropicUsage(a Answer, output int) map[string]any {
	u := a.Usage
	return map[string]any{
		"input_tokens":                u.Input - u.CacheRead - u.CacheWrite - u.CacheWriteHour,
		"cache_read_input_tokens":     u.CacheRead,
		"cache_creation_input_tokens": u.CacheWrite + u.CacheWriteHour,
		"cache_creation": map[string]any{
			"ephemeral_5m_input_tokens": u.CacheWrite,
			"ephemeral_1h_input_tokens": u.CacheWriteHour,
		},
		"output_tokens": output,
		"service_tier":  cmp.Or(a.ServiceTier, "standard"),
	}
}
