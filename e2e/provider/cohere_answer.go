package provider

import (
	"cmp"
	"slices"
)

const cohereID = "c14c80c3-18eb-4519-9460-6c92edd8cfb4"

func (cohere) whole(req request, a Answer) []byte {
	a = a.complete()
	switch req.task {
	case "embed":
		return cohereEmbeddings(req, a)
	case "rerank":
		return rerank{}.whole(req, a)
	}
	message := map[string]any{"role": "assistant"}
	var content []any
	if a.Reasoning != "" {
		content = append(content, map[string]any{"type": "thinking", "thinking": a.Reasoning})
	}
	if words := a.Text + a.Refusal; words != "" {
		content = append(content, map[string]any{"type": "text", "text": words})
	}
	if content != nil {
		message["content"] = content
	}
	var calls, citations []any
	for _, call := range a.ToolCalls {
		calls = append(calls, cohereCall(call, call.Arguments))
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	for _, citation := range a.Citations {
		citations = append(citations, cohereCitation(a, citation))
	}
	if citations != nil {
		message["citations"] = citations
	}
	body := map[string]any{"id": cohereID, "message": message, "finish_reason": cohereFinish(a)}
	if a.UsageIn != UsageNowhere {
		body["usage"] = cohereUsage(a)
	}
	if req.logprobs {
		var items []any
		for _, piece := range a.Pieces {
			items = append(items, cohereLogprob(piece))
		}
		body["logprobs"] = items
	}
	return []byte(encode(body))
}

func (cohere) events(req request, a Answer) []event {
	a = a.complete()
	var events []event
	add := func(piece bool, kind string, index int, members map[string]any) {
		members["type"] = kind
		if index >= 0 {
			members["index"] = index
		}
		events = append(events, event{name: kind, data: encode(members), piece: piece})
	}
	said := func(name string, value any) map[string]any {
		return map[string]any{"delta": map[string]any{"message": map[string]any{name: value}}}
	}
	start := said("role", "assistant")
	start["id"] = cohereID
	start["delta"].(map[string]any)["message"] = map[string]any{
		"role": "assistant", "content": []any{}, "tool_plan": "", "tool_calls": []any{}, "citations": []any{},
	}
	add(false, "message-start", -1, start)
	blocks := 0
	block := func(kind string, texts []string) {
		if len(texts) == 0 {
			return
		}
		add(false, "content-start", blocks, said("content", map[string]any{"type": kind, kind: ""}))
		for _, text := range texts {
			members := said("content", map[string]any{kind: text})
			if req.logprobs && kind == "text" {
				members["logprobs"] = cohereLogprob(text)
			}
			add(true, "content-delta", blocks, members)
		}
		add(false, "content-end", blocks, map[string]any{})
		blocks++
	}
	block("thinking", pieces(a.Reasoning))
	block("text", slices.Concat(a.Pieces, pieces(a.Refusal)))
	for i, citation := range a.Citations {
		add(false, "citation-start", i, said("citations", cohereCitation(a, citation)))
		add(false, "citation-end", i, map[string]any{})
	}
	for i, call := range a.ToolCalls {
		add(true, "tool-call-start", i, said("tool_calls", cohereCall(call, "")))
		for _, fragment := range fragments(call.Arguments) {
			add(true, "tool-call-delta", i, said("tool_calls", map[string]any{"function": map[string]any{"arguments": fragment}}))
		}
		add(false, "tool-call-end", i, map[string]any{})
	}
	end := map[string]any{"finish_reason": cohereFinish(a)}
	if a.UsageIn != UsageNowhere {
		end["usage"] = cohereUsage(a)
	}
	add(false, "message-end", -1, map[string]any{"id": cohereID, "delta": end})
	return events
}

func cohereCall(call ToolCall, arguments string) map[string]any {
	return map[string]any{"id": call.ID, "type": "function", "function": map[string]any{"name": call.Name, "arguments": arguments}}
}

func cohereCitation(a Answer, citation Citation) map[string]any {
	held := map[string]any{"snippet": "s"}
	if citation.URL != "" {
		held["url"], held["title"] = citation.URL, "The title"
	}
	block := 0
	if a.Reasoning != "" {
		block = 1
	}
	return map[string]any{
		"start": citation.Start, "end": citation.End, "text": string([]rune(a.Text)[citation.Start:citation.End]),
		"sources":       []any{map[string]any{"type": "document", "id": citation.ID, "document": held}},
		"content_index": block, "type": "TEXT_CONTENT",
	}
}

func cohereLogprob(text string) map[string]any {
	return map[string]any{"text": text, "token_ids": []any{42}, "logprobs": []any{-0.5}}
}

func cohereFinish(a Answer) string {
	if len(a.ToolCalls) > 0 {
		return cmp.Or(a.Finish, "TOOL_CALL")
	}
	return cmp.Or(a.Finish, "COMPLETE")
}

// cohereTemplate is how many tokens the API adds to a prompt and counts, but does not
// bill.
const cohereTemplate = 480

func cohereUsage(a Answer) map[string]any {
	u := a.Usage
	usage := map[string]any{
		"billed_units": map[string]any{"input_tokens": u.Input, "output_tokens": u.Output},
		"tokens":       map[string]any{"input_tokens": u.Input + cohereTemplate, "output_tokens": u.Output + 3},
	}
	if u.CacheRead > 0 {
		usage["cached_tokens"] = u.CacheRead
	}
	return usage
}

func cohereEmbeddings(req request, a Answer) []byte {
	vectors := make([]any, req.inputs)
	for i := range vectors {
		vectors[i] = Vector(i)
	}
	return []byte(encode(map[string]any{
		"id": cohereID, "response_type": "embeddings_by_type", "embeddings": map[string]any{"float": vectors},
		"meta": map[string]any{
			"api_version":  map[string]any{"version": "2"},
			"billed_units": map[string]any{"input_tokens": a.Usage.Input},
		},
	}))
}
