package provider

import (
	"encoding/base64"
	"strings"
)

// The request of POST /messages as Anthropic's own API accepts it.

var anthropicRequest = object(fields{
	"model":          need(text(0)),
	"messages":       need(list(1, anthropicMessage)),
	"max_tokens":     need(integer(1, mostTokens)),
	"system":         may(either(text(0), list(0, anthropicTextBlock))),
	"metadata":       may(object(fields{"user_id": may(nullable(text(256)))})),
	"stop_sequences": may(list(0, anthropicStop)),
	"stream":         may(boolean),
	"temperature":    may(number(0, 1)),
	"top_p":          may(number(0, 1)),
	"top_k":          may(integer(0, mostTokens)),
	"tools":          may(list(0, anthropicTool)),
	"tool_choice":    may(anthropicToolChoice),
	"thinking":       may(anthropicThinking),
	"service_tier":   may(enum("auto", "standard_only")),
	"cache_control":  may(nullable(anthropicCache)),
	"output_config": may(object(fields{
		"effort": may(nullable(enum("low", "medium", "high", "xhigh", "max"))),
		"format": may(nullable(object(fields{
			"type":   need(enum("json_schema")),
			"schema": need(mapOf(anything)),
		}))),
	})),
})

// A system role is refused like any other unknown one.
var anthropicMessage = tagged("role", map[string]check{
	"user": object(fields{
		"role":    need(anything),
		"content": need(either(filledText, list(1, anthropicUserBlock))),
	}),
	"assistant": object(fields{
		"role":    need(anything),
		"content": need(either(filledText, list(1, anthropicAssistantBlock))),
	}),
})

var anthropicCache = object(fields{
	"type": need(enum("ephemeral")),
	"ttl":  may(enum("5m", "1h")),
})

// cached adds what most blocks share.
func cached(f fields) fields {
	return f.with(fields{"type": need(anything), "cache_control": may(nullable(anthropicCache))})
}

func filledText(at path, value any) *mistake {
	if wrong := text(0)(at, value); wrong != nil {
		return wrong
	}
	if strings.TrimSpace(value.(string)) == "" {
		return &mistake{at, badValue, "text content blocks must be non-empty and contain non-whitespace text", value}
	}
	return nil
}

var anthropicStop = allOf(text(0), func(at path, value any) *mistake {
	if strings.TrimSpace(value.(string)) == "" {
		return &mistake{at, badValue, "each stop sequence must contain non-whitespace", value}
	}
	return nil
})

var anthropicText = object(cached(fields{
	"text":      need(filledText),
	"citations": may(nullable(anything)),
}))

var anthropicTextBlock = tagged("type", map[string]check{"text": anthropicText})

var anthropicImage = object(cached(fields{"source": need(tagged("type", map[string]check{
	"base64": object(fields{
		"type":       need(anything),
		"media_type": need(enum("image/jpeg", "image/png", "image/gif", "image/webp")),
		"data":       need(base64Text),
	}),
	"url":  object(fields{"type": need(anything), "url": need(matching(`^https?://`))}),
	"file": object(fields{"type": need(anything), "file_id": need(text(0))}),
}))}))

var anthropicDocument = object(cached(fields{
	"title":     may(nullable(text(0))),
	"context":   may(nullable(text(0))),
	"citations": may(nullable(object(fields{"enabled": may(boolean)}))),
	"source": need(tagged("type", map[string]check{
		"base64": object(fields{
			"type":       need(anything),
			"media_type": need(enum("application/pdf")),
			"data":       need(base64Text),
		}),
		"text": object(fields{
			"type":       need(anything),
			"media_type": need(enum("text/plain")),
			"data":       need(text(0)),
		}),
		"url":     object(fields{"type": need(anything), "url": need(matching(`^https?://`))}),
		"content": object(fields{"type": need(anything), "content": need(anything)}),
		"file":    object(fields{"type": need(anything), "file_id": need(text(0))}),
	})),
}))

func base64Text(at path, value any) *mistake {
	data, _ := value.(string)
	if _, err := base64.StdEncoding.DecodeString(data); err != nil || data == "" {
		return &mistake{at, badValue, "valid base64 data", "(data)"}
	}
	return nil
}

var anthropicID = matching(`^[a-zA-Z0-9_-]+$`)

var anthropicToolResult = object(cached(fields{
	"tool_use_id": need(anthropicID),
	"is_error":    may(boolean),
	"content": may(either(text(0), list(0, tagged("type", map[string]check{
		"text":     anthropicText,
		"image":    anthropicImage,
		"document": anthropicDocument,
	})))),
}))

var anthropicUserBlock = tagged("type", map[string]check{
	"text":        anthropicText,
	"image":       anthropicImage,
	"document":    anthropicDocument,
	"tool_result": anthropicToolResult,
})

var anthropicAssistantBlock = tagged("type", map[string]check{
	"text": anthropicText,
	"thinking": object(fields{
		"type":      need(anything),
		"thinking":  need(text(0)),
		"signature": need(text(0)),
	}),
	"redacted_thinking": object(fields{"type": need(anything), "data": need(text(0))}),
	"tool_use": object(cached(fields{
		"id":    need(anthropicID),
		"name":  need(anthropicToolName),
		"input": need(mapOf(anything)),
	})),
})

var anthropicToolName = matching(`^[a-zA-Z0-9_-]{1,128}$`)

var anthropicCustomTool = object(fields{
	"type":                  may(nullable(enum("custom"))),
	"name":                  need(anthropicToolName),
	"description":           may(text(0)),
	"cache_control":         may(nullable(anthropicCache)),
	"eager_input_streaming": may(nullable(boolean)),
	"strict":                may(boolean),
	"input_schema": need(allOf(mapOf(anything), func(at path, value any) *mistake {
		if kind := value.(map[string]any)["type"]; kind != "object" {
			return &mistake{at.to("type"), badValue, "'object'", kind}
		}
		return nil
	})),
})

// anthropicTool leaves the vendor's own tools, which have a dated type, open.
func anthropicTool(at path, value any) *mistake {
	if tool, ok := value.(map[string]any); ok {
		if kind, ok := tool["type"].(string); ok && strings.Contains(kind, "_20") {
			return nil
		}
	}
	return anthropicCustomTool(at, value)
}

var anthropicToolChoice = tagged("type", map[string]check{
	"auto": object(anthropicParallel),
	"any":  object(anthropicParallel),
	"none": object(fields{"type": need(anything)}),
	"tool": object(anthropicParallel.with(fields{"name": need(text(0))})),
})

var anthropicParallel = fields{"type": need(anything), "disable_parallel_tool_use": may(boolean)}

var anthropicThinking = tagged("type", map[string]check{
	"enabled": object(fields{
		"type":          need(anything),
		"budget_tokens": need(integer(1024, mostTokens)),
		"display":       may(nullable(enum("summarized", "omitted"))),
	}),
	"adaptive": object(fields{
		"type":    need(anything),
		"display": may(nullable(enum("summarized", "omitted"))),
	}),
	"disabled": object(fields{"type": need(anything)}),
})
