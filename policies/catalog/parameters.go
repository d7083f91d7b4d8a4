package catalog

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
	anthropicParameters = []string{
		"include_reasoning", "max_completion_tokens", "max_tokens",
		"parallel_tool_calls", "reasoning", "reasoning_effort",
		"response_format", "stop", "structured_outputs", "temperature",
		"tool_choice", "tools", "top_k", "top_p", "verbosity",
	}
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
	// What few models of the dialect take, such as penalties, an endpoint must list.
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

// Parameters returns the request parameters that the endpoint takes: those
// configured, or all that the provider's dialect can say. The caller must not
// change the slice.
func (e *Endpoint) Parameters() []string {
	if e.SupportedParameters != nil {
		return e.SupportedParameters
	}
	return dialects[e.Provider.Dialect].parameters
}
