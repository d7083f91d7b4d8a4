package openai

import "slices"

// takes reports whether the target takes a field by this name.
func (e *editor) takes(name string) bool {
	if slices.Contains(e.target.Refused, name) {
		return false
	}
	if !isParameter(name) {
		return !e.target.Strict || defined(name)
	}
	if e.target.Supported == nil {
		return !e.target.Strict || defined(name)
	}
	for _, supported := range e.target.Supported {
		if supported == name || sameParameter(supported, name) {
			return true
		}
	}
	return false
}

// sameParameter reports whether support for one parameter is support for another:
// catalogs list capabilities, of which a few go by several names.
func sameParameter(supported, name string) bool {
	switch name {
	case "max_tokens", "max_completion_tokens":
		return supported == "max_tokens" || supported == "max_completion_tokens"
	case "reasoning_effort":
		return supported == "reasoning"
	case "parallel_tool_calls":
		return supported == "tools"
	case "response_format":
		return supported == "structured_outputs"
	}
	return false
}

// defined reports whether OpenAI's own API has a field by this name.
func defined(name string) bool {
	switch name {
	case "model", "messages", "audio", "frequency_penalty", "function_call", "functions", "logit_bias",
		"logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities", "n",
		"parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key",
		"prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed",
		"service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice",
		"tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options":
		return true
	}
	return false
}

// forGateway reports whether a field speaks to the gateway and not to the model.
func forGateway(name string) bool {
	switch name {
	case "provider", "models", "route", "preset", "plugins", "transforms", "usage", "session_id",
		"trace", "debug", "stop_server_tools_when", "max_tool_calls", "include_reasoning",
		"structured_outputs", "fallbacks":
		return true
	}
	return false
}
