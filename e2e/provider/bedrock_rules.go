package provider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The rules below span several fields of a request. Each returns what is wrong in the
// service's words, or nothing.

// bedrockEach calls visit with every content block, those within results included,
// and the number of its message.
func bedrockEach(body map[string]any, visit func(message int, block map[string]any)) {
	for i, element := range body["messages"].([]any) {
		for _, block := range element.(map[string]any)["content"].([]any) {
			block := block.(map[string]any)
			visit(i, block)
			if result, ok := block["toolResult"].(map[string]any); ok {
				for _, inner := range result["content"].([]any) {
					visit(i, inner.(map[string]any))
				}
			}
		}
	}
}

func bedrockTools(body map[string]any) string {
	used := false
	bedrockEach(body, func(_ int, block map[string]any) {
		used = used || block["toolUse"] != nil || block["toolResult"] != nil
	})
	if used && body["toolConfig"] == nil {
		return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
	}
	return ""
}

func bedrockDocuments(body map[string]any) string {
	names, said := map[string]bool{}, ""
	documents, texts := map[int]bool{}, map[int]bool{}
	bedrockEach(body, func(i int, block map[string]any) {
		if block["text"] != nil {
			texts[i] = true
		}
		document, ok := block["document"].(map[string]any)
		if !ok {
			return
		}
		documents[i] = true
		name := document["name"].(string)
		if names[name] {
			said = "Messages can't contain duplicate document names. Rename the document and retry your request."
		}
		names[name] = true
	})
	for i := range documents {
		if !texts[i] {
			said = fmt.Sprintf("The message at messages.%d includes a document, and no text. Add a text block, and try again.", i)
		}
	}
	return said
}

func bedrockCache(body map[string]any) string {
	if n := strings.Count(encode(body), `"cachePoint":`); n > 4 {
		return fmt.Sprintf("A request can have at most 4 cache points, and has %d.", n)
	}
	return ""
}

// bedrockOldClaude are the models that have no cache for an hour.
var bedrockOldClaude = regexp.MustCompile(`claude-(v2|instant|3-|opus-4-20|opus-4-1-|sonnet-4-20)`)

// bedrockHour checks the text of a request's cache markers.
func bedrockHour(model, text string) string {
	switch {
	case !strings.Contains(text, `"ttl":"1h"`):
		return ""
	case !strings.Contains(model, "anthropic."):
		return "Extended TTL prompt caching is only supported for Anthropic models"
	case bedrockOldClaude.MatchString(model):
		return "The model returned the following errors: messages.0.content.0.cache_control.ephemeral.ttl: Extra inputs are not permitted"
	}
	return ""
}

// bedrockStrict checks tools whose schema the model is to keep to.
func bedrockStrict(body map[string]any) string {
	config, _ := body["toolConfig"].(map[string]any)
	tools, _ := config["tools"].([]any)
	for i, element := range tools {
		spec, _ := element.(map[string]any)["toolSpec"].(map[string]any)
		if spec["strict"] != true {
			continue
		}
		if openObject(spec["inputSchema"].(map[string]any)["json"].(map[string]any)) {
			return fmt.Sprintf("The model returned the following errors: tools.%d.custom: For 'object' type, 'additionalProperties' must be explicitly set to false", i)
		}
	}
	return ""
}

func bedrockFormat(body map[string]any) string {
	config, _ := body["outputConfig"].(map[string]any)
	format, ok := config["textFormat"].(map[string]any)
	if !ok {
		return ""
	}
	written := format["structure"].(map[string]any)["jsonSchema"].(map[string]any)["schema"].(string)
	var schema map[string]any
	if err := json.Unmarshal([]byte(written), &schema); err != nil {
		return "The JSON schema is not valid JSON."
	}
	if openObject(schema) {
		return "outputConfig.textFormat: For 'object' type, 'additionalProperties' must be explicitly set to false"
	}
	return ""
}

// bedrockAsMessages is what Claude gets: a request of the Messages API, as far as
// rules need it.
func bedrockAsMessages(body map[string]any) map[string]any {
	made := map[string]any{"max_tokens": 64000.0}
	var messages []any
	for _, element := range body["messages"].([]any) {
		message := element.(map[string]any)
		content := []any{}
		for _, block := range message["content"].([]any) {
			if as := bedrockAsBlock(block.(map[string]any)); as != nil {
				content = append(content, as)
			}
		}
		messages = append(messages, map[string]any{"role": message["role"], "content": content})
	}
	made["messages"] = messages
	config, _ := body["inferenceConfig"].(map[string]any)
	for from, to := range map[string]string{"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"} {
		if value, ok := config[from]; ok {
			made[to] = value
		}
	}
	if tools, ok := body["toolConfig"].(map[string]any); ok {
		var all []any
		for _, element := range tools["tools"].([]any) {
			if spec, ok := element.(map[string]any)["toolSpec"].(map[string]any); ok {
				all = append(all, map[string]any{"name": spec["name"]})
			}
		}
		made["tools"] = all
		choice, _ := tools["toolChoice"].(map[string]any)
		for kind, of := range choice {
			made["tool_choice"] = map[string]any{"type": kind, "name": of.(map[string]any)["name"]}
		}
	}
	fields, _ := body["additionalModelRequestFields"].(map[string]any)
	for name, value := range fields {
		if made[name] != nil {
			made["messages"] = []any{} // said twice: no turn is right
		}
		made[name] = value
	}
	return made
}

func bedrockAsBlock(block map[string]any) map[string]any {
	for kind, value := range block {
		of, _ := value.(map[string]any)
		switch kind {
		case "text":
			return map[string]any{"type": "text", "text": value}
		case "toolUse":
			return map[string]any{"type": "tool_use", "id": of["toolUseId"], "name": of["name"], "input": of["input"]}
		case "toolResult":
			return map[string]any{"type": "tool_result", "tool_use_id": of["toolUseId"]}
		case "reasoningContent":
			if said, ok := of["reasoningText"].(map[string]any); ok {
				return map[string]any{"type": "thinking", "thinking": said["text"], "signature": said["signature"]}
			}
			return map[string]any{"type": "redacted_thinking", "data": of["redactedContent"]}
		case "cachePoint":
			return nil
		default:
			return map[string]any{"type": kind}
		}
	}
	return nil
}
