package provider

import (
	"cmp"
	"fmt"
)

const (
	responsesID     = "resp_0a1b2c3d4e5f67890123456789abcdef"
	responsesSuffix = "_0a1b2c3d4e5f6789"
)

func (responses) whole(req request, a Answer) []byte {
	a = a.complete()
	items := responsesItems(req, a)
	output := make([]any, len(items))
	for i := range items {
		output[i] = items[i].whole("completed")
	}
	return []byte(encode(responsesObject(req, a, responsesEnd(a), output)))
}

// responsesItems are the items of an answer in their order.
func responsesItems(req request, a Answer) []responsesOutput {
	var items []responsesOutput
	add := func(kind, prefix string, members map[string]any) *responsesOutput {
		id := fmt.Sprintf("%s%s%d", prefix, responsesSuffix, len(items))
		items = append(items, responsesOutput{kind: kind, id: id, members: members})
		return &items[len(items)-1]
	}
	if a.Reasoning != "" {
		members := map[string]any{"summary": []any{}}
		if req.encrypted {
			members["encrypted_content"] = Encrypted(req.model)
		}
		item := add("reasoning", "rs", members)
		if req.summary {
			item.pieces = pieces(a.Reasoning)
			members["summary"] = []any{map[string]any{"type": "summary_text", "text": a.Reasoning}}
		}
	}
	if a.Text != "" {
		part := map[string]any{"type": "output_text", "text": a.Text, "annotations": []any{}, "logprobs": responsesLogprobs(req, a.Pieces)}
		item := add("message", "msg", map[string]any{"role": "assistant", "content": []any{part}})
		item.pieces = a.Pieces
	}
	if a.Refusal != "" {
		part := map[string]any{"type": "refusal", "refusal": a.Refusal}
		item := add("message", "msg", map[string]any{"role": "assistant", "content": []any{part}})
		item.pieces = pieces(a.Refusal)
	}
	if a.Image != "" {
		add(imageCall, "ig", map[string]any{"result": a.Image, "output_format": "png"})
	}
	for _, call := range a.ToolCalls {
		item := add("function_call", "fc", map[string]any{"call_id": call.ID, "name": call.Name, "arguments": call.Arguments})
		item.pieces = fragments(call.Arguments)
	}
	return items
}

// responsesOutput is an item with the pieces in which it is streamed.
type responsesOutput struct {
	kind, id string
	members  map[string]any
	pieces   []string
}

func (o *responsesOutput) whole(status string) map[string]any {
	item := map[string]any{"id": o.id, "type": o.kind}
	if o.kind != "reasoning" { // which has no state at OpenAI
		item["status"] = status
	}
	for name, value := range o.members {
		item[name] = value
	}
	return item
}

// announced is the item as it is added: nothing of it has been said.
func (o *responsesOutput) announced() map[string]any {
	item := o.whole("in_progress")
	for _, empty := range []struct {
		name  string
		value any
	}{{"content", []any{}}, {"summary", []any{}}, {"arguments", ""}, {"result", nil}} {
		if _, has := item[empty.name]; has {
			item[empty.name] = empty.value
		}
	}
	delete(item, "output_format")
	return item
}

func (responses) events(req request, a Answer) []event {
	a = a.complete()
	s := &responsesStream{request: req}
	for _, kind := range []string{"created", "in_progress"} {
		s.add(kind, false, map[string]any{"response": responsesObject(req, a, "in_progress", []any{})})
	}
	var output []any
	for i, item := range responsesItems(req, a) {
		s.item(i, &item)
		output = append(output, item.whole("completed"))
	}
	end := responsesEnd(a)
	s.add(end, false, map[string]any{"response": responsesObject(req, a, end, output)})
	return s.events
}

// responsesStream collects the events of one streamed answer.
type responsesStream struct {
	request request
	events  []event
}

func (s *responsesStream) add(kind string, piece bool, members map[string]any) {
	members["type"] = "response." + kind
	members["sequence_number"] = len(s.events)
	if piece {
		members["obfuscation"] = "x7Kq"
	}
	s.events = append(s.events, event{name: "response." + kind, data: encode(members), piece: piece})
}

