package anthropic

import (
	"math"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// mostTokens keeps sums of token counts within an int64.
const mostTokens = 1 << 40

// parameterName is the catalog's name of a parameter (spec section 7), or "" for a
// field that is none. Those within objects are noted where they are read.
func parameterName(field string) string {
	switch field {
	case "max_tokens", "temperature", "top_p", "top_k":
		return field
	case "stop_sequences":
		return "stop"
	}
	return ""
}

func checkParameter(field string, value []byte) error {
	if field == "stop_sequences" {
		return dialect.EachText(field, value)
	}
	number, ok := rawjson.Float(value)
	if !ok {
		return dialect.Invalid("'%s' must be a number.", field)
	}
	least, most, whole := 0.0, 1.0, false
	switch field {
	case "temperature":
		most = 2 // the API's own bound is 1, but other models go further
	case "top_k":
		most, whole = mostTokens, true
	case "max_tokens":
		least, most, whole = 1, mostTokens, true
	}
	switch {
	case whole && number != math.Trunc(number):
		return dialect.Invalid("'%s' must be a whole number.", field)
	case number < least || number > most:
		return dialect.OutOfRange(field, number, least, most, mostTokens)
	}
	return nil
}

// readFallbacks reads the dialect's own form of `models` (row 141): what comes after
// the model, so that policy reads the model and its fallbacks as it does of a chat.
func (p *parser) readFallbacks(value []byte) error {
	if rawjson.Kind(value) != '[' {
		return dialect.Invalid("'fallbacks' must be an array of objects.")
	}
	p.fallbacks = true
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if i == mostFallbacks {
			return dialect.Invalid("'fallbacks' must have %d items or fewer.", mostFallbacks)
		}
		if rawjson.Kind(c.Value) != '{' {
			return dialect.Invalid("'fallbacks.%d' must be an object.", i)
		}
		var model string
		for member := rawjson.Walk(c.Value); member.Next(); {
			if string(member.Name) != "model" {
				return dialect.Invalid("'fallbacks.%d.%s' is not allowed; give \"model\" alone.", i, member.Name)
			}
			if err := dialect.ReadText(&model, "fallbacks.model", member.Value); err != nil {
				return err
			}
		}
		if model == "" {
			return dialect.Invalid("'fallbacks.%d.model' is missing.", i)
		}
		p.fallbackModels = append(p.fallbackModels, model)
	}
	return nil
}

func (p *parser) tools(value []byte) error {
	if rawjson.Kind(value) != '[' {
		return dialect.Invalid("'tools' must be an array.")
	}
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if rawjson.Kind(c.Value) != '{' {
			return dialect.Invalid("'tools.%d' must be an object.", i)
		}
		if i == 0 {
			p.request.ToolName = rawjson.Text(rawjson.Get(c.Value, "name"))
			p.request.Tools = true
			p.parameter("tools")
		}
		p.request.HoldTool(c.Value)
		p.request.PromptBytes += int64(len(c.Value))
	}
	return nil
}

func (p *parser) toolChoice(value []byte) error {
	if rawjson.Kind(value) != '{' {
		return dialect.Invalid("'tool_choice' must be an object.")
	}
	p.parameter("tool_choice")
	if rawjson.True(rawjson.Get(value, "disable_parallel_tool_use")) {
		p.parameter("parallel_tool_calls")
	}
	switch rawjson.Text(rawjson.Get(value, "type")) {
	case "auto":
		p.request.ToolChoice = "auto"
	case "any":
		p.request.ToolChoice = "required"
	case "none":
		p.request.ToolChoice = "none"
	case "tool":
		p.request.ToolChoice = "function"
	default:
		return dialect.Invalid("'tool_choice.type' must be one of auto, any, none and tool.")
	}
	return nil
}

func (p *parser) thinking(value []byte) error {
	switch rawjson.Text(rawjson.Get(value, "type")) {
	case "disabled":
		return nil
	case "adaptive":
	case "enabled":
		if n, ok := rawjson.Int(rawjson.Get(value, "budget_tokens")); !ok || n < 0 {
			return dialect.Invalid("'thinking.budget_tokens' must be a whole number of tokens.")
		}
	default:
		return dialect.Invalid("'thinking.type' must be one of enabled, adaptive and disabled.")
	}
	p.parameter("reasoning")
	return nil
}

func (p *parser) outputConfig(value []byte) error {
	if rawjson.Kind(value) != '{' {
		return dialect.Invalid("'output_config' must be an object.")
	}
	if effort := rawjson.Get(value, "effort"); rawjson.Present(effort) {
		switch rawjson.Text(effort) {
		case "max", "xhigh", "high", "medium", "low":
		default:
			return dialect.Invalid("'output_config.effort' must be one of max, xhigh, high, medium and low.")
		}
		p.parameter("verbosity")
	}
	if format := rawjson.Get(value, "format"); rawjson.Present(format) {
		if rawjson.Text(rawjson.Get(format, "type")) != "json_schema" || rawjson.Kind(rawjson.Get(format, "schema")) != '{' {
			return dialect.Invalid("'output_config.format' must be of type json_schema, with a schema.")
		}
		p.request.ResponseFormat = "json_schema"
		p.parameter("response_format")
	}
	return nil
}

// serviceTier puts a tier into the terms of the API (spec section 3.7).
func (p *parser) serviceTier(value []byte) error {
	if err := dialect.ReadText(&p.request.ServiceTier, "service_tier", value); err != nil {
		return err
	}
	p.request.ServiceTier = tierOf(p.request.ServiceTier)
	return nil
}

func tierOf(tier string) string {
	if tier == "standard_only" || tier == "standard" {
		return "default"
	}
	return tier
}
