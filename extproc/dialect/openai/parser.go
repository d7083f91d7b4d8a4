package openai

import (
	"cmp"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// parser collects what policy reads.
type parser struct {
	request   *dialect.Request
	parsed    parsed
	messages  bool
	prompt    bool
	effort    string // of reasoning
	shorthand string // reasoning_effort
	thinks    *bool  // reasoning.enabled
	budget    bool   // reasoning.max_tokens is more than zero
	bounds    [2]int64
	cacheKey  string // prompt_cache_key
	opening   dialect.Opening
	foreign   bool // something is in another API's words, see foreign.go
}

func (p *parser) member(name string, value []byte) error {
	if !rawjson.Present(value) {
		return nil
	}
	if isParameter(name) {
		if err := checkParameter(name, value); err != nil {
			return err
		}
		if kind := rawjson.Kind(value); kind != '[' || len(value) > 2 {
			p.request.Parameters = append(p.request.Parameters, name)
		}
	}
	r := p.request
	switch name {
	case "messages":
		return dialect.Invalid("'messages' must be an array.")
	case "prompt":
		p.prompt = true
	case "stream":
		return dialect.ReadBoolean(&r.Stream, name, value)
	case "max_tokens":
		p.bounds[1], _ = rawjson.Int(value)
	case "max_completion_tokens":
		p.bounds[0], _ = rawjson.Int(value)
	case "n":
		r.Choices, _ = rawjson.Int(value)
		return checkShape(name, wholeWithin(1, mostChoices), value)
	case "tools":
		return p.tools(value)
	case "tool_choice":
		r.ToolChoice = toolChoice(value)
		p.foreign = p.foreign || dialect.IsForeignChoice(value)
	case "web_search_options":
		r.HoldSearch(0)
	case "search_parameters": // xAI's
		if rawjson.Text(rawjson.Get(value, "mode")) != "off" {
			r.HoldSearch(0)
		}
	case "response_format":
		r.ResponseFormat = responseFormat(value)
	case "service_tier":
		return dialect.ReadText(&r.ServiceTier, name, value)
	case "prompt_cache_key":
		p.cacheKey = rawjson.Text(value)
	case "reasoning":
		return p.reasoning(value)
	case "reasoning_effort":
		p.shorthand = rawjson.Text(value)
	case "include_reasoning":
		include := true
		if err := dialect.ReadBoolean(&include, name, value); err != nil {
			return err
		}
		r.HideReasoning = r.HideReasoning || !include
	default:
		return readRouting(r, name, value)
	}
	return nil
}

func (p *parser) complete() error {
	r := p.request
	switch {
	case !p.messages && p.prompt:
		return dialect.Invalid(`This endpoint takes "messages"; send "prompt" to /completions.`)
	case !p.messages:
		return dialect.Invalid(`Input required: specify "prompt" or "messages"`)
	case p.shorthand != "" && p.effort != "" && p.shorthand != p.effort:
		return dialect.Invalid("'reasoning_effort' conflicts with 'reasoning.effort'; send one of them.")
	}
	asked := dialect.Reasoning{Effort: cmp.Or(p.effort, p.shorthand), Enabled: p.thinks}
	if p.budget {
		asked.Effort, asked.MaxTokens = p.effort, 1
	}
	r.Effort = asked.Level()
	r.MaxTokens = p.bounds[0]
	if r.MaxTokens == 0 {
		r.MaxTokens = p.bounds[1]
	}
	dialect.TakeCacheKey(r, p.cacheKey)
	r.Conversation = p.opening.Hash()
	slices.Sort(r.Parameters)
	slices.Sort(r.InputModalities)
	return nil
}

func (p *parser) tools(value []byte) error {
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if rawjson.Kind(c.Value) != '{' {
			return dialect.Invalid("'tools.%d' must be an object.", i)
		}
		p.foreign = p.foreign || dialect.IsForeignTool(c.Value)
		if i == 0 {
			p.request.ToolName = rawjson.Text(rawjson.Get(rawjson.Get(c.Value, "function"), "name"))
		}
		p.request.Tools = true
		p.request.HoldTool(c.Value)
		p.request.PromptBytes += int64(len(c.Value))
	}
	return nil
}

func (p *parser) reasoning(value []byte) error {
	if rawjson.Kind(value) != '{' {
		return dialect.Invalid("'reasoning' must be an object.")
	}
	budget := false
	for c := rawjson.Walk(value); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch string(c.Name) {
		case "effort":
			if err := dialect.ReadEffort(&p.effort, "reasoning.effort", c.Value); err != nil {
				return err
			}
		case "max_tokens":
			if n, ok := rawjson.Int(c.Value); !ok || n < 0 {
				return dialect.Invalid("'reasoning.max_tokens' must be a whole number of tokens.")
			}
			budget = true
			n, _ := rawjson.Int(c.Value)
			p.budget = n > 0
		case "exclude":
			exclude := false
			if err := dialect.ReadBoolean(&exclude, "reasoning.exclude", c.Value); err != nil {
				return err
			}
			p.request.HideReasoning = p.request.HideReasoning || exclude
		case "enabled":
			var enabled bool
			if err := dialect.ReadBoolean(&enabled, "reasoning.enabled", c.Value); err != nil {
				return err
			}
			p.thinks = &enabled
		}
	}
	if p.effort != "" && budget {
		return dialect.Invalid("Only one of 'reasoning.effort' and 'reasoning.max_tokens' can be specified.")
	}
	return nil
}

// toolChoice is a choice in the words of dialect.Request. Forms that name no single
// function, such as a list of those allowed, are the provider's to understand.
func toolChoice(value []byte) string {
	if rawjson.Kind(value) == '{' {
		value = rawjson.Get(value, "type")
	}
	switch choice := rawjson.Text(value); choice {
	case "auto", "none", "required", "function":
		return choice
	}
	return ""
}

// responseFormat is the type of a format that needs an endpoint's support; text
// needs none.
func responseFormat(value []byte) string {
	switch string(rawjson.Unquote(rawjson.Get(value, "type"))) {
	case "json_object":
		return "json_object"
	case "json_schema":
		return "json_schema"
	}
	return ""
}
