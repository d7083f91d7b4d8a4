package dialect_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// fussy is what providers really send and some clients refuse, by dialect and
// streamed or not: nulls, names and shapes of their own.
var fussy = map[string]map[bool]string{
	"openai": {
		false: `{"id":"c","object":"chat.completion","created":1.5,"model":"z","usage":{"prompt_tokens":1,"completion_tokens":2},"error":null,
			"openrouter_metadata":{"region":"theirs"},"choices":[{"index":0,"finish_reason":"function_call","message":{"role":"model","content":"a",
			"reasoning_details":[{"type":"reasoning.encrypted","data":"d","id":null,"format":"unknown","index":0}],
			"annotations":[{"type":"url_citation","url_citation":{"url":"https://a/b","title":"t","content":"c","start_index":0,"end_index":1}}],
			"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{}"}}]}}]}`,
		true: `data: {"id":"c","usage":null,"system_fingerprint":null,"error":null,"openrouter_metadata":{"region":"theirs"},"service_tier":null,"choices":[{"index":0,
` + `data: "delta":{"role":"model","content":null,"tool_calls":null,"reasoning_details":null}}]}

data: {"choices":[{"index":0,"delta":{"content":"a"}}]}

data: {"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.encrypted","data":"d","format":"unknown","index":0}]}}]}

data: {"choices":[{"delta":{"annotations":[{"type":"url_citation","url_citation":{"url":"https://a/b","title":"t","content":"c","start_index":0,"end_index":1}}]}}]}

data: {"choices":[{"delta":{"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"function_call"}]}

data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":null}}

data: [DONE]

`,
	},
	"anthropic": {
		false: `{"id":"c","type":"message","stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2},"content":[
			{"type":"redacted_thinking","data":"d"},{"type":"text","text":"a","citations":[{"type":"web_search_result_location","url":"https://a/b","title":"t","cited_text":"c"}]},
			{"type":"tool_use","id":"x","name":"f","input":{}}]}`,
		true: `data: {"type":"message_start","message":{"id":"c","usage":{"input_tokens":1,"output_tokens":1}}}

data: {"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"d"}}

data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":"a"}}

data: {"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"url":"https://a/b","title":"t","cited_text":"c"}}}

data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"x","name":"f","input":{}}}

data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}

data: {"type":"message_stop"}

`,
	},
	"cohere": {
		false: `{"id":"c","finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":1,"output_tokens":2},"tokens":{"input_tokens":70,"output_tokens":3}},
			"message":{"role":"assistant","content":[{"type":"thinking","thinking":"d"},{"type":"text","text":"a"}],"tool_plan":null,
			"citations":[{"start":0,"end":1,"text":"c","content_index":1,"type":"TEXT_CONTENT","sources":[{"type":"document","id":"i","document":{"url":"https://a/b","title":"t"}}]}],
			"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null}`,
		true: `event: message-start
data: {"id":"c","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}

data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":"d"}}}}

data: {"type":"content-end","index":0}

data: {"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}}

data: {"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"a"}}},"logprobs":null}

data: {"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":1,"text":"c","content_index":1,"type":"TEXT_CONTENT","sources":[{"type":"document","id":"i","document":{"url":"https://a/b","title":"t"}}]}}}}

data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"x","type":"function","function":{"name":"f","arguments":"{}"}}}}}

data: {"type":"tool-call-end","index":0}

data: {"type":"message-end","id":"c","delta":{"error":null,"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":1,"output_tokens":2}}}}

`,
	},
	"ollama": {
		false: `{"model":"z","created_at":"2026","message":{"role":"assistant","content":"a","thinking":"d","tool_calls":[{"id":"x","function":{"name":"f","arguments":{}}}]},
			"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":2}`,
		true: `{"model":"z","created_at":"2026","message":{"role":"assistant","content":"","thinking":"d"},"done":false}
{"model":"z","created_at":"2026","message":{"role":"assistant","content":"a","tool_calls":null},"done":false,"logprobs":null}
{"model":"z","created_at":"2026","message":{"role":"assistant","content":"","tool_calls":[{"id":"x","function":{"name":"f","arguments":{}}}]},"done":false}
{"model":"z","created_at":"2026","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":2}
`,
	},
	"gemini": {
		false: `{"responseId":"c","usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2},"candidates":[{"finishReason":"STOP","content":{"parts":[
			{"text":"a","thoughtSignature":"d"},{"functionCall":{"id":"x","name":"f","args":{}}}]},
			"citationMetadata":null,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a/b","title":"t"}}],"groundingSupports":[{"segment":{"endIndex":1,"text":"c"},"groundingChunkIndices":[0]}]}}]}`,
		true: `data: {"responseId":"c","usageMetadata":{"promptTokenCount":1},"promptFeedback":null,"error":null,"candidates":[{"content":{"role":"model"}}]}

data: {"candidates":[{"content":{"parts":[{"text":"a","thoughtSignature":"d"}]}}]}

data: {"candidates":[{"content":{"parts":[{"functionCall":{"id":"x","name":"f","args":{}}}]}}]}

data: {"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2},"candidates":[{"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a/b","title":"t"}}],"groundingSupports":[{"segment":{"endIndex":1,"text":"c"},"groundingChunkIndices":[0]}]}}]}

`,
	},
	"responses": {
		false: `{"id":"c","status":"completed","error":null,"incomplete_details":null,"service_tier":null,"usage":{"input_tokens":1,"output_tokens":2,"input_tokens_details":null},"output":[
			{"id":"rs_1","type":"reasoning","summary":[],"content":null,"encrypted_content":"d"},
			{"type":"message","content":[{"type":"output_text","text":"a","annotations":[{"type":"file_citation","file_id":"f"},{"type":"url_citation","url":"https://a/b","title":"t","start_index":0,"end_index":1}]}]},
			{"type":"function_call","call_id":"x","name":"f","arguments":"{}"}]}`,
		true: `data: {"type":"response.created","response":{"id":"c","error":null,"usage":null,"service_tier":"auto"}}

data: {"type":"keepalive","sequence_number":1}

data: {"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"content":null,"encrypted_content":"d"}}

data: {"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"a","logprobs":[]}

data: {"type":"response.output_text.annotation.added","output_index":1,"content_index":0,"annotation":{"type":"url_citation","url":"https://a/b","title":"t","start_index":0,"end_index":1}}

data: {"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","call_id":"x","name":"f","arguments":""}}

data: {"type":"response.output_item.done","output_index":2,"item":{"type":"function_call","call_id":"x","name":"f","arguments":"{}"}}

data: {"type":"response.completed","response":{"id":"c","status":"completed","error":null,"output":[],"usage":{"input_tokens":1,"output_tokens":2}}}

`,
	},
}

