package provider

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// The rules below span several fields of a request. Each returns what is wrong
// in Anthropic's words, or nothing.

func anthropicVersioned(body map[string]any, header http.Header) string {
	if header.Get("Anthropic-Version") != version2026 {
		return ""
	}
	for _, sampling := range []string{"temperature", "top_p", "top_k"} {
		if _, given := body[sampling]; given {
			return sampling + ": Extra inputs are not permitted"
		}
	}
	return ""
}

func anthropicToolRules(body map[string]any, header http.Header) string {
	tools, _ := body["tools"].([]any)
	names := map[any]bool{}
	strict := strings.Contains(header.Get("Anthropic-Beta"), "structured-outputs-2025-11-13")
	for i, element := range tools {
		tool := element.(map[string]any)
		if names[tool["name"]] {
			return "tools: Tool names must be unique."
		}
		names[tool["name"]] = true
		if _, given := tool["strict"]; given && !strict {
			return fmt.Sprintf("tools.%d.custom.strict: Extra inputs are not permitted", i)
		}
	}
	choice, chosen := body["tool_choice"].(map[string]any)
	switch {
	case chosen && len(tools) == 0:
		return "tool_choice: may only be specified while providing tools"
	case choice["type"] == "tool" && !names[choice["name"]]:
		return fmt.Sprintf("Tool '%v' not found in provided tools", choice["name"])
	case len(tools) == 0 && usesTools(body):
		return "Requests which have `tool_use` or `tool_result` blocks in `messages` must define tools."
	}
	return ""
}

func usesTools(body map[string]any) bool {
	for _, turn := range anthropicBlocks(body) {
		for _, block := range turn.blocks {
			if block["type"] == "tool_use" || block["type"] == "tool_result" {
				return true
			}
		}
	}
	return false
}

func anthropicThinkingRules(body map[string]any, _ http.Header) string {
	thinking, _ := body["thinking"].(map[string]any)
	if thinking["type"] != "enabled" && thinking["type"] != "adaptive" {
		return ""
	}
	if budget, ok := thinking["budget_tokens"].(float64); ok && budget >= body["max_tokens"].(float64) {
		return "`max_tokens` must be greater than `thinking.budget_tokens`."
	}
	if temperature, given := body["temperature"]; given && temperature != 1.0 {
		return "`temperature` may only be set to 1 when thinking is enabled."
	}
	if topP, given := body["top_p"].(float64); given && topP < 0.95 {
		return "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
	}
	if _, given := body["top_k"]; given {
		return "`top_k` must be unset when thinking is enabled."
	}
	choice, _ := body["tool_choice"].(map[string]any)
	if choice["type"] == "any" || choice["type"] == "tool" {
		return "Thinking may not be enabled when tool_choice forces tool use."
	}
	return thoughtBeforeToolUse(body)
}

// thoughtBeforeToolUse holds a conversation that stops for tools to the thinking
// that led to them.
func thoughtBeforeToolUse(body map[string]any) string {
	turns := anthropicBlocks(body)
	last := turns[len(turns)-1]
	if last.role == "assistant" {
		return "Prefilling the assistant's turn is not supported when thinking is enabled."
	}
	if len(turns) < 2 || last.blocks[0]["type"] != "tool_result" {
		return ""
	}
	first := turns[len(turns)-2].blocks[0]["type"]
	if first != "thinking" && first != "redacted_thinking" {
		return fmt.Sprintf("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%v`. "+
			"When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
			len(turns)-2, first)
	}
	return ""
}

func anthropicFormatRules(body map[string]any, _ http.Header) string {
	config, _ := body["output_config"].(map[string]any)
	format, _ := config["format"].(map[string]any)
	schema, _ := format["schema"].(map[string]any)
	if openObject(schema) {
		return "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
	}
	if keyword := unsupportedKeyword(schema); keyword != "" {
		return fmt.Sprintf("output_config.format.schema: For '%v' type, property '%s' is not supported", schema["type"], keyword)
	}
	return ""
}

// anthropicUnsupported are keywords that structured outputs refuse.
var anthropicUnsupported = []string{
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
	"maxItems", "uniqueItems", "contains", "prefixItems", "minProperties", "maxProperties", "patternProperties", "propertyNames",
	"not", "if", "then", "else",
}

// unsupportedKeyword is one that a JSON Schema has and structured outputs refuse, or "".
func unsupportedKeyword(schema map[string]any) string {
	for _, keyword := range anthropicUnsupported {
		if _, has := schema[keyword]; has {
			return keyword
		}
	}
	if least, ok := schema["minItems"].(float64); ok && least > 1 {
		return "minItems"
	}
	var within []any
	for _, holder := range []string{"properties", "$defs"} {
		named, _ := schema[holder].(map[string]any)
		within = slices.AppendSeq(within, maps.Values(named))
	}
	for _, holder := range []string{"anyOf", "allOf"} {
		listed, _ := schema[holder].([]any)
		within = append(within, listed...)
	}
	for _, one := range append(within, schema["items"]) {
		nested, ok := one.(map[string]any)
		if !ok {
			continue
		}
		if keyword := unsupportedKeyword(nested); keyword != "" {
			return keyword
		}
	}
	return ""
}

// openObject reports whether a JSON Schema has an object that admits more
// properties than it names.
func openObject(schema map[string]any) bool {
	if schema["type"] == "object" && schema["additionalProperties"] != false {
		return true
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, property := range properties {
		if nested, ok := property.(map[string]any); ok && openObject(nested) {
			return true
		}
	}
	items, _ := schema["items"].(map[string]any)
	return items != nil && openObject(items)
}

// mostBreakpoints is how many prompt cache breakpoints a request may set.
const mostBreakpoints = 4

func anthropicCacheRules(body map[string]any, _ http.Header) string {
	if n := breakpoints(body); n > mostBreakpoints {
		return fmt.Sprintf("A maximum of %d blocks with cache_control may be provided. Found %d.", mostBreakpoints, n)
	}
	return ""
}

// breakpoints counts the cache_control keys anywhere but in what callers define.
func breakpoints(value any) int {
	count := 0
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			count += breakpoints(element)
		}
	case map[string]any:
		for name, member := range value {
			switch {
			case name == "cache_control" && member != nil:
				count++
			case name != "input" && name != "input_schema":
				count += breakpoints(member)
			}
		}
	}
	return count
}
