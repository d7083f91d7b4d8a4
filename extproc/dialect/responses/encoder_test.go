package responses

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

var meta = dialect.Meta{
	ID: "gen-1700000000-abcdefghijklmnopqrst", Model: "m/x", Provider: "Fake", Endpoint: "m/x|fake", Created: 1700000000,
	Completed: func() int64 { return 1700000001 },
	Price: func(dialect.Usage) dialect.Cost {
		return dialect.Cost{Total: "0.003", Prompt: "0.001", Completion: "0.002"}
	},
	RouterMetadata: []byte("{\n\"region\":\"here\"}"),
}

var usage = dialect.Usage{Prompt: 10, Completion: 5, CacheRead: 4, CacheWrite: 1, CacheWrite1h: 2, Reasoning: 3}

func encoderFor(t testing.TB, body string) dialect.Encoder {
	request, err := Client{}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	meta := meta
	meta.Request = request
	return Client{}.Encoder(meta)
}

type object = map[string]any

// received is a stream taken apart as SDKs do, with what they rely on checked.
type received struct {
	kinds []string
	final object
}

func receive(t testing.TB, stream string) received {
	t.Helper()
	body, ended := strings.CutSuffix(stream, "data: [DONE]\n\n")
	if !ended {
		t.Fatalf("the stream does not end with [DONE]: %s", stream)
	}
	var got received
	var built []object
	finished := map[int]bool{}
	for part := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		if strings.HasPrefix(part, ":") {
			continue
		}
		data, isData := strings.CutPrefix(part, "data: ")
		var event object
		if err := json.Unmarshal([]byte(data), &event); err != nil || !isData || strings.Contains(data, "\n") {
			t.Fatalf("%v in %q", err, part)
		}
		if number := int(event["sequence_number"].(float64)); number != len(got.kinds) {
			t.Fatalf("row 136: sequence_number %d, want %d", number, len(got.kinds))
		}
		kind := strings.TrimPrefix(event["type"].(string), "response.")
		got.kinds = append(got.kinds, kind)
		if response, ok := event["response"].(object); ok {
			if response["id"] != meta.ID {
				t.Fatalf("the id changed to %v", response["id"])
			}
			got.final = response
			continue
		}
		index := int(event["output_index"].(float64))
		if kind == "output_item.added" {
			if index != len(built) {
				t.Fatalf("item %d was added as %d", len(built), index)
			}
			built = append(built, event["item"].(object))
			continue
		}
		if index >= len(built) || finished[index] {
			t.Fatalf("%s of an item that is not there: %s", kind, data)
		}
		if kind == "output_item.done" {
			finished[index] = true
			compare(t, built[index], event["item"].(object))
			built[index] = event["item"].(object)
			continue
		}
		if event["item_id"] != built[index]["id"] {
			t.Fatalf("%s of item %v, not %v", kind, event["item_id"], built[index]["id"])
		}
		accumulate(t, built[index], kind, event)
	}
	output := got.final["output"].([]any)
	for i, it := range built {
		if !finished[i] {
			t.Errorf("item %d was not done", i)
		}
		if diff := cmp.Diff(any(it), output[i]); diff != "" {
			t.Errorf("item %d in the last event (-done +last): %s", i, diff)
		}
	}
	if len(output) != len(built) {
		t.Errorf("%d items in the last event, %d were added", len(output), len(built))
	}
	return got
}