// strictAnswer is one JSON text of an answer, with what strict SDKs read of it.
type strictAnswer struct {
	members map[string]any
	choice  map[string]any
	said    map[string]any
}

// answers carries an answer of fussy to a client and takes it apart.
func (s side) answers(t *testing.T, gives, wants bool, meta dialect.Meta) ([]strictAnswer, dialect.Progress) {
	t.Helper()
	response := httptest.NewRecorder()
	if gives {
		response.Header().Set("Content-Type", s.streams())
	}
	response.WriteString(fussy[s.dialect.Name()][gives])
	out, progress := s.carry(t, s.parse(t, wants), response, meta)
	var answers []strictAnswer
	for part := range strings.SplitSeq(strings.TrimSuffix(out, "data: [DONE]\n\n"), "\n\n") {
		if part == "" {
			continue
		}
		var answer strictAnswer
		if err := json.Unmarshal([]byte(strings.TrimPrefix(part, "data: ")), &answer.members); err != nil {
			t.Fatalf("%v in %s", err, part)
		}
		choices, _ := answer.members["choices"].([]any)
		if len(choices) != 1 {
			t.Fatalf("%d choices in %s", len(choices), part)
		}
		answer.choice, _ = choices[0].(map[string]any)
		answer.said, _ = answer.choice[map[bool]string{true: "delta", false: "message"}[wants]].(map[string]any)
		answers = append(answers, answer)
	}
	return answers, progress
}

// eachWay runs a test for each dialect of a provider and each way of streaming that
// provider and client may have; like dialects and ways are passed through.
func eachWay(t *testing.T, test func(t *testing.T, s side, gives, wants bool)) {
	for _, s := range textual {
		for _, gives := range []bool{false, true} {
			for _, wants := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/provider streams=%t/client streams=%t", s.name, gives, wants), func(t *testing.T) { test(t, s, gives, wants) })
			}
		}
	}
}

func whole(value any) bool {
	number, ok := value.(float64)
	return ok && number == float64(int64(number))
}

