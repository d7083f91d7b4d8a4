package provider

import "cmp"

const (
	openAIID      = "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT"
	openAICreated = 1787612977
	fingerprint   = "fp_44709d6fcb"
)

func (openAI) whole(req request, a Answer) []byte {
	a = a.complete()
	message := map[string]any{"role": "assistant", "content": nil, "refusal": nil, "annotations": []any{}}
	if a.Text != "" {
		message["content"] = a.Text
	}
	if a.Refusal != "" {
		message["refusal"] = a.Refusal
	}
	if a.Reasoning != "" {
		message["reasoning_content"] = a.Reasoning
	}
	if len(a.ToolCalls) > 0 {
		calls := make([]any, len(a.ToolCalls))
		for i, call := range a.ToolCalls {
			calls[i] = map[string]any{
				"id": call.ID, "type": "function",
				"function": map[string]any{"name": call.Name, "arguments": call.Arguments},
			}
		}
		message["tool_calls"] = calls
	}
	choice := map[string]any{
		"index": 0, "message": message, "logprobs": nil, "finish_reason": openAIFinish(a),
	}
	if req.logprobs {
		choice["logprobs"] = openAILogprobs(a.Pieces)
	}
	body := openAIEnvelope(req, a, "chat.completion")
	body["choices"] = []any{choice}
	if a.UsageIn != UsageNowhere {
		body["usage"] = openAIUsage(a.Usage)
	}
	return []byte(encode(body))
}

func (openAI) events(req request, a Answer) []event {
	stream := &openAIStream{request: req, answer: a.complete()}
	stream.delta(false, map[string]any{"role": "assistant", "content": "", "refusal": nil}, nil)
	for _, piece := range pieces(stream.answer.Reasoning) {
		stream.delta(true, map[string]any{"reasoning_content": piece}, nil)
	}
	for _, piece := range stream.answer.Pieces {
		stream.delta(true, map[string]any{"content": piece}, openAILogprobs([]string{piece}))
	}
	for _, piece := range pieces(stream.answer.Refusal) {
		stream.delta(true, map[string]any{"refusal": piece}, nil)
	}
	stream.toolCalls()
	stream.end()
	return append(stream.events, event{data: "[DONE]"})
}

// openAIStream collects the chunks of one streamed answer.
type openAIStream struct {
	request request
	answer  Answer
	events  []event
	output  int // tokens so far, for UsageEverywhere
}

func (s *openAIStream) delta(piece bool, delta map[string]any, logprobs any) {
	choice := map[string]any{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": nil}
	if s.request.logprobs && logprobs != nil {
		choice["logprobs"] = logprobs
	}
	if piece {
		s.output++
	}
	s.chunk(piece, []any{choice}, nil)
}

func (s *openAIStream) toolCalls() {
	for i, call := range s.answer.ToolCalls {
		if s.answer.SameIndex {
			i = 0
		}
		fragment := func(call map[string]any) {
			call["index"] = i
			s.delta(true, map[string]any{"tool_calls": []any{call}}, nil)
		}
		fragment(map[string]any{
			"id": call.ID, "type": "function",
			"function": map[string]any{"name": call.Name, "arguments": ""},
		})
		for _, piece := range fragments(call.Arguments) {
			fragment(map[string]any{"function": map[string]any{"arguments": piece}})
		}
	}
}

func (s *openAIStream) end() {
	finish := map[string]any{
		"index": 0, "delta": map[string]any{}, "logprobs": nil, "finish_reason": openAIFinish(s.answer),
	}
	switch s.answer.UsageIn {
	case UsageWithChoices, UsageEverywhere:
		s.chunk(false, []any{finish}, openAIUsage(s.answer.Usage))
	default:
		s.chunk(false, []any{finish}, nil)
		if s.answer.UsageIn == UsageLast && s.request.includeUsage {
			s.chunk(false, []any{}, openAIUsage(s.answer.Usage))
		}
	}
}

func (s *openAIStream) chunk(piece bool, choices []any, usage any) {
	body := openAIEnvelope(s.request, s.answer, "chat.completion.chunk")
	body["choices"] = choices
	switch {
	case usage != nil:
		body["usage"] = usage
	case s.answer.UsageIn == UsageEverywhere:
		running := s.answer.Usage
		running.Output = min(s.output, running.Output)
		body["usage"] = openAIUsage(running)
	case s.request.includeUsage && s.answer.UsageIn == UsageLast:
		body["usage"] = nil
	}
	s.events = append(s.events, event{data: encode(body), piece: piece})
}

func openAIEnvelope(req request, a Answer, object string) map[string]any {
	return map[string]any{
		"id":                 openAIID,
		"object":             object,
		"created":            openAICreated,
		"model":              cmp.Or(a.Model, req.model),
		"service_tier":       cmp.Or(a.ServiceTier, openAITier(req.tier)),
		"system_fingerprint": fingerprint,
	}
}

// openAITier is the tier that serves a request for another.
func openAITier(requested string) string {
	if requested == "" || requested == "auto" {
		return "default"
	}
	return requested
}

func openAIFinish(a Answer) string {
	if a.Finish == "" && len(a.ToolCalls) > 0 {
		return "tool_calls"
	}
	return cmp.Or(a.Finish, "stop")
}

func openAIUsage(u Usage) map[string]any {
	return map[string]any{
		"prompt_tokens":     u.Input,
		"completion_tokens": u.Output,
		"total_tokens":      u.Input + u.Output,
		"prompt_tokens_details": map[string]any{
			"cached_tokens": u.CacheRead, "audio_tokens": 0,
		},
		"completion_tokens_details": map[string]any{
			"reasoning_tokens": u.Reasoning, "audio_tokens": 0,
			"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
		},
	}
}

func openAILogprobs(tokens []string) map[string]any {
	content := make([]any, len(tokens))
	for i, token := range tokens {
		bytes := make([]int, len(token))
		for j := range len(token) {
			bytes[j] = int(token[j])
		}
		content[i] = map[string]any{"token": token, "logprob": -0.25, "bytes": bytes, "top_logprobs": []any{}}
	}
	return map[string]any{"content": content, "refusal": nil}
}
