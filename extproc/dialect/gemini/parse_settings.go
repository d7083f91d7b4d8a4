package gemini

import (
	"math"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// parameterName is the catalog's name (spec section 7) of a field of generationConfig,
// or "" for one that is no parameter there.
func parameterName(field string) string {
	switch field {
	case "temperature", "seed":
		return field
	case "topP":
		return "top_p"
	case "topK":
		return "top_k"
	case "maxOutputTokens":
		return "max_tokens"
	case "stopSequences":
		return "stop"
	case "presencePenalty":
		return "presence_penalty"
	case "frequencyPenalty":
		return "frequency_penalty"
	case "responseLogprobs":
		return "logprobs"
	case "logprobs":
		return "top_logprobs"
	case "thinkingConfig":
		return "reasoning"
	case "responseSchema", "responseJsonSchema", "_responseJsonSchema":
		return "response_format"
	}
	return ""
}

func (p *parser) generationConfig(value []byte) error {
	if rawjson.Kind(value) != '{' {
		return dialect.Invalid("'generationConfig' must be an object.")
	}
	given := fields{}
	for c := rawjson.Walk(value); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		field := camel(c.Name)
		if err := given.once("generationConfig.", field); err != nil {
			return err
		}
		if err := p.setting(field, c.Value); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) setting(field string, value []byte) error {
	name := "generationConfig." + field
	if parameter := parameterName(field); parameter != "" && !empty(value) {
		p.parameter(parameter)
	}
	switch field {
	case "temperature":
		return number(name, value, 0, 2, false)
	case "topP":
		return number(name, value, 0, 1, false)
	case "presencePenalty", "frequencyPenalty":
		return number(name, value, -2, 2, false)
	case "topK":
		return number(name, value, 0, math.MaxInt32, true)
	case "seed":
		return number(name, value, math.MinInt32, math.MaxInt32, true)
	case "candidateCount":
		p.request.Choices, _ = rawjson.Int(value)
		return number(name, value, 1, mostCandidates, true)
	case "logprobs":
		return number(name, value, 0, 20, true)
	case "maxOutputTokens":
		if err := number(name, value, 1, math.MaxInt32, true); err != nil {
			return err
		}
		p.request.MaxTokens, _ = rawjson.Int(value)
	case "responseLogprobs":
		var wanted bool
		return dialect.ReadBoolean(&wanted, name, value)
	case "stopSequences":
		return dialect.EachText(name, value)
	case "responseMimeType":
		var kind string
		if err := dialect.ReadText(&kind, name, value); err != nil {
			return err
		}
		if kind == "application/json" {
			p.parameter("response_format")
			if p.request.ResponseFormat == "" {
				p.request.ResponseFormat = "json_object"
			}
		}
	case "responseSchema", "responseJsonSchema", "_responseJsonSchema":
		if rawjson.Kind(value) != '{' {
			return dialect.Invalid("'%s' must be an object.", name)
		}
		p.request.ResponseFormat = "json_schema"
	case "thinkingConfig":
		return p.thinking(value)
	}
	return nil
}

func (p *parser) thinking(value []byte) error {
	const name = "generationConfig.thinkingConfig"
	if rawjson.Kind(value) != '{' {
		return dialect.Invalid("'%s' must be an object.", name)
	}
	given := fields{}
	for c := rawjson.Walk(value); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		if err := given.once(name+".", camel(c.Name)); err != nil {
			return err
		}
	}
	if tell := get(value, "includeThoughts"); tell != nil {
		var include bool
		if err := dialect.ReadBoolean(&include, name+".includeThoughts", tell); err != nil {
			return err
		}
		// Those that no client forbids are told: they are marked as thoughts, and what
		// proves them has to come back.
		p.request.HideReasoning = !include
	}
	if budget := get(value, "thinkingBudget"); budget != nil {
		if err := number(name+".thinkingBudget", budget, -1, math.MaxInt32, true); err != nil {
			return err
		}
		if n, _ := rawjson.Int(budget); n == 0 {
			p.request.Effort = "none"
		}
	}
	if level := get(value, "thinkingLevel"); level != nil {
		asked, known := effort(level)
		if asked != "" {
			p.request.Effort = asked
		}
		if !known {
			return dialect.Invalid("'%s.thinkingLevel' must be one of MINIMAL, LOW, MEDIUM, HIGH and XHIGH.", name)
		}
	}
	return nil
}

