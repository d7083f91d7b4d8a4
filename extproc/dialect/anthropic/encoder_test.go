package anthropic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

func testMeta() dialect.Meta {
	return dialect.Meta{
		ID: "gen-1", Model: "m/x", Provider: "A",
		Price:          func(dialect.Usage) dialect.Cost { return dialect.Cost{Total: "0.5", Prompt: "0.2", Completion: "0.3"} },
		RouterMetadata: []byte(`{"region":"here"}`),
	}
}

func testUsage() dialect.Usage {
	return dialect.Usage{Prompt: 100, Completion: 9, CacheRead: 50, CacheWrite: 20, CacheWrite1h: 10, Reasoning: 4}
}

// assembled is a message put together as the SDKs do it.
type assembled struct {
	Message map[string]any
	Failure map[string]any
}

// assemble reads a stream as the SDKs do, and fails the test where they would fail or
// misread: on an event out of order, a block that is not open, a second signature.
func assemble(t testing.TB, stream []byte) assembled {
	t.Helper()
	var reader sse.Reader
	reader.Feed(stream)
	reader.End()
	var made assembled
	var content []map[string]any
	inputs, open, ended := map[int]string{}, map[int]bool{}, false
	for {
		event, ok, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		var data struct {
			Type, Name   string
			Index        int
			Message      map[string]any
			ContentBlock map[string]any `json:"content_block"`
			Delta        map[string]any
			Usage        map[string]any
			Metadata     any `json:"openrouter_metadata"`
			Error        map[string]any
		}
		if err := json.Unmarshal(event.Data, &data); err != nil {
			t.Fatalf("%v in %s", err, event.Data)
		}
		if data.Type != event.Name {
			t.Fatalf("event %q has data of type %q", event.Name, data.Type)
		}
		if (made.Message == nil) != (data.Type == "message_start") && data.Type != "ping" && data.Type != "error" || ended {
			t.Fatalf("%s is out of order", data.Type)
		}
		switch data.Type {
		case "message_start":
			made.Message = data.Message
		case "content_block_start":
			if data.Index != len(content) {
				t.Fatalf("block %d begins after %d blocks", data.Index, len(content))
			}
			content, open[data.Index] = append(content, data.ContentBlock), true
		case "content_block_delta":
			if !open[data.Index] {
				t.Fatalf("a delta for block %d, which is not open", data.Index)
			}
			addDelta(t, content[data.Index], data.Delta, inputs, data.Index)
		case "content_block_stop":
			if !open[data.Index] {
				t.Fatalf("block %d ends and is not open", data.Index)
			}
			open[data.Index] = false
		case "message_delta":
			for index, isOpen := range open {
				if isOpen {
					t.Fatalf("block %d is open at the end", index)
				}
			}
			for name, value := range data.Delta {
				made.Message[name] = value
			}
			made.Message["usage"] = data.Usage
		case "message_stop":
			ended = true
			if data.Metadata != nil {
				made.Message["openrouter_metadata"] = data.Metadata
			}
		case "error":
			made.Failure = data.Error
			return made
		}
	}
	if !ended {
		t.Fatal("the stream has no message_stop")
	}
	for index, input := range inputs {
		var value any
		if json.Unmarshal([]byte(input), &value) != nil {
			value = map[string]any{}
		}
		content[index]["input"] = value
	}
	made.Message["content"] = []any{}
	for _, block := range content {
		made.Message["content"] = append(made.Message["content"].([]any), any(block))
	}
	return made
}

func addDelta(t testing.TB, block, delta map[string]any, inputs map[int]string, index int) {
	t.Helper()
	wanted := map[string]string{"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking", "input_json_delta": "tool_use", "citations_delta": "text"}
	if kind := delta["type"].(string); wanted[kind] != block["type"] {
		t.Fatalf("%s in a block of %s", kind, block["type"])
	}
	switch delta["type"] {
	case "text_delta":
		block["text"] = block["text"].(string) + delta["text"].(string)
	case "thinking_delta":
		block["thinking"] = block["thinking"].(string) + delta["thinking"].(string)
	case "signature_delta":
		if block["signature"] != "" {
			t.Fatal("a second signature would replace the first")
		}
		block["signature"] = delta["signature"]
	case "input_json_delta":
		inputs[index] += delta["partial_json"].(string)
	case "citations_delta":
		cited, _ := block["citations"].([]any)
		block["citations"] = append(cited, delta["citation"])
	}
}

// bothWays encodes events as a stream and whole, which must say the same.
func bothWays(t testing.TB, events []dialect.Event) map[string]any {
	t.Helper()
	encoder := Client{}.Encoder(testMeta())
	var stream []byte
	for _, event := range events {
		stream = encoder.Event(stream, event)
	}
	stream = encoder.Finish(stream, testUsage())
	streamed := assemble(t, stream).Message
	body := Client{}.Encoder(testMeta()).Whole(nil, events, testUsage())
	var whole map[string]any
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if diff := cmp.Diff(whole, streamed); diff != "" {
		t.Fatalf("whole and streamed differ:\n%s\n%s", diff, stream)
	}
	return whole
}