// accumulate does what the helpers of the SDKs do with the pieces of an item.
func accumulate(t testing.TB, it object, kind string, event object) {
	t.Helper()
	index := 0
	for _, name := range []string{"content_index", "summary_index"} {
		if n, ok := event[name].(float64); ok {
			index = int(n)
		}
	}
	list := "content"
	if strings.HasPrefix(kind, "reasoning_summary") {
		list = "summary"
	}
	parts, _ := it[list].([]any)
	grow := func(name string) {
		if index >= len(parts) {
			t.Fatalf("%s of part %d, which was not added", kind, index)
		}
		part := parts[index].(object)
		part[name] = part[name].(string) + event["delta"].(string)
	}
	switch kind {
	case "content_part.added", "reasoning_summary_part.added":
		it[list] = append(parts, event["part"])
	case "output_text.delta":
		_ = event["logprobs"].([]any)
		grow("text")
	case "reasoning_text.delta", "reasoning_summary_text.delta":
		grow("text")
	case "refusal.delta":
		grow("refusal")
	case "custom_tool_call_input.delta":
		it["input"] = it["input"].(string) + event["delta"].(string)
	case "function_call_arguments.delta":
		it["arguments"] = it["arguments"].(string) + event["delta"].(string)
	case "output_text.annotation.added":
		part := parts[index].(object)
		part["annotations"] = append(part["annotations"].([]any), event["annotation"])
	case "output_text.done":
		parts[index].(object)["logprobs"] = event["logprobs"]
	case "function_call_arguments.done":
		it["arguments"] = event["arguments"]
	}
}

// compare holds an item that is done to what was said of it on the way.
func compare(t testing.TB, built, item object) {
	t.Helper()
	built["status"] = item["status"]
	for _, name := range []string{"encrypted_content", "result", "output_format"} {
		if value, ok := item[name]; ok {
			built[name] = value
		}
	}
	if diff := cmp.Diff(built, item); diff != "" {
		t.Errorf("an item (-built +done): %s", diff)
	}
}

// everything is an answer of all that there is.
var everything = []dialect.Event{
	{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "h", Format: dialect.FormatAnthropic}},
	{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "m", Format: dialect.FormatAnthropic}},
	{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningText, Signature: "sig", Format: dialect.FormatAnthropic}},
	{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningSummary, Text: "short", ID: "r", Format: "openai-responses-v1", Index: 1}},
	{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "blob", ID: "r", Format: "openai-responses-v1", Index: 1}},
	{Kind: dialect.EventText, Text: "a \"b\"\n"},
	{Kind: dialect.EventLogprobs, Raw: []byte("{\"content\":[{\"token\":\"a\",\n\"logprob\":-1,\"bytes\":[97],\"top_logprobs\":[]}]}")},
	{Kind: dialect.EventText, Text: "é"},
	{Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation","url_citation":{"url":"https://a/b","title":"t","content":"c","start_index":0,"end_index":1}}`)},
	{Kind: dialect.EventRefusal, Text: "no"},
	{Kind: dialect.EventImage, Text: "data:image/png;base64,AAAA"},
	{Kind: dialect.EventToolCall, ID: "x", Text: "f"},
	{Kind: dialect.EventToolArguments, Text: `{"a":`},
	{Kind: dialect.EventToolCall, Index: 1, ID: "y", Text: "g"},
	{Kind: dialect.EventToolArguments, Text: `1}`},
	{Kind: dialect.EventTier, Text: "flex"},
	{Kind: dialect.EventFinish, Text: "tool_use"},
}

func stream(encoder dialect.Encoder, events []dialect.Event) string {
	var out []byte
	for _, event := range events {
		out = encoder.Event(out, event)
	}
	return string(encoder.Finish(out, usage))
}

func TestRow136Stream(t *testing.T) {
	got := receive(t, stream(encoderFor(t, `{"input":"hi"}`), everything))
	want := []string{
		"created", "in_progress",
		"output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.delta", "reasoning_text.done", "content_part.done", "output_item.done",
		"output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
		"output_item.added", "content_part.added", "output_text.delta", "output_text.delta", "output_text.annotation.added", "output_text.done", "content_part.done",
		"content_part.added", "refusal.delta", "refusal.done", "content_part.done", "output_item.done",
		"output_item.added", "image_generation_call.in_progress", "image_generation_call.completed", "output_item.done",
		"output_item.added", "function_call_arguments.delta", "output_item.added", "function_call_arguments.delta",
		"function_call_arguments.done", "output_item.done", "function_call_arguments.done", "output_item.done",
		"completed",
	}
	if diff := cmp.Diff(want, got.kinds); diff != "" {
		t.Error(diff)
	}
	if got.final["service_tier"] != "flex" || got.final["openrouter_metadata"] == nil || got.final["completed_at"] != 1700000001.0 {
		t.Errorf("the last event has %v", got.final)
	}
}

