package responses

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

// lines are the data of events, each on a line of its own.
func decode(t testing.TB, lines string) []dialect.Event {
	t.Helper()
	decoder := Provider{}.Decoder()
	var all []dialect.Event
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		events, err := decoder.Event(sse.Event{Data: []byte(line)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
	}
	return all
}

// tell is an event about item i.
func tell(kind, members string) string {
	return `{"type":"response.` + kind + `","output_index":0,` + members + `}` + "\n"
}

const endOf = `{"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}`

func finish(text, reason string) dialect.Event {
	return dialect.Event{Kind: dialect.EventFinish, Text: text, Reason: reason}
}

func thoughtEvent(kind, text, data string, index int) dialect.Event {
	return dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
		Type: kind, Text: text, Data: data, ID: "rs_1", Format: dialect.FormatResponses, Index: index,
	}}
}

func TestDecoder(t *testing.T) {
	speaks := func(text string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: text} }
	begin := dialect.Event{Kind: dialect.EventStart, Text: "r"}
	end := dialect.Event{Kind: dialect.EventDone}
	for _, test := range []struct {
		name, stream string
		want         []dialect.Event // between the start and the end
	}{
		{"text", `{"type":"response.created","response":{"id":"r","service_tier":"auto"}}` + "\n" + tell("output_item.added", `"item":{"type":"message","content":[]}`) +
			tell("output_text.delta", `"content_index":0,"delta":"a"`) + tell("output_text.delta", `"content_index":0,"delta":"é"`) +
			tell("output_text.done", `"content_index":0,"text":"aé"`) + tell("content_part.done", `"part":{"type":"output_text","text":"aé"}`) +
			tell("output_item.done", `"item":{"type":"message","content":[{"type":"output_text","text":"aé"}]}`) + endOf,
			[]dialect.Event{speaks("a"), speaks("é"), finish("completed", "stop")}},
		{"text that was not streamed", tell("output_item.done", `"item":{"type":"message","content":[{"type":"output_text","text":"a"},{"type":"refusal","refusal":"no"}]}`) + endOf,
			[]dialect.Event{speaks("a"), {Kind: dialect.EventRefusal, Text: "no"}, finish("completed", "stop")}},
		{"all in the last event", `{"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"a"}]}]}}`,
			[]dialect.Event{speaks("a"), finish("completed", "stop")}},
		{"a refusal", tell("refusal.delta", `"content_index":0,"delta":"no"`) + tell("output_item.done", `"item":{"type":"message","content":[{"type":"refusal","refusal":"no"}]}`) + endOf,
			[]dialect.Event{{Kind: dialect.EventRefusal, Text: "no"}, finish("completed", "stop")}},
		{"annotations", tell("output_text.delta", `"delta":"a"`) + tell("output_text.annotation.added", `"annotation":{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":1}`) +
			tell("output_item.done", `"item":{"type":"message","content":[{"type":"output_text","text":"a","annotations":[{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":1},{"type":"file_citation"}]}]}`) + endOf,
			[]dialect.Event{speaks("a"), {Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":0,"end_index":1}}`)}, finish("completed", "stop")}},
		{"logprobs", tell("output_text.delta", `"delta":"a","logprobs":[{"token":"a","logprob":-1,"top_logprobs":[{"token":"b","logprob":-2}]}]`) + endOf,
			[]dialect.Event{speaks("a"), {Kind: dialect.EventLogprobs, Raw: []byte(`{"content":[{"token":"a","logprob":-1,"bytes":null,"top_logprobs":[{"token":"b","logprob":-2,"bytes":null}]}],"refusal":null}`)}, finish("completed", "stop")}},

		{"a call", tell("output_item.added", `"item":{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":""}`) +
			tell("function_call_arguments.delta", `"delta":"{\"a\""`) + tell("function_call_arguments.delta", `"delta":":1}"`) +
			tell("function_call_arguments.done", `"arguments":"{\"a\":1}"`) + tell("output_item.done", `"item":{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}`) + endOf,
			[]dialect.Event{{Kind: dialect.EventToolCall, ID: "c", Text: "f"}, {Kind: dialect.EventToolArguments, Text: `{"a"`}, {Kind: dialect.EventToolArguments, Text: `:1}`}, finish("completed", "tool_calls")}},
		{"calls without ids, their pieces mixed", `{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_a","name":"f"}}` + "\n" +
			`{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"fc_b","name":"g"}}` + "\n" +
			`{"type":"response.function_call_arguments.delta","output_index":1,"delta":"1"}` + "\n" + `{"type":"response.function_call_arguments.delta","output_index":0,"delta":"0"}` + "\n" + endOf,
			[]dialect.Event{{Kind: dialect.EventToolCall, ID: "fc_a", Text: "f"}, {Kind: dialect.EventToolCall, Index: 1, ID: "fc_b", Text: "g"},
				{Kind: dialect.EventToolArguments, Index: 1, Text: "1"}, {Kind: dialect.EventToolArguments, Text: "0"}, finish("completed", "tool_calls")}},
		{"a call of plain text", tell("output_item.added", `"item":{"type":"custom_tool_call","call_id":"c","name":"p","input":""}`) + tell("custom_tool_call_input.delta", `"delta":"a\"\n"`) +
			tell("output_item.done", `"item":{"type":"custom_tool_call","call_id":"c","name":"p","input":"a\"\n"}`) + endOf,
			[]dialect.Event{{Kind: dialect.EventToolCall, ID: "c", Text: "p"}, {Kind: dialect.EventToolArguments, Text: `{"input":"a\"\n`}, {Kind: dialect.EventToolArguments, Text: `"}`}, finish("completed", "tool_calls")}},

		{"reasoning", tell("output_item.added", `"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"early"}`) +
			tell("reasoning_summary_text.delta", `"item_id":"rs_1","summary_index":0,"delta":"a"`) + tell("reasoning_summary_text.delta", `"item_id":"rs_1","summary_index":1,"delta":"b"`) +
			tell("output_item.done", `"item":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"blob"}`) + endOf,
			[]dialect.Event{thoughtEvent(dialect.ReasoningSummary, "a", "", 0), thoughtEvent(dialect.ReasoningSummary, "\n\nb", "", 0),
				thoughtEvent(dialect.ReasoningEncrypted, "", "blob", 1), finish("completed", "stop")}},
		{"plain reasoning that was not streamed", tell("output_item.done", `"item":{"type":"reasoning","id":"rs_1","summary":[{"text":"a"}],"content":[{"type":"reasoning_text","text":"b"}]}`) + endOf,
			[]dialect.Event{thoughtEvent(dialect.ReasoningSummary, "a", "", 0), thoughtEvent(dialect.ReasoningText, "b", "", 1), finish("completed", "stop")}},
		{"an image", tell("output_item.done", `"item":{"type":"image_generation_call","result":"AAAA","output_format":"webp"}`) + endOf,
			[]dialect.Event{{Kind: dialect.EventImage, Text: "data:image/webp;base64,AAAA"}, finish("completed", "stop")}},

		{"known-failures 3: usage and its details", tell("output_item.done", `"item":{"type":"web_search_call","id":"ws"}`) +
			tell("output_item.done", `"output_index":1,"item":{"type":"web_search_call","id":"w2","status":"completed","action":{"type":"search","query":"q"}}`) +
			tell("output_item.done", `"output_index":2,"item":{"type":"web_search_call","id":"w3","status":"completed","action":{"type":"open_page"}}`) +
			tell("output_item.done", `"output_index":3,"item":{"type":"web_search_call","id":"w4","status":"completed","action":{"type":"find_in_page"}}`) +
			tell("output_item.done", `"output_index":4,"item":{"type":"web_search_call","id":"w5","status":"failed","action":{"type":"search"}}`) + `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"service_tier":"flex",
			"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":15},"output":[]}}`,
			[]dialect.Event{finish("max_output_tokens", ""), {Kind: dialect.EventTier, Text: "flex"},
				{Kind: dialect.EventUsage, Usage: dialect.Usage{Prompt: 10, CacheRead: 4, CacheWrite: 2, Completion: 5, Reasoning: 3, WebSearches: 2}}}},
		{"a filter", `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}}`, []dialect.Event{finish("content_filter", "")}},
		{"too many messages", `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_messages"},"output":[]}}`, []dialect.Event{finish("max_messages", "length")}},
		{"what only others know", `{"type":"response.mcp_call.in_progress","output_index":3}` + "\n" + `{"type":"keepalive"}` + "\n[DONE]\n" + endOf, []dialect.Event{finish("completed", "stop")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			stream := strings.ReplaceAll(test.stream, "\n\t\t\t", "")
			var got []dialect.Event
			for _, event := range decode(t, stream) {
				if event.Kind != dialect.EventStart {
					got = append(got, event)
				}
			}
			if diff := cmp.Diff(append(test.want, end), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := decode(t, endOf); !cmp.Equal(got[0], begin) {
		t.Errorf("it begins with %+v", got[0])
	}
}

// A response object is read as its stream.
func TestWholeIsRead(t *testing.T) {
	whole := `{"id":"r","status":"completed","output":[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"}],"encrypted_content":"blob"},
		{"type":"message","content":[{"type":"output_text","text":"hey"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}],"usage":{"input_tokens":1,"output_tokens":2}}`
	got, err := Provider{}.Decoder().Whole([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	streamed := decode(t, `{"type":"response.completed","response":`+strings.ReplaceAll(whole, "\n", "")+`}`)
	if diff := cmp.Diff(streamed, got); diff != "" || len(got) != 9 {
		t.Errorf("%d events, %s", len(got), diff)
	}
}

func TestFailuresInsideAnAnswer(t *testing.T) {
	for _, test := range []struct {
		data   string
		status int
		code   string
	}{
		{`{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow down"}}}`, 429, "rate_limit_exceeded"},
		{`{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"oops"}}}`, 502, "server_error"},
		{`{"type":"response.failed","response":{"status":"failed","error":{"code":"invalid_prompt","message":"no"}}}`, 400, "invalid_prompt"},
		{`{"type":"response.failed","response":{"status":"failed","error":{"code":"image_too_large","message":"no"}}}`, 400, "image_too_large"},
		{`{"type":"response.failed","response":{"status":"failed","error":{"code":"context_length_exceeded","message":"long"}}}`, 400, "context_length_exceeded"},
		{`{"type":"response.failed","response":{"status":"failed"}}`, 502, ""},
		{`{"type":"error","code":"rate_limit_exceeded","message":"slow down","param":null,"sequence_number":3}`, 429, "rate_limit_exceeded"},
		{`{"type":"error","error":{"type":"server_error","code":"slow_down","message":"busy"}}`, 503, "slow_down"},
		{`{"error":{"code":503,"message":"busy"}}`, 503, ""},
	} {
		_, err := Provider{}.Decoder().Event(sse.Event{Data: []byte(test.data)})
		var failed *dialect.ProviderFailure
		if !errors.As(err, &failed) || failed.Status != test.status || failed.Code != test.code || failed.Message == "" {
			t.Errorf("%s: %+v", test.data, err)
		}
	}
}

func TestWholeRefuses(t *testing.T) {
	for _, body := range []string{"", "<html>", "[]", "{}", `"x"`, `{"status":"in_progress","output":[]}`, `{"status":"queued"}`, `{"status":"cancelled"}`,
		`{"status":"failed","error":{"code":"server_error","message":"x"}}`, `{"error":{"message":"x"}}`, `{"output":[{"type":`} {
		if events, err := (Provider{}).Decoder().Whole([]byte(body)); err == nil {
			t.Errorf("%s was read as %v", body, events)
		}
	}
	for _, data := range []string{`{"type":"response.output_item.done","output_index":4096}`, `{"type":"response.output_text.delta","output_index":-1}`, `{"type":"response.output_text.delta","content_index":4096}`, `{"type":`} {
		if _, err := (Provider{}).Decoder().Event(sse.Event{Data: []byte(data)}); err == nil {
			t.Errorf("%s was read", data)
		}
	}
}

// FuzzStream holds that no provider can make the decoder or the pass-through panic, that
// a client can read what comes of the stream, and that the way it is cut makes no
// difference.
func FuzzStream(f *testing.F) {
	f.Add([]byte("event: response.created\ndata: {\"response\":{\"id\":\"r\"}}\n\ndata: "+tell("output_item.added", `"item":{"type":"function_call","name":"f"}`)+"\n"), uint64(1))
	f.Add([]byte("data: "+tell("reasoning_summary_text.delta", `"delta":"\ud83d"`)+"\r\n\r\ndata: "+endOf+"\n\n"), uint64(2))
	f.Add([]byte("data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"message\":[]}}}\n\n"), uint64(3))
	f.Add([]byte("data: "+tell("output_item.done", `"item":{"type":"reasoning","encrypted_content":"x","encrypted_content":"y"}`)+"\ndata: "+endOf+"\n\n"), uint64(4))
	f.Add([]byte("data: "+tell("output_item.done", `"item":{"type":"custom_tool_call"},"sequence_number":2`)+"\ndata: "+
		`{"type":"response.incomplete","response":{"usage":{"input_tokens":-1},"output":[[],1,{"type":"image_generation_call","result":"A"}],"status":"incomplete"}}`+"\n\n"), uint64(5))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		for _, client := range []dialect.Client{openai.Client{}, Client{}} {
			whole := carry(client, [][]byte{stream})
			random := rand.New(rand.NewPCG(seed, 0))
			var chunks, bytes [][]byte
			for rest := stream; len(rest) > 0; {
				n := 1 + random.IntN(len(rest))
				chunks, rest = append(chunks, rest[:n]), rest[n:]
			}
			for i := range stream {
				bytes = append(bytes, stream[i:i+1])
			}
			if cut := carry(client, chunks); cut != whole {
				t.Errorf("cut differently:\n%s\n%s", whole, cut)
			}
			if cut := carry(client, bytes); cut != whole {
				t.Errorf("byte by byte:\n%s\n%s", whole, cut)
			}
			for line := range strings.SplitSeq(whole, "\n\n") {
				data, _ := strings.CutPrefix(line, "data: ")
				if data != "" && data != "[DONE]" && !strings.HasPrefix(line, ":") && !json.Valid([]byte(data)) {
					t.Errorf("a client cannot read %q", data)
				}
			}
		}
	})
}

// carry takes a stream that comes in chunks to a client.
func carry(client dialect.Client, chunks [][]byte) string {
	request := &dialect.Request{Dialect: client.Name(), Raw: []byte(`{"input":"hi"}`), Stream: true}
	pipe := dialect.NewPipe(client, Provider{}, request, meta)
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
	f.Add([]byte(`{"output":[{"type":"message","content":[{"type":"output_text","text":"x","annotations":[1],"logprobs":[{}]}]},{"type":"function_call"}],"status":"completed","usage":{}}`))
	f.Add([]byte(`{"output":[{"type":"reasoning","summary":[1],"content":{},"encrypted_content":"\ud800"}],"status":"incomplete","incomplete_details":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, client := range []dialect.Client{openai.Client{}, Client{}} {
			request := &dialect.Request{Dialect: client.Name(), Raw: []byte(`{"input":"hi"}`)}
			if out, err := dialect.NewPipe(client, Provider{}, request, meta).Whole(nil, body); err == nil && !json.Valid(out) {
				t.Errorf("a client cannot read %q", out)
			}
		}
	})
}