func say(text string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: text} }

func toolCall(index int, id string) dialect.Event {
	return dialect.Event{Kind: dialect.EventToolCall, Index: index, ID: id, Text: "f"}
}

func argue(index int, text string) dialect.Event {
	return dialect.Event{Kind: dialect.EventToolArguments, Index: index, Text: text}
}

func thinks(detail dialect.ReasoningDetail) dialect.Event {
	return dialect.Event{Kind: dialect.EventReasoning, Reasoning: detail}
}

func finish(reason string) dialect.Event {
	return dialect.Event{Kind: dialect.EventFinish, Text: reason}
}

// known-failures 32.
func TestRow139Encoder(t *testing.T) {
	own := func(text, signature string) dialect.Event {
		return thinks(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: text, Signature: signature, Format: dialect.FormatAnthropic})
	}
	for _, test := range []struct {
		name            string
		events          []dialect.Event
		content, reason string
	}{
		{"nothing", nil, `[]`, "end_turn"},
		{"text", []dialect.Event{say("a"), say(""), say("b"), finish("stop")}, `[{"text":"ab","type":"text"}]`, "end_turn"},
		{"length", []dialect.Event{say("a"), finish("length")}, `[{"text":"a","type":"text"}]`, "max_tokens"},
		{"the provider's own reason", []dialect.Event{say("a"), finish("stop_sequence")}, `[{"text":"a","type":"text"}]`, "stop_sequence"},
		{"a refusal", []dialect.Event{{Kind: dialect.EventRefusal, Text: "no"}, finish("stop")}, `[{"text":"no","type":"text"}]`, "refusal"},
		{"calls in a row", []dialect.Event{say("so"), toolCall(0, "a"), argue(0, `{"x":`), argue(0, `1}`), toolCall(1, "b"), argue(1, `{}`), finish("tool_calls")},
			`[{"text":"so","type":"text"},{"id":"a","input":{"x":1},"name":"f","type":"tool_use"},{"id":"b","input":{},"name":"f","type":"tool_use"}]`, "tool_use"},
		{"calls mixed, and no word on them", []dialect.Event{toolCall(0, "a"), toolCall(1, "b"), argue(1, `{"y":`), argue(0, `{"x":1}`), argue(1, `2}`), finish("stop")},
			`[{"id":"a","input":{"x":1},"name":"f","type":"tool_use"},{"id":"b","input":{"y":2},"name":"f","type":"tool_use"}]`, "tool_use"},
		{"thoughts, of which a signature ends one", []dialect.Event{own("hm", ""), own("", "s"), own("so", "t"), say("a")},
			`[{"signature":"s","thinking":"hm","type":"thinking"},{"signature":"t","thinking":"so","type":"thinking"},{"text":"a","type":"text"}]`, "end_turn"},
		{"a signature in pieces", []dialect.Event{own("hm", ""), own("", "s1"), own("", "s2")}, `[{"signature":"s1s2","thinking":"hm","type":"thinking"}]`, "end_turn"},
		{"redacted", []dialect.Event{thinks(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "d", Format: dialect.FormatAnthropic}), say("a")},
			`[{"data":"d","type":"redacted_thinking"},{"text":"a","type":"text"}]`, "end_turn"},
		{"unsigned thoughts", []dialect.Event{thinks(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "hm", Format: dialect.FormatUnknown})},
			`[{"signature":"","thinking":"hm","type":"thinking"}]`, "end_turn"},
		{"a citation", []dialect.Event{say("a"), {Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation","url_citation":{"url":"https://a/b","title":"t","content":"c"}}`)}},
			`[{"citations":[{"cited_text":"c","encrypted_index":"","title":"t","type":"web_search_result_location","url":"https://a/b"}],"text":"a","type":"text"}]`, "end_turn"},
		{"another choice", []dialect.Event{say("a"), {Kind: dialect.EventText, Choice: 1, Text: "b"}}, `[{"text":"a","type":"text"}]`, "end_turn"},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := bothWays(t, test.events)
			content, _ := json.Marshal(message["content"])
			if diff := cmp.Diff(test.content, string(content)); diff != "" {
				t.Error(diff)
			}
			if message["stop_reason"] != test.reason {
				t.Errorf("stop_reason %v, want %q", message["stop_reason"], test.reason)
			}
		})
	}
}

