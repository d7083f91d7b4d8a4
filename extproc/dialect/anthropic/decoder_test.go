package anthropic

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decode reads data, one event a line.
func decode(t *testing.T, lines string) []dialect.Event {
	t.Helper()
	decoder := Provider{}.Decoder()
	var all []dialect.Event
	for line := range strings.Lines(lines) {
		events, err := decoder.Event(sse.Event{Data: []byte(line)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
	}
	return all
}

// known-failures 29.
func TestDecoder(t *testing.T) {
	detail := func(text, signature string, index int) dialect.Event {
		return dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningText, Text: text, Signature: signature, Format: dialect.FormatAnthropic, Index: index}}
	}
	text := func(text string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: text} }
	call := func(index int, id, name string) dialect.Event {
		return dialect.Event{Kind: dialect.EventToolCall, Index: index, ID: id, Text: name}
	}
	arguments := func(index int, text string) dialect.Event {
		return dialect.Event{Kind: dialect.EventToolArguments, Index: index, Text: text}
	}
	end := dialect.Event{Kind: dialect.EventDone}
	for _, test := range []struct {
		name, lines string
		want        []dialect.Event
	}{
		{"pings and unknown events", `{"type":"ping"}
{"type":"something_new","x":1}
{"type":"message_stop"}`, []dialect.Event{end}},
		{"a second message_start", `{"type":"message_start","message":{"id":"a"}}
{"type":"message_start","message":{"id":"b"}}`, []dialect.Event{{Kind: dialect.EventStart, Text: "a"}}},
		{"thinking, its signature, and redacted", `{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}
{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}
{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}
{"type":"content_block_stop","index":0}
{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"d"}}
{"type":"content_block_stop","index":1}`,
			[]dialect.Event{detail("hm", "", 0), detail("", "s", 0), {Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
				Type: dialect.ReasoningEncrypted, Data: "d", Format: dialect.FormatAnthropic, Index: 1}}}},
		{"calls count tools only", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}
{"type":"content_block_stop","index":0}
{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t1","name":"f","input":{}}}
{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}
{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}
{"type":"content_block_stop","index":1}
{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t2","name":"g","input":{"a":1}}}
{"type":"content_block_stop","index":2}`,
			[]dialect.Event{text("hi"), call(0, "t1", "f"), arguments(0, "{}"), call(1, "t2", "g"), arguments(1, `{"a":1}`)}},
		{"a block that never stops", `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t1","name":"f","input":{}}}
{"type":"message_delta","delta":{"stop_reason":"tool_use"}}
{"type":"message_stop"}`,
			[]dialect.Event{call(0, "t1", "f"), arguments(0, "{}"), {Kind: dialect.EventFinish, Text: "tool_use"}, end}},
		{"a block whose start was lost", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}`, []dialect.Event{text("hi")}},
		{"a citation of the web", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"é1"}}
{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://a","title":"A","cited_text":"c"}}}
{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"c"}}}`,
			[]dialect.Event{text("é1"), {Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation","url_citation":{"url":"https://a","title":"A","content":"c","start_index":0,"end_index":2}}`)}}},
		{"the provider's own tools are not the client's", `{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"x","name":"web_search","input":{}}}
{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}
{"type":"content_block_stop","index":0}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, decode(t, test.lines)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name, lines string
		want        dialect.Usage
	}{
		{"exclusive counts become inclusive", `{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":30,"cache_creation_input_tokens":5,"output_tokens":1}}}
{"type":"message_delta","delta":{},"usage":{"output_tokens":20}}`, dialect.Usage{Prompt: 45, Completion: 20, CacheRead: 30, CacheWrite: 5}},
		{"tiers of cache writes", `{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}}}}`,
			dialect.Usage{Prompt: 17, CacheWrite: 3, CacheWrite1h: 4}},
		{"later counts are cumulative", `{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}}}}
{"type":"message_delta","delta":{},"usage":{"input_tokens":12,"cache_creation_input_tokens":9,"output_tokens":3,"output_tokens_details":{"thinking_tokens":2}}}`,
			dialect.Usage{Prompt: 21, Completion: 3, CacheWrite: 5, CacheWrite1h: 4, Reasoning: 2}},
		{"searches", `{"type":"message_delta","delta":{},"usage":{"input_tokens":9,"output_tokens":3,"server_tool_use":{"web_search_requests":2}}}`,
			dialect.Usage{Prompt: 9, Completion: 3, WebSearches: 2}},
		{"nonsense", `{"type":"message_delta","delta":{},"usage":{"input_tokens":-1,"output_tokens":"x","cache_creation":null}}`, dialect.Usage{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			events := decode(t, test.lines)
			if diff := cmp.Diff(test.want, events[len(events)-1].Usage); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorEvent(t *testing.T) {
	for _, test := range []struct {
		name, event, data string
		want              dialect.ProviderFailure
	}{
		{"overloaded", "error", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, dialect.ProviderFailure{Status: 503, Message: "Overloaded", Code: "overloaded_error"}},
		{"without an event name", "", `{"type":"error","error":{"type":"rate_limit_error","message":"Slow"}}`, dialect.ProviderFailure{Status: 429, Message: "Slow", Code: "rate_limit_error"}},
		{"without a message", "error", `{}`, dialect.ProviderFailure{Status: 502, Message: "The provider answered with status 502 (Bad Gateway) and gave no reason."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Provider{}.Decoder().Event(sse.Event{Name: test.event, Data: []byte(test.data)})
			var failure *dialect.ProviderFailure
			if !errors.As(err, &failure) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(test.want, *failure); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWholeRefuses(t *testing.T) {
	for _, body := range []string{"", "<html>", "{}", "[]", `{"content":"x"}`, `{"type":"error","error":{"type":"api_error","message":"x"}}`} {
		if events, err := (Provider{}).Decoder().Whole([]byte(body)); err == nil {
			t.Errorf("%s was read as %v", body, events)
		}
	}
}

// FuzzStream holds that no provider can make the decoder panic, that the client
// can read what comes of its stream, and that the way it is cut makes no difference.
func FuzzStream(f *testing.F) {
	f.Add([]byte("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"usage\":{\"input_tokens\":1}}}\n\n"+
		"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"x\",\"name\":\"f\",\"input\":{}}}\n\ndata: {\"type\":\"message_stop\"}\n\n"), uint64(1))
	f.Add([]byte("data: {\"type\":\"content_block_delta\",\"index\":7,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"\\ud83d\"}}\r\n\r\n"), uint64(2))
	f.Add([]byte("event: error\ndata: {\"error\":{\"message\":[]}}\n\n"), uint64(3))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		whole := translate(t, [][]byte{stream})
		if cut := translate(t, cutAtRandom(seed, stream)); cut != whole {
			t.Errorf("cut differently:\n%s\n%s", whole, cut)
		}
		for line := range strings.SplitSeq(whole, "\n\n") {
			data, _ := strings.CutPrefix(line, "data: ")
			if data != "" && data != "[DONE]" && !json.Valid([]byte(data)) {
				t.Errorf("a client cannot read %q", data)
			}
		}
	})
}

func translate(t *testing.T, chunks [][]byte) string {
	t.Helper()
	pipe := dialect.NewPipe(openai.Client{}, Provider{}, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"})
	var reader sse.Reader
	var out []byte
	read := func() bool {
		for {
			event, ok, err := reader.Next()
			if err != nil || !ok {
				return err == nil
			}
			if out, err = pipe.Event(out, event); err != nil {
				out = pipe.Fail(out, &dialect.Error{Status: 502, Message: "x"})
				return false
			}
		}
	}
	for _, chunk := range chunks {
		reader.Feed(chunk)
		if !read() {
			return string(out)
		}
	}
	reader.End()
	if read() {
		out = pipe.Finish(out)
	}
	return string(out)
}

func FuzzWhole(f *testing.F) {
	f.Add([]byte(`{"id":"a","content":[{"type":"text","text":"x","citations":[{"url":"u"}]},{"type":"tool_use","input":{}},{"type":"thinking"}],"stop_reason":"end_turn","usage":{"input_tokens":1}}`))
	f.Add([]byte(`{"content":[1,null,{"type":"redacted_thinking"}],"usage":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		pipe := dialect.NewPipe(openai.Client{}, Provider{}, &dialect.Request{}, dialect.Meta{})
		if out, err := pipe.Whole(nil, body); err == nil && !json.Valid(out) {
			t.Errorf("a client cannot read %q", out)
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"reasoning":{"effort":"low"},"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","items":[{}]}}},"tools":[{"function":{"parameters":{"a":1}}}],"messages":[{"role":"user","content":"x"}]}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","content":[{"type":"text","text":" x "}],"tool_calls":[{"id":"é","function":{"name":"f","arguments":"[]"}}]},{"role":"tool","tool_call_id":"é"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := openai.Client{}.Parse(body)
		if err != nil {
			return
		}
		upstream, err := Provider{}.Request(request, dialect.Target{Model: "claude", ServiceTier: "priority"})
		if err != nil {
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Message == "" {
				t.Fatalf("not an error for a client: %v", err)
			}
			return
		}
		var sent struct {
			Messages []struct {
				Role    string
				Content []struct{ Type, Text string }
			}
		}
		if err := json.Unmarshal(upstream.Body, &sent); err != nil {
			t.Fatalf("%v in %s", err, upstream.Body)
		}
		for i, turn := range sent.Messages {
			if want := []string{"user", "assistant"}[i%2]; turn.Role != want {
				t.Errorf("turn %d is the %s's in %s", i, turn.Role, upstream.Body)
			}
			for _, block := range turn.Content {
				if block.Type == "text" && strings.TrimSpace(block.Text) == "" {
					t.Errorf("empty text in %s", upstream.Body)
				}
			}
		}
	})
}