func (s *responsesStream) item(index int, item *responsesOutput) {
	s.add("output_item.added", false, map[string]any{"output_index": index, "item": item.announced()})
	at := func(more map[string]any) map[string]any {
		more["output_index"], more["item_id"] = index, item.id
		return more
	}
	switch item.kind {
	case "message":
		part := item.members["content"].([]any)[0].(map[string]any)
		s.spoken(at, "content_index", "content_part", item.pieces, part)
	case "reasoning":
		if summary := item.members["summary"].([]any); len(summary) > 0 {
			s.spoken(at, "summary_index", "reasoning_summary_part", item.pieces, summary[0].(map[string]any))
		}
	case "function_call":
		for _, piece := range item.pieces {
			s.add("function_call_arguments.delta", true, at(map[string]any{"delta": piece}))
		}
		s.add("function_call_arguments.done", false, at(map[string]any{
			"name": item.members["name"], "arguments": item.members["arguments"],
		}))
	case imageCall:
		for _, step := range []string{"in_progress", "generating", "completed"} {
			s.add(imageCall+"."+step, false, at(map[string]any{}))
		}
	}
	s.add("output_item.done", item.kind == imageCall, map[string]any{"output_index": index, "item": item.whole("completed")})
}

// spoken adds the events of a part that is said in pieces.
func (s *responsesStream) spoken(at func(map[string]any) map[string]any, index, name string, pieces []string, part map[string]any) {
	field, kind := "text", map[any]string{
		"output_text": "output_text", "refusal": "refusal", "summary_text": "reasoning_summary_text",
	}[part["type"]]
	if kind == "refusal" {
		field = kind
	}
	empty := map[string]any{"type": part["type"], field: ""}
	if kind == "output_text" {
		empty["annotations"], empty["logprobs"] = []any{}, []any{}
	}
	s.add(name+".added", false, at(map[string]any{index: 0, "part": empty}))
	for _, piece := range pieces {
		said := at(map[string]any{index: 0, "delta": piece})
		if kind == "output_text" {
			said["logprobs"] = responsesLogprobs(s.request, []string{piece})
		}
		s.add(kind+".delta", true, said)
	}
	done := at(map[string]any{index: 0, field: part[field]})
	if kind == "output_text" {
		done["logprobs"] = part["logprobs"]
	}
	s.add(kind+".done", false, done)
	s.add(name+".done", false, at(map[string]any{index: 0, "part": part}))
}

// responsesEnd is the state in which an answer ends.
func responsesEnd(a Answer) string {
	if a.Finish == "" {
		return "completed"
	}
	return "incomplete"
}

func responsesObject(req request, a Answer, status string, output []any) map[string]any {
	object := map[string]any{
		"id": responsesID, "object": "response", "created_at": openAICreated, "status": status,
		"background": false, "error": nil, "incomplete_details": nil, "instructions": nil, "max_output_tokens": nil,
		"model": cmp.Or(a.Model, req.model), "output": output, "parallel_tool_calls": true, "previous_response_id": nil,
		"reasoning": map[string]any{"effort": nil, "summary": nil}, "store": false, "temperature": 1,
		"text": map[string]any{"format": map[string]any{"type": "text"}}, "tool_choice": "auto", "tools": []any{},
		"top_p": 1, "truncation": "disabled", "usage": nil, "user": nil, "metadata": map[string]any{},
		"service_tier": "auto",
	}
	if status == "in_progress" {
		return object
	}
	object["service_tier"] = cmp.Or(a.ServiceTier, openAITier(req.tier))
	if status == "incomplete" {
		object["incomplete_details"] = map[string]any{"reason": a.Finish}
	}
	if a.UsageIn != UsageNowhere {
		object["usage"] = map[string]any{
			"input_tokens": a.Usage.Input, "input_tokens_details": map[string]any{"cached_tokens": a.Usage.CacheRead},
			"output_tokens": a.Usage.Output, "output_tokens_details": map[string]any{"reasoning_tokens": a.Usage.Reasoning},
			"total_tokens": a.Usage.Input + a.Usage.Output,
		}
	}
	return object
}

func responsesLogprobs(req request, tokens []string) []any {
	list := []any{}
	if !req.logprobs {
		return list
	}
	for _, token := range tokens {
		list = append(list, map[string]any{"token": token, "logprob": -0.25, "top_logprobs": []any{}})
	}
	return list
}