// TestStrictClients holds answers to what the OpenRouter SDKs, the AI SDK's provider
// and PydanticAI refuse to read otherwise.
func TestStrictClients(t *testing.T) {
	eachWay(t, func(t *testing.T, s side, gives, wants bool) {
		answers, _ := s.answers(t, gives, wants, meta)
		calls := 0
		for _, answer := range answers {
			m := answer.members
			if !whole(m["created"]) {
				t.Errorf("created is %v", m["created"])
			}
			if provider, _ := m["provider"].(string); provider == "" {
				t.Errorf("the provider is %v", m["provider"])
			}
			if _, has := m["system_fingerprint"]; has == wants {
				t.Errorf("system_fingerprint is there: %t", has)
			}
			for _, name := range []string{"usage", "error"} {
				if value, has := m[name]; has && value == nil {
					t.Errorf("%s is null", name)
				}
			}
			if reason, has := answer.choice["finish_reason"]; !has || reason == "function_call" {
				t.Errorf("the finish reason is %v", reason)
			}
			if answer.said["role"] != "assistant" {
				t.Errorf("the role is %v", answer.said["role"])
			}
			for _, name := range []string{"tool_calls", "reasoning_details"} {
				if value, has := answer.said[name]; has && value == nil {
					t.Errorf("%s is null", name)
				}
			}
			list, _ := answer.said["tool_calls"].([]any)
			for _, element := range list {
				call, _ := element.(map[string]any)
				if wants && !whole(call["index"]) {
					t.Errorf("the index of %v is missing", call)
				}
				if function, _ := call["function"].(map[string]any); calls == 0 && (call["type"] != "function" || function["name"] != "f") {
					t.Errorf("the first that is heard of a call is %v", call)
				}
				calls++
			}
		}
		if calls == 0 {
			t.Error("the call is lost")
		}
		usage, _ := answers[len(answers)-1].members["usage"].(map[string]any)
		prompt, _ := usage["prompt_tokens_details"].(map[string]any)
		completion, _ := usage["completion_tokens_details"].(map[string]any)
		if !whole(prompt["cached_tokens"]) || !whole(completion["reasoning_tokens"]) || usage["cost"] == nil {
			t.Errorf("usage is %v", usage)
		}
	})
}

func TestStrictClientsReadErrors(t *testing.T) {
	failure := &dialect.Error{Status: 502, Type: "provider_unavailable", Message: "x"}
	for _, s := range textual {
		pipe := dialect.NewPipe(openai.Client{}, s.dialect, s.parse(t, true), meta)
		for _, body := range []string{string(openai.Client{}.Error(failure)), string(pipe.Fail(nil, failure))} {
			var answer struct {
				Error struct {
					Code    *int
					Message string
				}
				Choices []struct {
					FinishReason string `json:"finish_reason"`
				}
			}
			text, _, streamed := strings.Cut(strings.TrimPrefix(body, "data: "), "\n\n")
			if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Error.Code == nil || *answer.Error.Code != 502 || answer.Error.Message != "x" {
				t.Errorf("%s: %v in %s", s.name, err, body)
			}
			if streamed && (len(answer.Choices) != 1 || answer.Choices[0].FinishReason != "error") {
				t.Errorf("%s: the finish reason in %s", s.name, body)
			}
		}
	}
}

func TestRow73Annotations(t *testing.T) {
	eachWay(t, func(t *testing.T, s side, gives, wants bool) {
		if !s.has(annotations) {
			return
		}
		answers, _ := s.answers(t, gives, wants, meta)
		var got []any
		for _, answer := range answers {
			list, _ := answer.said["annotations"].([]any)
			got = append(got, list...)
		}
		want := map[string]any{"type": "url_citation", "url_citation": map[string]any{
			"url": "https://a/b", "title": "t", "content": "c", "start_index": 0.0, "end_index": 1.0,
		}}
		if s.name == "responses" { // which does not quote
			delete(want["url_citation"].(map[string]any), "content")
		}
		if len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("annotations are %v", got)
		}
	})
}

func TestRow113RouterMetadata(t *testing.T) {
	eachWay(t, func(t *testing.T, s side, gives, wants bool) {
		asked := meta
		asked.RouterMetadata = jsontext.Value("{\n\"strategy\":\"direct\"}")
		answers, _ := s.answers(t, gives, wants, asked)
		for i, answer := range answers {
			metadata, has := answer.members["openrouter_metadata"]
			if last := i == len(answers)-1; has != last || last && fmt.Sprint(metadata) != "map[strategy:direct]" {
				t.Errorf("answer %d of %d has %v", i+1, len(answers), metadata)
			}
		}
	})
}

