package provider

import (
	"cmp"
	"slices"

	"github.com/go-json-experiment/json"
)

func (ollama) whole(req request, a Answer) []byte {
	a = a.complete()
	if req.task != "" {
		vectors := make([]any, req.inputs)
		for i := range vectors {
			vectors[i] = Vector(i)
		}
		return []byte(encode(map[string]any{
			"model": req.model, "embeddings": vectors, "total_duration": 14143917, "load_duration": 1019500,
			"prompt_eval_count": a.Usage.Input,
		}))
	}
	message := ollamaSaid("content", a.Text+a.Refusal)
	if a.Reasoning != "" {
		message["thinking"] = a.Reasoning
	}
	if calls := ollamaCalls(a); calls != nil {
		message["tool_calls"] = calls
	}
	body := ollamaEnvelope(req, a, message)
	if req.logprobs {
		var all []any
		for _, piece := range a.Pieces {
			all = append(all, ollamaLogprob(piece))
		}
		body["logprobs"] = all
	}
	return []byte(encode(ollamaEnd(body, a)))
}

func (ollama) events(req request, a Answer) []event {
	a = a.complete()
	var events []event
	add := func(piece bool, body map[string]any) {
		events = append(events, event{data: encode(body), piece: piece})
	}
	for _, thought := range pieces(a.Reasoning) {
		message := ollamaSaid("thinking", thought)
		message["content"] = ""
		add(true, ollamaEnvelope(req, a, message))
	}
	for _, piece := range slices.Concat(a.Pieces, pieces(a.Refusal)) {
		body := ollamaEnvelope(req, a, ollamaSaid("content", piece))
		if req.logprobs {
			body["logprobs"] = []any{ollamaLogprob(piece)}
		}
		add(true, body)
	}
	// Each call in a line of its own, as most parsers of models have it.
	for _, call := range ollamaCalls(a) {
		message := ollamaSaid("content", "")
		message["tool_calls"] = []any{call}
		add(true, ollamaEnvelope(req, a, message))
	}
	add(false, ollamaEnd(ollamaEnvelope(req, a, ollamaSaid("content", "")), a))
	return events
}

func ollamaSaid(name, words string) map[string]any {
	return map[string]any{"role": "assistant", name: words}
}

func ollamaCalls(a Answer) []any {
	var calls []any
	for i, call := range a.ToolCalls {
		arguments := map[string]any{}
		if err := json.Unmarshal([]byte(call.Arguments), &arguments); err != nil {
			panic(err) // a mistake of the test's
		}
		made := map[string]any{"function": map[string]any{"index": i, "name": call.Name, "arguments": arguments}}
		if call.ID != "-" {
			made["id"] = call.ID
		}
		calls = append(calls, made)
	}
	return calls
}

func ollamaEnvelope(req request, a Answer, message map[string]any) map[string]any {
	return map[string]any{
		"model": cmp.Or(a.Model, req.model), "created_at": "2026-08-04T08:52:19.385406455-07:00", "message": message, "done": false,
	}
}

func ollamaLogprob(piece string) map[string]any {
	return map[string]any{"token": piece, "logprob": -0.5, "top_logprobs": []any{}}
}

func ollamaEnd(body map[string]any, a Answer) map[string]any {
	body["done"], body["done_reason"] = true, cmp.Or(a.Finish, "stop")
	if a.UsageIn != UsageNowhere {
		body["prompt_eval_count"], body["eval_count"] = a.Usage.Input, a.Usage.Output
		body["total_duration"], body["eval_duration"] = 4883583458, 4709213000
	}
	return body
}
