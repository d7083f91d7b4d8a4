package catalog

import (
	"slices"
	"strings"
)

// The request parameters that a dialect can say, by the names of spec section 7.
var (
	openAIParameters = []string{
		"frequency_penalty", "include_reasoning", "logit_bias", "logprobs",
		"max_completion_tokens", "max_tokens", "min_p", "parallel_tool_calls",
		"prediction", "presence_penalty", "reasoning", "reasoning_effort",
		"repetition_penalty", "response_format", "seed", "stop",
		"structured_outputs", "temperature", "tool_choice", "tools", "top_a",
		"top_k", "top_logprobs", "top_p", "verbosity", "web_search_options",
	}
	// openAIsOwn are those without what only compatible vendors have.
	openAIsOwn = slices.DeleteFunc(slices.Clone(openAIParameters), func(name string) bool {
		switch name {
		case "min_p", "repetition_penalty", "top_a", "top_k":
			return true
		}
		return false
	})
	anthropicParameters = []string{
		"include_reasoning", "max_completion_tokens", "max_tokens",
		"parallel_tool_calls", "reasoning", "reasoning_effort",
		"response_format", "stop", "structured_outputs", "temperature",
		"tool_choice", "tools", "top_k", "top_p",
	}
	bedrockParameters = []string{
		"max_completion_tokens", "max_tokens", "response_format", "stop",
		"structured_outputs", "temperature", "tool_choice", "tools", "top_p",
	}
	// What Claude, Nova and a few more have words for.
	bedrockListed = []string{
		"include_reasoning", "parallel_tool_calls", "reasoning",
		"reasoning_effort", "top_k", "verbosity",
	}
	// Claude is known by its name there, unless an application has its own profile of it.
	bedrockClaude = append(slices.Clone(bedrockParameters),
		"include_reasoning", "parallel_tool_calls", "reasoning",
		"reasoning_effort", "top_k")
	cohereParameters = []string{
		"frequency_penalty", "include_reasoning", "logprobs",
		"max_completion_tokens", "max_tokens", "presence_penalty", "reasoning",
		"reasoning_effort", "response_format", "seed", "stop",
		"structured_outputs", "temperature", "tool_choice", "tools", "top_k",
		"top_p",
	}
	ollamaParameters = []string{
		"frequency_penalty", "include_reasoning", "logprobs",
		"max_completion_tokens", "max_tokens", "min_p", "presence_penalty",
		"reasoning", "reasoning_effort", "repetition_penalty",
		"response_format", "seed", "stop", "structured_outputs",
		"temperature", "tools", "top_k", "top_logprobs", "top_p",
	}
	geminiParameters = []string{
		"include_reasoning", "max_completion_tokens", "max_tokens", "reasoning",
		"reasoning_effort", "response_format", "seed", "stop",
		"structured_outputs", "temperature", "tool_choice", "tools", "top_k",
		"top_p", "web_search_options",
	}
	responsesParameters = []string{
		"include_reasoning", "logprobs", "max_completion_tokens", "max_tokens",
		"parallel_tool_calls", "reasoning", "reasoning_effort", "response_format",
		"structured_outputs", "temperature", "tool_choice", "tools",
		"top_logprobs", "top_p", "verbosity", "web_search_options",
	}
)

// Parameters returns the request parameters that the endpoint takes: of those
// configured what the provider's dialect can say, or all that it can say. The caller
// must not change the slice.
func (e *Endpoint) Parameters() []string {
	traits := dialects[e.Provider.Dialect]
	switch {
	case e.SupportedParameters != nil:
		return e.SupportedParameters
	case e.Provider.Strict && traits.strict != nil:
		return traits.strict
	case traits.claude != nil && strings.Contains(e.ProviderModel, "anthropic."):
		return traits.claude
	}
	return traits.parameters
}

// Formats reports whether the endpoint keeps an answer to a form: "json_object" or
// "json_schema", any other being text.
func (e *Endpoint) Formats(form string) bool {
	switch form {
	case "json_object":
		return slices.Contains(e.Parameters(), "response_format") && !dialects[e.Provider.Dialect].schemaOnly
	case "json_schema":
		return slices.Contains(e.Parameters(), "structured_outputs")
	}
	return true
}

// Sayable are those of an endpoint's own list of parameters that a dialect has words
// for; nil if there is no list. It is a new slice.
func Sayable(dialect string, listed []string) []string {
	traits := dialects[dialect]
	if traits.open {
		return slices.Clone(listed)
	}
	return slices.DeleteFunc(slices.Clone(listed), func(name string) bool {
		return !slices.Contains(traits.parameters, name) && !slices.Contains(traits.listed, name)
	})
}