func TestRow114NoRouterMetadata(t *testing.T) {
	eachWay(t, func(t *testing.T, s side, gives, wants bool) {
		answers, _ := s.answers(t, gives, wants, meta)
		for _, answer := range answers {
			if metadata, has := answer.members["openrouter_metadata"]; has {
				t.Errorf("the provider's own is passed on: %v", metadata)
			}
		}
	})
}

func TestRow113RouterMetadataOfErrors(t *testing.T) {
	failure := &dialect.Error{Status: 404, Message: "x", RouterMetadata: jsontext.Value("{\n\"attempt\":1}")}
	if got, want := string(openai.Client{}.Error(failure)), "{\"error\":{\"code\":404,\"message\":\"x\"},\"openrouter_metadata\":{\n\"attempt\":1}}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, s := range textual {
		pipe := dialect.NewPipe(openai.Client{}, s.dialect, s.parse(t, true), meta)
		if got := string(pipe.Fail(nil, failure)); !strings.Contains(got, `"error":{"code":404,"message":"x"},"openrouter_metadata":{ "attempt":1},"choices":[`) {
			t.Errorf("%s: %s", s.name, got)
		}
	}
}

func TestBoundReasoningOfAnAnswer(t *testing.T) {
	eachWay(t, func(t *testing.T, s side, gives, wants bool) {
		if _, progress := s.answers(t, gives, wants, meta); progress.BoundReasoning != s.has(bindingReasoning) {
			t.Error("encrypted reasoning binds nobody, or plain reasoning somebody")
		}
	})
}

// TestRows131To133ServedTier holds that a client learns the tier that served.
func TestRows131To133ServedTier(t *testing.T) {
	const text = `"choices":[{"index":0,"message":{"content":"a"},"delta":{"content":"a"},"finish_reason":"stop"}]`
	openaiSays := func(tier string) string { return `{"service_tier":` + tier + `,` + text + `}` }
	anthropicSays := func(tier string) string {
		return `{"id":"c","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"output_tokens":1,"service_tier":` + tier + `}}`
	}
	geminiSays := func(tier string) string {
		return `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"serviceTier":` + tier + `}}`
	}
	// Responses calls tiers what Chat Completions calls them.
	responsesSays := func(openaiSaid string) string {
		return strings.Replace(openaiSaid, text, `"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"a"}]}]`, 1)
	}
	for _, test := range []struct{ name, openai, anthropic, gemini, known, want string }{
		{"row 131: flex", openaiSays(`"flex"`), anthropicSays(`"flex"`), geminiSays(`"FLEX"`), "", "flex"},
		{"row 132: the provider served another than was asked for", openaiSays(`"default"`), anthropicSays(`"standard"`), geminiSays(`"STANDARD"`), "priority", "default"},
		{"row 133: by another name", openaiSays(`"fast"`), anthropicSays(`"priority"`), geminiSays(`"priority"`), "", "priority"},
		{"the provider says nothing", openaiSays(`null`), anthropicSays(`null`), geminiSays(`null`), "flex", "flex"},
		{"nobody says anything", `{` + text + `}`, anthropicSays(`null`), geminiSays(`null`), "", "<nil>"},
	} {
		for _, s := range named("openai", "anthropic", "gemini", "responses") {
			for _, stream := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/stream=%t", test.name, s.name, stream), func(t *testing.T) {
					body := map[string]string{
						"openai": test.openai, "anthropic": test.anthropic, "gemini": test.gemini, "responses": responsesSays(test.openai),
					}[s.name]
					response := httptest.NewRecorder()
					if stream && s.name == "openai" {
						response.Header().Set("Content-Type", "text/event-stream")
						body = "data: " + body + "\n\ndata: [DONE]\n\n"
					}
					response.WriteString(body)
					served := meta
					served.ServiceTier = test.known
					out, _ := s.carry(t, s.parse(t, stream), response, served)
					last := strings.TrimSuffix(out, "\n\ndata: [DONE]\n\n")
					last = strings.TrimPrefix(last[strings.LastIndex(last, "\n")+1:], "data: ")
					var answer map[string]any
					if err := json.Unmarshal([]byte(last), &answer); err != nil || fmt.Sprint(answer["service_tier"]) != test.want {
						t.Errorf("%v: the last data is %s", err, last)
					}
				})
			}
		}
	}
}
