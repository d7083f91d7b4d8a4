package provider

import (
	"maps"
	"slices"
	"strings"
)

// The request of POST /model/{modelId}/converse, as the service's own model has it.

var bedrockRequest = object(fields{
	"messages": need(list(1, object(fields{"role": need(enum("user", "assistant")), "content": need(list(1, bedrockContent))}))),
	"system":   may(list(0, union(fields{"text": may(bedrockText), "cachePoint": may(bedrockCachePoint)}))),
	"inferenceConfig": may(object(fields{
		"maxTokens": may(integer(1, 1<<31-1)), "temperature": may(number(0, 1)), "topP": may(number(0, 1)),
		"stopSequences": may(list(0, matching(`.`))),
	})),
	"toolConfig": may(object(fields{
		"tools": need(list(1, union(fields{"toolSpec": may(bedrockToolSpec), "cachePoint": may(bedrockCachePoint)}))),
		"toolChoice": may(union(fields{
			"auto": may(object(fields{})), "any": may(object(fields{})), "tool": may(object(fields{"name": need(bedrockName)})),
		})),
	})),
	"outputConfig": may(object(fields{
		"effort": may(enum("low", "medium", "high", "xhigh", "max")),
		"textFormat": may(object(fields{
			"type": need(enum("json_schema")),
			"structure": need(union(fields{"jsonSchema": may(object(fields{
				"schema": need(text(0)), "name": may(text(0)), "description": may(text(0)),
			}))})),
		})),
	})),
	"serviceTier":       may(object(fields{"type": need(enum("priority", "default", "flex", "reserved"))})),
	"performanceConfig": may(object(fields{"latency": may(enum("standard", "optimized"))})),
	"guardrailConfig": may(object(fields{
		"guardrailIdentifier": may(text(0)), "guardrailVersion": may(text(0)), "trace": may(enum("enabled", "disabled", "enabled_full")),
	})),
	"additionalModelRequestFields": may(bedrockModelFields),
})

// bedrockModelFields are Claude's. The model refuses others.
var bedrockModelFields = object(fields{
	"thinking":    may(anthropicThinking),
	"top_k":       may(integer(0, 500)),
	"tool_choice": may(anthropicToolChoice),
})

// union accepts an object of which one field is set, and only one.
func union(permitted fields) check {
	return func(at path, value any) *mistake {
		if wrong := object(permitted)(at, value); wrong != nil {
			return wrong
		}
		if members := value.(map[string]any); len(members) != 1 {
			return &mistake{at, badValue, "exactly one member of the union is set", strings.Join(slices.Sorted(maps.Keys(members)), ", ")}
		}
		return nil
	}
}

var (
	bedrockName = matching(`^[a-zA-Z0-9_-]{1,64}$`)
	bedrockID   = matching(`^[a-zA-Z0-9_.:-]{1,64}$`)

	bedrockCachePoint = object(fields{"type": need(enum("default")), "ttl": may(enum("5m", "1h"))})
	bedrockSource     = union(fields{"bytes": may(base64Text), "s3Location": may(object(fields{"uri": need(matching(`^s3://`))}))})
	bedrockImage      = object(fields{"format": need(enum("png", "jpeg", "gif", "webp")), "source": need(bedrockSource)})
	bedrockVideo      = object(fields{"format": need(enum("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp")), "source": need(bedrockSource)})
	bedrockDocument   = object(fields{
		"format": may(enum("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md")),
		"name":   need(matching(`^[a-zA-Z0-9()\[\]-]+( [a-zA-Z0-9()\[\]-]+)*$`)),
		"source": need(bedrockSource),
	})
	bedrockToolSpec = object(fields{
		"name": need(bedrockName), "description": may(matching(`.`)), "strict": may(boolean),
		"inputSchema": need(union(fields{"json": may(allOf(mapOf(anything), func(at path, value any) *mistake {
			if kind := value.(map[string]any)["type"]; kind != "object" {
				return &mistake{at.to("type"), badValue, "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.", kind}
			}
			return nil
		}))})),
	})
	bedrockContent = union(fields{
		"text": may(bedrockText), "image": may(bedrockImage), "video": may(bedrockVideo), "document": may(bedrockDocument),
		"cachePoint": may(bedrockCachePoint),
		"toolUse":    may(object(fields{"toolUseId": need(bedrockID), "name": need(bedrockName), "input": need(mapOf(anything))})),
		"toolResult": may(object(fields{
			"toolUseId": need(bedrockID), "status": may(enum("success", "error")),
			"content": need(list(1, union(fields{
				"text": may(bedrockText), "json": may(mapOf(anything)), "image": may(bedrockImage), "document": may(bedrockDocument), "video": may(bedrockVideo),
			}))),
		})),
		"reasoningContent": may(union(fields{
			"reasoningText":   may(object(fields{"text": need(text(0)), "signature": may(text(0))})),
			"redactedContent": may(text(0)),
		})),
	})
)

func bedrockText(at path, value any) *mistake {
	if wrong := text(0)(at, value); wrong != nil {
		return wrong
	}
	if strings.TrimSpace(value.(string)) == "" {
		return &mistake{at, badValue, "The text field in the ContentBlock object is blank. Add text to the text field, and try again.", value}
	}
	return nil
}
