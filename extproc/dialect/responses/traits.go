package responses

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// leastOutput is the least bound on an answer's tokens that OpenAI takes.
const leastOutput = 16

// encryptedReasoning is what asks for reasoning that can be sent back although nothing
// is stored.
const encryptedReasoning = "reasoning.encrypted_content"

// tokenLogprobs is what asks for logprobs.
const tokenLogprobs = "message.output_text.logprobs"

// webSearch is the tool that searches the web.
const webSearch = `{"type":"web_search"}`

// takesMember reports whether the target takes a member of a request of this API. Those
// that are request parameters go by their names in the catalog.
func takesMember(target *dialect.Target, name string) bool {
	switch name {
	case "max_output_tokens":
		return takesEither(target, "max_tokens", "max_completion_tokens")
	case "reasoning":
		return takesEither(target, "reasoning", "reasoning_effort")
	case "parallel_tool_calls":
		return target.Takes(name) || target.Takes("tools") && !slices.Contains(target.Refused, name)
	case "temperature", "top_p", "top_logprobs", "tools", "tool_choice":
		return target.Takes(name)
	case "frequency_penalty", "presence_penalty", "top_k", "seed", "stop", "logit_bias":
		return target.Takes(name) && !target.Strict // OpenAI's own API has none of these
	}
	return !slices.Contains(target.Refused, name) && (!target.Strict || defined(name))
}

// takesEither reports whether the target takes a parameter that goes by several names,
// under any of them.
func takesEither(target *dialect.Target, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return target.Takes(name) })
}

// defined reports whether OpenAI's own API has a member by this name that is no request
// parameter (openai/types/responses/response_create_params.py).
func defined(name string) bool {
	switch name {
	case "input", "instructions", "stream", "stream_options", "include", "text", "metadata", "user", "safety_identifier",
		"prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "service_tier", "truncation",
		"max_tool_calls", "background", "context_management", "moderation":
		return true
	}
	return false
}

// forGateway reports whether a member speaks to the gateway and not to the model.
func forGateway(name string) bool {
	switch name {
	case "provider", "models", "route", "preset", "plugins", "transforms", "usage", "session_id", "trace", "debug",
		"stop_server_tools_when", "cache_control":
		return true
	}
	return false
}