func number(name string, value []byte, least, most float64, whole bool) error {
	given, ok := rawjson.Float(value)
	switch {
	case !ok:
		return dialect.Invalid("'%s' must be a number.", name)
	case whole && given != math.Trunc(given):
		return dialect.Invalid("'%s' must be a whole number.", name)
	case given < least || given > most:
		return dialect.OutOfRange(name, given, least, most, 0)
	}
	return nil
}

// empty reports whether a value says nothing: a list without elements, or a switch
// that is off.
func empty(value []byte) bool {
	c := rawjson.Walk(value)
	return rawjson.Kind(value) == 'f' || rawjson.Kind(value) == '[' && !c.Next()
}

// tools notes functions, and a search of the web, which other providers have too.
func (p *parser) tools(value []byte) error {
	if rawjson.Kind(value) != '[' {
		return dialect.Invalid("'tools' must be an array.")
	}
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if rawjson.Kind(c.Value) != '{' {
			return dialect.Invalid("'tools.%d' must be an object.", i)
		}
		p.request.PromptBytes += int64(len(c.Value))
		for m := rawjson.Walk(c.Value); m.Next(); {
			switch name := camel(m.Name); {
			case !rawjson.Present(m.Value):
			case name == "functionDeclarations":
				if err := p.functions(i, m.Value); err != nil {
					return err
				}
			case isSearch(name):
				p.web = true
				p.request.HoldSearch(0)
			case name == "computerUse": // the client runs it
			default: // urlContext, codeExecution, fileSearch and what is yet to come
				p.request.ReadsMore = true
			}
		}
	}
	return nil
}

func (p *parser) functions(i int, declarations []byte) error {
	if rawjson.Kind(declarations) != '[' {
		return dialect.Invalid("'tools.%d.functionDeclarations' must be an array.", i)
	}
	j := 0
	for c := rawjson.Walk(declarations); c.Next(); j++ {
		name := rawjson.Text(get(c.Value, "name"))
		if name == "" {
			return dialect.Invalid("'tools.%d.functionDeclarations.%d.name' must be a string.", i, j)
		}
		if !p.request.Tools {
			p.request.Tools, p.request.ToolName = true, name
			p.parameter("tools")
		}
	}
	return nil
}

func isSearch(tool string) bool { return tool == "googleSearch" || tool == "googleSearchRetrieval" }

func (p *parser) toolConfig(value []byte) error {
	if rawjson.Kind(value) != '{' {
		return dialect.Invalid("'toolConfig' must be an object.")
	}
	config := get(value, "functionCallingConfig")
	if config == nil {
		return nil
	}
	if rawjson.Kind(config) != '{' {
		return dialect.Invalid("'toolConfig.functionCallingConfig' must be an object.")
	}
	allowed := get(config, "allowedFunctionNames")
	if allowed != nil {
		if err := dialect.EachText("toolConfig.functionCallingConfig.allowedFunctionNames", allowed); err != nil {
			return err
		}
	}
	mode := callingMode(config)
	switch mode {
	case "", "AUTO", "VALIDATED", "MODE_UNSPECIFIED":
		p.request.ToolChoice = "auto"
	case "ANY":
		p.request.ToolChoice = "required"
		if single(allowed) {
			p.request.ToolChoice = "function"
		}
	case "NONE":
		p.request.ToolChoice = "none"
	default:
		return dialect.Invalid("'toolConfig.functionCallingConfig.mode' must be one of AUTO, ANY, NONE and VALIDATED.")
	}
	p.parameter("tool_choice")
	return nil
}

// single reports whether a list has one element.
func single(list []byte) bool {
	c := rawjson.Walk(list)
	return c.Next() && !c.Next()
}