func TestRow138Message(t *testing.T) {
	message := bothWays(t, []dialect.Event{{Kind: dialect.EventTier, Text: "priority"}, say("a"), finish("stop")})
	delete(message, "content")
	got, _ := json.Marshal(message)
	const want = `{"id":"gen-1","model":"m/x","openrouter_metadata":{"region":"here"},"provider":"A","role":"assistant","stop_reason":"end_turn","stop_sequence":null,"type":"message",` +
		`"usage":{"cache_creation":{"ephemeral_1h_input_tokens":10,"ephemeral_5m_input_tokens":20},"cache_creation_input_tokens":30,"cache_read_input_tokens":50,` +
		`"cost":0.5,"cost_details":{"upstream_inference_completions_cost":0.3,"upstream_inference_cost":0.5,"upstream_inference_prompt_cost":0.2},` +
		`"input_tokens":20,"is_byok":false,"output_tokens":9,"output_tokens_details":{"thinking_tokens":4},"server_tool_use":null,"service_tier":"priority"}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestCallsEndInTurn: a provider that makes its calls one after the other has them
// told one after the other.
func TestCallsEndInTurn(t *testing.T) {
	encoder := Client{}.Encoder(testMeta())
	var stream []byte
	for _, event := range []dialect.Event{toolCall(0, "a"), argue(0, `{"x":1}`), toolCall(1, "b"), argue(1, `{}`)} {
		stream = encoder.Event(stream, event)
	}
	var names []string
	for line := range strings.Lines(string(encoder.Finish(stream, testUsage()))) {
		if name, is := strings.CutPrefix(line, "event: "); is {
			names = append(names, strings.TrimSpace(name))
		}
	}
	want := []string{"message_start", "ping", "content_block_start", "content_block_delta", "content_block_stop",
		"content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestMidStreamError(t *testing.T) {
	encoder := Client{}.Encoder(testMeta())
	stream := encoder.Event(nil, say("a"))
	stream = encoder.Fail(stream, &dialect.Error{Status: 503, Type: "provider_overloaded", Message: "busy\nnow"})
	want := map[string]any{"type": "overloaded_error", "message": "busy\nnow", "error_type": "provider_overloaded"}
	if diff := cmp.Diff(want, assemble(t, stream).Failure); diff != "" {
		t.Error(diff)
	}
}

// TestRow101ForeignReasoningRoundTrip: what other makers prove their reasoning with
// comes back to them as it was, through fields that have no place for it.
func TestRow101ForeignReasoningRoundTrip(t *testing.T) {
	for _, want := range []dialect.ReasoningDetail{
		{Type: dialect.ReasoningText, Text: "hm", Signature: "sig", Format: "google-gemini-v1"},
		{Type: dialect.ReasoningEncrypted, Data: "gAAAA", ID: "rs_1", Format: "openai-responses-v1"},
		{Type: dialect.ReasoningSummary, Text: "short", ID: "rs_1", Format: "openai-responses-v1"},
		{Type: dialect.ReasoningText, Text: "hm", Signature: "c2ln", Format: dialect.FormatAnthropic},
		{Type: dialect.ReasoningEncrypted, Data: "EmwK", Format: dialect.FormatAnthropic},
		{Type: dialect.ReasoningText, Text: "hm", Format: dialect.FormatUnknown},
	} {
		content, _ := json.Marshal(bothWays(t, []dialect.Event{thinks(want)})["content"])
		request := parse(t, fmt.Sprintf(`{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":%s}]}`, content))
		chat, err := request.Chat()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, chat.Messages[1].Parts[0].Reasoning); diff != "" {
			t.Errorf("%s of %s", diff, content)
		}
	}
}

// FuzzEncoder holds the stream to the SDKs' order and to the whole message, whatever
// a provider says in whatever order.
func FuzzEncoder(f *testing.F) {
	f.Add([]byte("0a1b2c3d4e5f6g7h"))
	f.Add([]byte("445566778899"))
	f.Fuzz(func(t *testing.T, choices []byte) {
		var events []dialect.Event
		calls := 0
		for i, choice := range choices {
			text := strings.ToValidUTF8(string(choices[:i%4]), "?") // as decoders do
			switch choice % 8 {
			case 0, 1:
				events = append(events, say(text))
			case 2:
				events = append(events, thinks(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: text, Index: i % 2}))
			case 3:
				events = append(events, thinks(dialect.ReasoningDetail{Type: dialect.ReasoningText, Signature: "s", Format: dialect.FormatAnthropic, Index: i % 2}))
			case 4:
				events = append(events, thinks(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "d", Format: "other", Index: i % 2}))
			case 5, 6:
				events = append(events, toolCall(calls, fmt.Sprint(calls)), argue(calls, `{"a"`), argue(calls, `:1}`))
				calls++
			case 7:
				events = append(events, finish(text))
			}
		}
		bothWays(t, events)
	})
}

func TestEventsAreOneLine(t *testing.T) {
	meta := testMeta()
	meta.RouterMetadata = []byte("{\n\"a\":\r1}")
	stream := Client{}.Encoder(meta).Finish(nil, testUsage())
	assemble(t, stream)
	if bytes.Contains(stream, []byte("\r")) {
		t.Errorf("%q", stream)
	}
}
