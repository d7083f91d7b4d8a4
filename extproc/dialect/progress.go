package dialect

// BytesPerToken is how much text a token is taken to be where nobody counted.
const BytesPerToken = 4

// Note adds what an event says of the answer's progress.
func (p *Progress) Note(event *Event) {
	if p.isStep(event) {
		p.Steps++
	}
	switch event.Kind {
	case EventStart:
		if p.UpstreamID == "" {
			p.UpstreamID = event.Text
		}
	case EventText, EventRefusal:
		p.Started = p.Started || event.Text != ""
		say(p, event.Choice, event.Text, false)
	case EventImage, EventVector, EventRank:
		p.Started = true
	case EventToolCall:
		p.Started = true
		p.BeginToolCall(event.Choice, event.Index, event.Text)
	case EventToolArguments:
		p.Started = p.Started || event.Text != ""
		p.AddToolArguments(event.Choice, event.Index, event.Text)
	case EventReasoning:
		p.Started = p.Started || event.Reasoning.Text != "" || event.Reasoning.Data != ""
		say(p, event.Choice, event.Reasoning.Text, true)
		p.BoundReasoning = p.BoundReasoning || event.Reasoning.Signature != "" || event.Reasoning.Data != ""
	case EventFinish:
		if p.FinishReason == "" {
			p.FinishReason, p.NativeFinishReason = event.FinishReason(), event.Text
		}
	case EventUsage:
		p.Usage, p.HasUsage = event.Usage, true
	case EventEnding:
		p.Ending = true
	case EventDone:
		p.Done = true
	case EventTier:
		p.ServiceTier = event.Text
	case EventAnnotation, EventLogprobs:
	}
}

// isStep reports whether an event says something of the answer that was not said before.
func (p *Progress) isStep(event *Event) bool {
	switch event.Kind {
	case EventText, EventRefusal, EventToolArguments:
		return event.Text != ""
	case EventReasoning:
		return event.Reasoning.Text != "" || event.Reasoning.Data != "" || event.Reasoning.Signature != ""
	case EventToolCall, EventImage, EventVector, EventRank, EventAnnotation, EventLogprobs:
		return true
	case EventFinish:
		return p.FinishReason == ""
	case EventStart, EventUsage, EventTier, EventDone:
	}
	return false
}

// Settled completes what can be told of an answer to request so far: usage is
// guessed where none was reported, or not yet.
func (p Progress) Settled(request *Request) Progress {
	return p.settled(
		func() int64 { return Tokens(request.PromptBytes) },
		func() int64 { return Tokens(p.OutputBytes) })
}

// Counted is Settled, but usage is counted by the request's tokenizer. It may take some
// milliseconds where none was reported, and takes nothing elsewhere.
func (p Progress) Counted(request *Request) Progress {
	return p.settled(request.PromptTokens, func() int64 { return p.outputTokens(request) })
}

func (p Progress) settled(prompt, output func() int64) Progress {
	switch {
	case !p.HasUsage, p.Started && p.Usage == (Usage{}):
		// Some providers count nothing but zeros. What is there was not for nothing.
		p.Usage = Usage{Prompt: prompt(), Completion: output(), Estimated: true}
	case !p.Done && p.FinishReason == "":
		// Anthropic counts the prompt first and the answer last: of a stream that
		// is cut between, only the prompt's count is the provider's.
		if said := output(); p.Usage.Completion < said {
			p.Usage.Completion, p.Usage.Estimated = said, true
		}
	}
	p.Empty = (p.Done || p.FinishReason != "") && !p.Started && p.Usage.Completion == 0
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
	case "content_filter", "refusal", "safety", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII",
		"LANGUAGE", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "guardrail_intervened", "content_filtered":
		return "content_filter"
	case "error", "insufficient_system_resource", "OTHER", "IMAGE_OTHER", "NO_IMAGE", "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE",
		"UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "malformed_model_output", "malformed_tool_use":
		return "error"
	}
	return "stop"
}

// EffortShare is the part of the tokens of an answer that thinking gets where a
// provider takes a budget and the client gave an effort (spec section 4.5, rows 95
// and 96): 0 to 1.
func EffortShare(effort string) float64 {
	switch effort {
	case "max", "xhigh":
		return 0.95
	case "high":
		return 0.8
	case "low":
		return 0.2
	case "minimal":
		return 0.1
	}
	return 0.5
}

// ServedTier puts the tier that a provider says has served into the terms of the API
// (spec section 3.7): "default", "flex" or "priority". No word on it stays none; the
// many names of ordinary service are the default.
func ServedTier(native string) string {
	switch native {
	case "":
		return ""
	case "flex":
		return "flex"
	case "priority", "fast":
		return "priority"
	}
	return "default"
}

// Tokens estimates how many tokens a text of so many bytes is, rounded up.
func Tokens(bytes int64) int64 { return (bytes + BytesPerToken - 1) / BytesPerToken }
