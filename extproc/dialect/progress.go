package dialect

// bytesPerToken is how much text a token is taken to be where nobody counted.
const bytesPerToken = 4

// Settled completes what can be told of an answer to request so far: usage is
// guessed where none was reported.
func (p Progress) Settled(request *Request) Progress {
	if !p.HasUsage {
		p.Usage = Usage{
			Prompt:     (request.PromptBytes + bytesPerToken - 1) / bytesPerToken,
			Completion: (p.OutputBytes + bytesPerToken - 1) / bytesPerToken,
			Estimated:  true,
		}
	}
	p.Empty = p.Done && !p.Started && p.Usage.Completion == 0
	return p
}

// FinishReason puts a provider's reason into the terms of Chat Completions (spec
// row 4): "stop", "length", "tool_calls", "content_filter" or "error". No reason
// stays none; one that is unknown counts as a stop.
func FinishReason(native string) string {
	switch native {
	case "":
		return ""
	case "length", "max_tokens", "model_length", "max_output_tokens", "MAX_TOKENS", "model_context_window_exceeded":
		return "length"
	case "tool_calls", "tool_use", "function_call", "tool_call":
		return "tool_calls"
	case "content_filter", "refusal", "safety", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII":
		return "content_filter"
	case "error", "insufficient_system_resource":
		return "error"
	}
	return "stop"
}