func TestRow134Whole(t *testing.T) {
	streamed := receive(t, stream(encoderFor(t, `{"input":"hi"}`), everything)).final
	body := encoderFor(t, `{"input":"hi"}`).Whole(nil, everything, usage)
	var whole object
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if diff := cmp.Diff(streamed, whole); diff != "" {
		t.Errorf("whole and streamed differ: %s", diff)
	}
	if whole["object"] != "response" || whole["status"] != "completed" || whole["id"] != meta.ID {
		t.Errorf("%s", body)
	}
	want := object{
		"input_tokens": 10.0, "input_tokens_details": object{"cached_tokens": 4.0, "cache_write_tokens": 3.0},
		"output_tokens": 5.0, "output_tokens_details": object{"reasoning_tokens": 3.0}, "total_tokens": 15.0,
		"cost": 0.003, "is_byok": false, "cost_details": object{
			"upstream_inference_cost": 0.003, "upstream_inference_input_cost": 0.001, "upstream_inference_output_cost": 0.002,
		},
	}
	if diff := cmp.Diff(want, whole["usage"]); diff != "" {
		t.Error(diff)
	}
}

// What strict SDKs demand is there in the first event already, and the client's
// own settings come back.
func TestEcho(t *testing.T) {
	out := string(encoderFor(t, "{\"input\":\"hi\",\"temperature\":0.5,\"metadata\":{\n\"a\":\"b\"},\"store\":false}").Event(nil, dialect.Event{Kind: dialect.EventTier}))
	first, _, _ := strings.Cut(out, "\n\n")
	var event struct{ Response object }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(first, "data: ")), &event); err != nil || strings.Contains(first, "\n") {
		t.Fatalf("%v in %q", err, first)
	}
	for _, name := range []string{
		"id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "model", "output", "usage",
		"frequency_penalty", "presence_penalty", "metadata", "instructions", "parallel_tool_calls", "temperature",
		"tool_choice", "tools", "top_p", "text", "reasoning", "store", "previous_response_id", "truncation", "service_tier",
	} {
		if _, ok := event.Response[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if event.Response["temperature"] != 0.5 || fmt.Sprint(event.Response["metadata"]) != "map[a:b]" {
		t.Errorf("the settings are %v", event.Response)
	}
}

// A tool that takes plain text is a function to the provider, and its calls are plain
// text again.
func TestCustomTools(t *testing.T) {
	body := `{"input":"hi","tools":[{"type":"custom","name":"f","description":"d","format":{"type":"grammar","syntax":"lark","definition":"start: A"}}]}`
	tool := chatOf(t, body).Tools[0]
	if tool.Name != "f" || !strings.Contains(tool.Description, "lark grammar:\nstart: A") || !strings.Contains(string(tool.Parameters), `"input"`) {
		t.Errorf("the tool is %+v", tool)
	}
	for arguments, want := range map[string]string{`{"input":"a \"b\"\n"}`: "a \"b\"\n", `plain`: "plain", `{"input":"a"`: `{"input":"a"`} {
		got := receive(t, stream(encoderFor(t, body), []dialect.Event{
			{Kind: dialect.EventToolCall, ID: "x", Text: "f"},
			{Kind: dialect.EventToolArguments, Text: arguments[:4]}, {Kind: dialect.EventToolArguments, Text: arguments[4:]},
		}))
		it := got.final["output"].([]any)[0].(object)
		if it["type"] != "custom_tool_call" || it["input"] != want || it["call_id"] != "x" || it["name"] != "f" {
			t.Errorf("%s: %v", arguments, it)
		}
	}
	chat := chatOf(t, `{"input":[{"type":"custom_tool_call","call_id":"x","name":"f","input":"a\n"},{"type":"custom_tool_call_output","call_id":"x","output":"one"}]}`)
	if call := chat.Messages[0].Parts[0].Call; call.Arguments != `{"input":"a\n"}` || chat.Messages[1].Parts[0].Result.CallID != "x" {
		t.Errorf("the conversation is %+v", chat.Messages)
	}
}

func TestWhatThisAPIHasNoPlaceFor(t *testing.T) {
	got := receive(t, stream(encoderFor(t, `{"input":"hi"}`), []dialect.Event{
		{Kind: dialect.EventText, Choice: 1, Text: "second"},
		{Kind: dialect.EventToolArguments, Index: 3, Text: "of no call"},
		{Kind: dialect.EventText, Text: ""}, // a sign of life
	}))
	if diff := cmp.Diff([]string{"created", "in_progress", "completed"}, got.kinds); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	bounded := encoderFor(t, `{"input":"hi"}`)
	bounded.(*encoder).held = largestAnswer - itemCost - 2
	got := receive(t, stream(bounded, []dialect.Event{
		{Kind: dialect.EventText, Text: "ab"}, {Kind: dialect.EventText, Text: "c"}, {Kind: dialect.EventFinish, Text: "stop"},
	}))
	if text := fmt.Sprint(got.final["output"]); got.final["status"] != "incomplete" || !strings.Contains(text, "text:ab ") {
		t.Errorf("%v: %s", got.final["status"], text)
	}
}

func TestHowAnswersEnd(t *testing.T) {
	for _, test := range []struct{ finish, status, reason, item string }{
		{"stop", "completed", "", "completed"},
		{"", "completed", "", "completed"},
		{"max_tokens", "incomplete", "max_output_tokens", "incomplete"},
		{"refusal", "incomplete", "content_filter", "incomplete"},
		{"error", "failed", "", "incomplete"},
	} {
		got := receive(t, stream(encoderFor(t, `{"input":"hi"}`), []dialect.Event{{Kind: dialect.EventText, Text: "a"}, {Kind: dialect.EventFinish, Text: test.finish}}))
		details, _ := got.final["incomplete_details"].(object)
		reason, _ := details["reason"].(string)
		item := got.final["output"].([]any)[0].(object)["status"]
		if last := got.kinds[len(got.kinds)-1]; last != test.status || got.final["status"] != test.status || reason != test.reason || item != test.item {
			t.Errorf("%q: %s, %v, %q, item %v", test.finish, last, got.final["status"], reason, item)
		}
	}
}

func TestRow137Failure(t *testing.T) {
	failure := &dialect.Error{Status: 429, Type: "rate_limit_exceeded", Message: "slow down", Metadata: map[string]any{"a": 1}, RouterMetadata: []byte(`{"x":1}`)}
	encoder := encoderFor(t, `{"input":"hi"}`)
	out := encoder.Event(nil, dialect.Event{Kind: dialect.EventText, Text: "half"})
	got := receive(t, string(encoder.Fail(out, failure)))
	want := object{"code": "rate_limit_exceeded", "message": "slow down"}
	if diff := cmp.Diff(any(want), got.final["error"]); diff != "" || got.kinds[len(got.kinds)-1] != "failed" || got.final["error_type"] != failure.Type {
		t.Errorf("%s\n%v", diff, got)
	}
	body := string(Client{}.Error(failure))
	if want := `{"error":{"code":429,"message":"slow down","metadata":{"a":1}},"error_type":"rate_limit_exceeded","openrouter_metadata":{"x":1}}`; body != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

// An image is the result of a call, and its data is that alone.
func TestImages(t *testing.T) {
	got := receive(t, stream(encoderFor(t, `{"input":"hi"}`), []dialect.Event{
		{Kind: dialect.EventText, Text: "here"},
		{Kind: dialect.EventImage, Text: "data:image/jpeg;base64,AAAA"},
		{Kind: dialect.EventImage, Index: 1, Text: "https://a/b.png"},
		{Kind: dialect.EventText, Text: "done"},
	}))
	var images []any
	for _, item := range got.final["output"].([]any) {
		if item.(object)["type"] == imageCall {
			images = append(images, item)
		}
	}
	id := "ig_tmp_abcdefghijklmnopqrst"
	want := []any{
		object{"id": id + "1", "type": imageCall, "status": "completed", "result": "AAAA", "output_format": "jpeg"},
		object{"id": id + "2", "type": imageCall, "status": "completed", "result": "https://a/b.png"},
	}
	if diff := cmp.Diff(want, images); diff != "" {
		t.Error(diff)
	}
}

// An answer that became too long is one, and no failure (spec section 4.3).
func TestLengthIsNoFailure(t *testing.T) {
	for kind, status := range map[string]string{
		"context_length_exceeded": incomplete, "max_tokens_exceeded": incomplete, "token_limit_exceeded": incomplete, "invalid_request": "failed",
	} {
		encoder := encoderFor(t, `{"input":"hi"}`)
		out := encoder.Event(nil, dialect.Event{Kind: dialect.EventText, Text: "half"})
		got := receive(t, string(encoder.Fail(out, &dialect.Error{Status: 400, Type: kind, Message: "too long"})))
		if got.final["status"] != status || got.kinds[len(got.kinds)-1] != status || (got.final["error"] == nil) != (status == incomplete) {
			t.Errorf("%s: %v, %v", kind, got.kinds, got.final)
		}
	}
}

// TestRow101ReasoningRoundTrip sends an answer's items back as input.
func TestRow101ReasoningRoundTrip(t *testing.T) {
	var whole struct{ Output json.RawMessage }
	if err := json.Unmarshal(encoderFor(t, `{"input":"hi"}`).Whole(nil, everything[:6], usage), &whole); err != nil {
		t.Fatal(err)
	}
	chat := chatOf(t, `{"input":`+string(whole.Output)+`}`)
	var got []dialect.ReasoningDetail
	for _, part := range chat.Messages[0].Parts {
		if part.Reasoning != nil {
			got = append(got, *part.Reasoning)
		}
	}
	want := []dialect.ReasoningDetail{
		{Type: dialect.ReasoningText, Text: "hm", Signature: "sig", Format: dialect.FormatAnthropic, Index: 1, Endpoint: meta.Endpoint},
		{Type: dialect.ReasoningSummary, Text: "short", ID: "r", Format: dialect.FormatResponses, Index: 2, Endpoint: meta.Endpoint},
		{Type: dialect.ReasoningEncrypted, Data: "blob", ID: "r", Format: dialect.FormatResponses, Index: 2, Endpoint: meta.Endpoint},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzEncoder holds any order of pieces to what SDKs rely on.
func FuzzEncoder(f *testing.F) {
	f.Add([]byte{0, 3, 5, 9, 10, 12, 13, 15})
	f.Add([]byte{12, 10, 12, 10, 4, 8, 7, 6, 9, 8})
	f.Fuzz(func(t *testing.T, order []byte) {
		var events []dialect.Event
		calls := 0
		for _, b := range order[:min(len(order), 200)] {
			event := everything[int(b)%len(everything)]
			switch event.Kind {
			case dialect.EventToolCall:
				event.ID, event.Index = fmt.Sprint("call", calls), calls
				calls++
			case dialect.EventToolArguments:
				event.Index = int(b)%(calls+1) - 1
			}
			events = append(events, event)
		}
		got := receive(t, stream(encoderFor(t, `{"input":"hi","tools":[{"type":"custom","name":"g"}]}`), events))
		var whole object
		if err := json.Unmarshal(encoderFor(t, `{"input":"hi","tools":[{"type":"custom","name":"g"}]}`).Whole(nil, events, usage), &whole); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got.final, whole); diff != "" {
			t.Fatal(diff)
		}
	})
}
