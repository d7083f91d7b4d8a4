package bedrock

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decode reads events, one a line: a name, a space and data.
func decode(t *testing.T, lines string) []dialect.Event {
	t.Helper()
	decoder := Provider{}.Decoder()
	var all []dialect.Event
	for line := range strings.Lines(lines) {
		name, data, _ := strings.Cut(strings.TrimSpace(line), " ")
		events, err := decoder.Event(sse.Event{Name: name, Data: []byte(data)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
	}
	return all
}

var (
	began = dialect.Event{Kind: dialect.EventStart}
	ended = dialect.Event{Kind: dialect.EventDone}
)

func text(text string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: text} }

func finish(reason string) dialect.Event {
	return dialect.Event{Kind: dialect.EventFinish, Text: reason}
}

func thoughts(index int, text, signature, data string) dialect.Event {
	detail := dialect.ReasoningDetail{Type: dialect.ReasoningText, Format: dialect.FormatAnthropic, Text: text, Signature: signature, Data: data, Index: index}
	if data != "" {
		detail.Type = dialect.ReasoningEncrypted
	}
	return dialect.Event{Kind: dialect.EventReasoning, Reasoning: detail}
}

func call(index int, id, name string) dialect.Event {
	return dialect.Event{Kind: dialect.EventToolCall, Index: index, ID: id, Text: name}
}

func arguments(index int, text string) dialect.Event {
	return dialect.Event{Kind: dialect.EventToolArguments, Index: index, Text: text}
}

var counted = dialect.Event{Kind: dialect.EventUsage, Usage: dialect.Usage{
	Prompt: 111, Completion: 7, CacheRead: 40, CacheWrite: 10, CacheWrite1h: 50,
}}

const counts = `"usage":{"inputTokens":11,"outputTokens":7,"totalTokens":118,"cacheReadInputTokens":40,"cacheWriteInputTokens":60,"cacheDetails":[{"ttl":"1h","inputTokens":50},{"ttl":"5m","inputTokens":10}]}`

func TestStream(t *testing.T) {
	cited := dialect.Event{Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation","url_citation":{"url":"https://a/b","title":"t","start_index":0,"end_index":2}}`)}
	for _, test := range []struct {
		name, lines string
		want        []dialect.Event
	}{
		{"text", `messageStart {"role":"assistant","p":"ab"}
			contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"Gr"}}
			contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"üße"}}
			contentBlockStop {"contentBlockIndex":0}
			messageStop {"stopReason":"end_turn"}
			metadata {` + counts + `,"metrics":{"latencyMs":8},"serviceTier":{"type":"flex"}}`,
			[]dialect.Event{began, text("Gr"), text("üße"), finish("end_turn"), {Kind: dialect.EventTier, Text: "flex"}, counted, ended}},
		{"thoughts and calls", `messageStart {"role":"assistant"}
			contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}
			contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"sig"}}}
			contentBlockStop {"contentBlockIndex":0}
			contentBlockDelta {"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"AAAA"}}}
			contentBlockStop {"contentBlockIndex":1}
			contentBlockStart {"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"a","name":"f"}}}
			contentBlockDelta {"contentBlockIndex":2,"delta":{"toolUse":{"input":""}}}
			contentBlockStart {"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"b","name":"g"}}}
			contentBlockDelta {"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"x\":"}}}
			contentBlockDelta {"contentBlockIndex":3,"delta":{"toolUse":{"input":"1}"}}}
			contentBlockStop {"contentBlockIndex":3}
			messageStop {"stopReason":"tool_use"}`,
			[]dialect.Event{began, thoughts(0, "hm", "", ""), thoughts(0, "", "sig", ""), thoughts(1, "", "", "AAAA"), call(0, "a", "f"),
				call(1, "b", "g"), arguments(1, `{"x":`), arguments(1, "1}"), arguments(0, "{}"), finish("tool_use")}},
		{"citations", `contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"so"}}
			contentBlockDelta {"contentBlockIndex":0,"delta":{"citation":{"title":"t","location":{"web":{"url":"https://a/b"}}}}}
			contentBlockDelta {"contentBlockIndex":0,"delta":{"citation":{"title":"t","location":{"documentChar":{"documentIndex":0}}}}}`,
			[]dialect.Event{text("so"), cited}},
		{"what the service does itself, and what is new", `contentBlockStart {"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"f","type":"server_tool_use"}}}
			contentBlockDelta {"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}
			contentBlockStop {"contentBlockIndex":0}
			somethingNew {"a":1}
			contentBlockDelta {"contentBlockIndex":1,"delta":{"new":1}}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, decode(t, test.lines), cmp.AllowUnexported(dialect.Event{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhole(t *testing.T) {
	events, err := Provider{}.Decoder().Whole([]byte(`{"output":{"message":{"role":"assistant","content":[
		{"reasoningContent":{"reasoningText":{"text":"hm","signature":"sig"}}},{"reasoningContent":{"redactedContent":"AAAA"}},
		{"citationsContent":{"content":[{"text":"so"}],"citations":[{"location":{"web":{"url":"https://a/b"}}}]}},
		{"text":"it is"},{"toolUse":{"toolUseId":"a","name":"f","input":{"x": 1}}},{"toolUse":{"toolUseId":"b","name":"g","input":{}}}]}},
		"stopReason":"guardrail_intervened",` + counts + `,"metrics":{"latencyMs":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []dialect.Event{
		began, thoughts(0, "hm", "sig", ""), thoughts(1, "", "", "AAAA"), text("so"),
		{Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation","url_citation":{"url":"https://a/b","start_index":0,"end_index":2}}`)},
		text("it is"), call(0, "a", "f"), arguments(0, `{"x": 1}`), call(1, "b", "g"), arguments(1, "{}"), finish("guardrail_intervened"), counted, ended,
	}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	for _, body := range []string{``, `<html>`, `{}`, `{"output":{"message":{"content":"x"}}}`, `{"message":"no"}`} {
		if events, err := (Provider{}).Decoder().Whole([]byte(body)); err == nil {
			t.Errorf("%s: %v", body, events)
		}
	}
	for _, provider := range []dialect.Provider{Provider{}, Claude{}} {
		for _, event := range []sse.Event{
			{Name: "contentBlockDelta", Data: []byte(`{"delta":`)},
			{Name: "chunk", Data: []byte(`{"bytes":`)},
		} {
			if _, err := provider.Decoder().Event(event); err == nil {
				t.Errorf("%T reads %s", provider, event.Data)
			}
		}
	}
	for _, index := range []string{"-1", "10000"} {
		event := sse.Event{Name: "contentBlockDelta", Data: []byte(`{"contentBlockIndex":` + index + `,"delta":{"text":"x"}}`)}
		if _, err := (Provider{}).Decoder().Event(event); err == nil {
			t.Errorf("index %s is read", index)
		}
	}
	if _, err := (Claude{}).Decoder().Event(sse.Event{Name: "chunk", Data: []byte(`{"bytes":"!"}`)}); err == nil {
		t.Error("what is not base64 is read")
	}
}

// Row 4.
func TestFinishReasons(t *testing.T) {
	for native, want := range map[string]string{
		"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length", "model_context_window_exceeded": "length",
		"guardrail_intervened": "content_filter", "content_filtered": "content_filter", "malformed_model_output": "error", "malformed_tool_use": "error",
	} {
		if got := dialect.FinishReason(native); got != want {
			t.Errorf("%s: %s", native, got)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		kind    string
		status  int
		body    string
		want    int
		message string
	}{
		{"ThrottlingException:http://internal.amazon.com/coral/", 429, `{"message":"Too many requests"}`, 429, "Too many requests"},
		{"", 403, `{"Message":"The security token included in the request is invalid"}`, 403, "The security token included in the request is invalid"},
		{"ValidationException", 400, `{"message":"messages.0: bad"}`, 400, "messages.0: bad"},
		{"ValidationException", 400, `{"message":"The provided model identifier is invalid."}`, 404, "The provided model identifier is invalid."},
		{"ValidationException", 400, `{"message":"Invocation of model ID x with on-demand throughput isn’t supported."}`, 404, "Invocation of model ID x with on-demand throughput isn’t supported."},
		{"ServiceQuotaExceededException", 400, `{"message":"Your request exceeds the service quota for your account."}`, 429, "Your request exceeds the service quota for your account."},
		{"ModelErrorException", 424, `{"message":"The model failed","originalStatusCode":500}`, 502, "The model failed"},
		{"", 503, `<html>`, 503, "The provider answered with status 503 (Service Unavailable) and gave no reason."},
	} {
		code, _, _ := strings.Cut(test.kind, ":")
		header := func(name string) string { return map[string]string{"x-amzn-errortype": test.kind}[name] }
		for _, provider := range []dialect.HeaderFailer{Provider{}, Claude{}} {
			if got := provider.FailureWith(header, test.status, []byte(test.body)); got.Status != test.want || got.Message != test.message || got.Code != code {
				t.Errorf("%d %s: %+v", test.status, test.body, got)
			}
		}
		if got := (Provider{}).Failure(test.status, []byte(test.body)); got.Message != test.message {
			t.Errorf("without headers: %+v", got)
		}
	}
}

func TestExceptionsInStreams(t *testing.T) {
	for name, want := range map[string]int{
		"throttlingException": 429, "validationException": 400, "internalServerException": 500, "serviceUnavailableException": 503,
		"modelTimeoutException": 408, "modelStreamErrorException": 502, "somethingNew": 502,
	} {
		event := sse.Event{Name: "error:" + name, Data: []byte(`{"message":"words"}`)}
		for _, provider := range []dialect.Provider{Provider{}, Claude{}} {
			for _, client := range []dialect.Client{openai.Client{}, anthropic.Client{}} {
				_, err := dialect.NewPipe(client, provider, &dialect.Request{Stream: true}, dialect.Meta{}).Event(nil, event)
				var failure *dialect.ProviderFailure
				if !errors.As(err, &failure) || failure.Status != want || failure.Message != "words" || failure.Code != name {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	event := sse.Event{Name: "error:modelStreamErrorException", Data: []byte(`{"message":"words","originalStatusCode":429}`)}
	if failure := streamFailure(event); failure.Status != 429 {
		t.Errorf("the model's own status is lost: %+v", failure)
	}
}

// A client of the Messages API gets what the provider said, as it said it.
func TestClaudePassesThrough(t *testing.T) {
	pipe := dialect.NewPipe(anthropic.Client{}, Claude{}, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a", Model: "m/x"})
	var out []byte
	for _, data := range []string{
		`{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3,"output_tokens":1}}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","new":1}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}`,
		`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3}}`,
	} {
		var err error
		packed := `{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `","p":"abc"}`
		if out, err = pipe.Event(out, sse.Event{Name: "chunk", Data: []byte(packed)}); err != nil {
			t.Fatal(err)
		}
	}
	out = pipe.Finish(out)
	for _, want := range []string{`"id":"gen-1-a"`, `"content_block":{"type":"text","text":"","new":1}`, "event: message_stop"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}
	if progress := pipe.Progress(); !progress.Done || progress.Usage.Prompt != 3 || progress.Usage.Completion != 2 || progress.UpstreamID != "msg_1" {
		t.Errorf("%+v", progress)
	}
}
