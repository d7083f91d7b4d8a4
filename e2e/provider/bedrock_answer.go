package provider

import (
	"cmp"

	"github.com/go-json-experiment/json/jsontext"
)

func (bedrock) whole(_ request, a Answer) []byte {
	a = a.complete()
	content := []any{}
	for _, block := range anthropicContent(a) {
		content = append(content, bedrockWhole(block, a))
	}
	body := map[string]any{
		"output":     map[string]any{"message": map[string]any{"role": "assistant", "content": content}},
		"stopReason": bedrockStop(a),
		"metrics":    map[string]any{"latencyMs": 812},
	}
	bedrockCount(body, a)
	return []byte(encode(body))
}

// bedrockWhole is a block of the Messages API in Converse's words.
func bedrockWhole(block anthropicBlock, a Answer) map[string]any {
	switch block.start["type"] {
	case "thinking":
		return reasoning(map[string]any{"reasoningText": map[string]any{"text": a.Reasoning, "signature": Signature(a.Reasoning)}})
	case "redacted_thinking":
		return reasoning(map[string]any{"redactedContent": block.start["data"]})
	case "tool_use":
		return map[string]any{"toolUse": map[string]any{
			"toolUseId": block.start["id"], "name": block.start["name"], "input": jsontext.Value(block.arguments),
		}}
	}
	return map[string]any{"text": cmp.Or(a.Text, a.Refusal)}
}

func reasoning(content map[string]any) map[string]any {
	return map[string]any{"reasoningContent": content}
}

func (bedrock) events(_ request, a Answer) []event {
	a = a.complete()
	var events []event
	emit := func(name string, piece bool, fields map[string]any) {
		fields["p"] = "abcdefghijklm" // padding, against those who listen to lengths
		events = append(events, event{name: name, data: encode(fields), piece: piece})
	}
	emit("messageStart", false, map[string]any{"role": "assistant"})
	for i, block := range anthropicContent(a) {
		delta := func(piece bool, said map[string]any) {
			emit("contentBlockDelta", piece, map[string]any{"contentBlockIndex": i, "delta": said})
		}
		switch block.start["type"] {
		case "tool_use":
			emit("contentBlockStart", false, map[string]any{"contentBlockIndex": i, "start": map[string]any{
				"toolUse": map[string]any{"toolUseId": block.start["id"], "name": block.start["name"]},
			}})
			for _, piece := range block.pieces {
				delta(true, map[string]any{"toolUse": map[string]any{"input": piece}})
			}
		case "thinking":
			for _, piece := range block.pieces {
				delta(true, reasoning(map[string]any{"text": piece}))
			}
			delta(false, reasoning(map[string]any{"signature": Signature(a.Reasoning)}))
		case "redacted_thinking":
			delta(true, reasoning(map[string]any{"redactedContent": block.start["data"]}))
		default:
			for _, piece := range block.pieces {
				delta(true, map[string]any{"text": piece})
			}
		}
		emit("contentBlockStop", false, map[string]any{"contentBlockIndex": i})
	}
	emit("messageStop", false, map[string]any{"stopReason": bedrockStop(a)})
	end := map[string]any{"metrics": map[string]any{"latencyMs": 812}}
	bedrockCount(end, a)
	emit("metadata", false, end)
	return events
}

func bedrockStop(a Answer) string {
	if a.Refusal != "" {
		return cmp.Or(a.Finish, "content_filtered")
	}
	return anthropicStopReason(a)
}

func bedrockCount(body map[string]any, a Answer) {
	u := a.Usage
	if a.UsageIn != UsageNowhere {
		body["usage"] = map[string]any{
			"inputTokens": u.Input - u.CacheRead - u.CacheWrite - u.CacheWriteHour, "outputTokens": u.Output, "totalTokens": u.Input + u.Output,
			"cacheReadInputTokens": u.CacheRead, "cacheWriteInputTokens": u.CacheWrite + u.CacheWriteHour,
			"cacheDetails": []any{map[string]any{"ttl": "1h", "inputTokens": u.CacheWriteHour}},
		}
	}
	if a.ServiceTier != "" {
		body["serviceTier"] = map[string]any{"type": a.ServiceTier}
	}
}
