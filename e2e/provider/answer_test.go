package provider

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// openAIResult is what a client makes of an answer, streamed or not.
type openAIResult struct {
	Text, Reasoning, Refusal, Finish string
	Calls                            map[int]string // arguments by index
	Usage                            int            // events that carried it
	Logprobs                         int
}

func (r *openAIResult) add(t *testing.T, data string) {
	t.Helper()
	type content struct {
		Content, Refusal string
		ReasoningContent string `json:"reasoning_content"`
		ToolCalls        []struct {
			Index    int
			Function struct{ Name, Arguments string }
		} `json:"tool_calls"`
	}
	var chunk struct {
		Choices []struct {
			Delta, Message content
			Finish         string `json:"finish_reason"`
			Logprobs       *struct{ Content []any }
		}
		Usage *struct{}
	}
	if err := json.Unmarshal([]byte(data), &chunk); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	if chunk.Usage != nil {
		r.Usage++
	}
	for _, choice := range chunk.Choices {
		for _, c := range []content{choice.Delta, choice.Message} {
			r.Text += c.Content
			r.Reasoning += c.ReasoningContent
			r.Refusal += c.Refusal
			for i, call := range c.ToolCalls {
				if r.Calls == nil {
					r.Calls = map[int]string{}
				}
				r.Calls[max(i, call.Index)] += call.Function.Arguments
			}
		}
		r.Finish += choice.Finish
		if choice.Logprobs != nil {
			r.Logprobs += len(choice.Logprobs.Content)
		}
	}
}

func TestOpenAIAnswers(t *testing.T) {
	f := startOpenAI(t)
	two := []ToolCall{{Name: "f", Arguments: `{"city":"Köln"}`}, {Name: "g", Arguments: `{"n":12345}`}}
	const usage = `"stream_options":{"include_usage":true}`
	for name, test := range map[string]struct {
		answer  Answer
		members string // of the request
		want    openAIResult
	}{
		"text":             {Answer{Text: "a b"}, "", openAIResult{Text: "a b", Finish: "stop"}},
		"pieces":           {Answer{Pieces: []string{"a", "b"}}, "", openAIResult{Text: "ab", Finish: "stop"}},
		"reasoning":        {Answer{Reasoning: "hm hm", Text: "a"}, "", openAIResult{Reasoning: "hm hm", Text: "a", Finish: "stop"}},
		"refusal":          {Answer{Refusal: "no way"}, "", openAIResult{Refusal: "no way", Finish: "stop"}},
		"finish reason":    {Answer{Text: "a", Finish: "length"}, "", openAIResult{Text: "a", Finish: "length"}},
		"empty":            {Answer{Empty: true}, "", openAIResult{Finish: "stop"}},
		"parallel calls":   {Answer{ToolCalls: two}, "", openAIResult{Calls: map[int]string{0: two[0].Arguments, 1: two[1].Arguments}, Finish: "tool_calls"}},
		"logprobs":         {Answer{Text: "a b"}, `"logprobs":true`, openAIResult{Text: "a b", Finish: "stop", Logprobs: 2}},
		"usage on request": {Answer{Text: "a"}, usage, openAIResult{Text: "a", Finish: "stop", Usage: 1}},
		"usage, choices":   {Answer{Text: "a", UsageIn: UsageWithChoices}, "", openAIResult{Text: "a", Finish: "stop", Usage: 1}},
		"usage in each":    {Answer{Text: "a b", UsageIn: UsageEverywhere}, "", openAIResult{Text: "a b", Finish: "stop", Usage: 4}},
		"usage left out":   {Answer{Text: "a", UsageIn: UsageNowhere}, usage, openAIResult{Text: "a", Finish: "stop"}},
		"same index":       {Answer{ToolCalls: two, SameIndex: true}, "", openAIResult{Calls: map[int]string{0: two[0].Arguments + two[1].Arguments}, Finish: "tool_calls"}},
	} {
		t.Run(name, func(t *testing.T) {
			members := test.members
			if members != "" {
				members = "," + members
			}
			f.Enqueue(test.answer)
			response, body, err := f.post(t, chatWith(`"stream":true`+members))
			if err != nil || response.StatusCode != 200 {
				t.Fatalf("error %v: %s", err, body)
			}
			events := reference(body)
			if last := events[len(events)-1]; last.data != "[DONE]" {
				t.Errorf("last event %q", last.data)
			}
			var streamed openAIResult
			for _, e := range events[:len(events)-1] {
				streamed.add(t, e.data)
			}
			if diff := cmp.Diff(test.want, streamed); diff != "" {
				t.Errorf("streamed (-want +got):\n%s", diff)
			}
			if test.answer.SameIndex || strings.Contains(members, "stream_options") {
				return
			}
			f.Enqueue(test.answer)
			_, body, err = f.post(t, chatWith(`"stream":false`+members))
			if err != nil {
				t.Fatal(err)
			}
			var whole openAIResult
			whole.add(t, body)
			test.want.Usage = 1
			if diff := cmp.Diff(test.want, whole); diff != "" {
				t.Errorf("whole (-want +got):\n%s", diff)
			}
		})
	}
}

// An answer's blocks go back as history, streamed or not, and are accepted.
func TestAnthropicAnswersAreAcceptedAsHistory(t *testing.T) {
	f := startAnthropic(t)
	f.Default(Answer{
		Reasoning: "hm hm", RedactedThinking: "x", Text: "a b",
		ToolCalls: []ToolCall{{ID: "a", Name: "f", Arguments: `{"city":"Köln"}`}},
	})
	_, body, err := f.post(t, message)
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Content    json.RawMessage
		StopReason string `json:"stop_reason"`
	}
	if err := json.Unmarshal([]byte(body), &whole); err != nil {
		t.Fatal(err)
	}
	if whole.StopReason != "tool_use" || !strings.Contains(string(whole.Content), `"Köln"`) {
		t.Errorf("stop reason %q, content %s", whole.StopReason, whole.Content)
	}
	again := turns(userTurn+`,{"role":"assistant","content":`+string(whole.Content)+`},`+user(aResult), aTool, thinkingOn)
	if response, body, err := f.post(t, again); err != nil || response.StatusCode != 200 {
		t.Errorf("the fake refused its own answer as history: %v %s", err, body)
	}
}

func TestAnthropicEvents(t *testing.T) {
	f := startAnthropic(t)
	f.Enqueue(Answer{
		Reasoning: "hm", Text: "a b", ToolCalls: []ToolCall{{ID: "a", Name: "f"}},
		Usage: Usage{Input: 100, CacheRead: 60, CacheWrite: 20, CacheWriteHour: 10, Output: 7},
	})
	_, body, err := f.post(t, streaming(message))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range reference(body) {
		names = append(names, e.name)
		var typed struct{ Type string }
		if err := json.Unmarshal([]byte(e.data), &typed); err != nil || typed.Type != e.name {
			t.Errorf("event %q has data of type %q (%v)", e.name, typed.Type, err)
		}
	}
	want := strings.Fields(`message_start ping
		content_block_start content_block_delta content_block_delta content_block_stop
		content_block_start content_block_delta content_block_delta content_block_stop
		content_block_start content_block_delta content_block_delta content_block_stop
		message_delta message_stop`)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for _, part := range []string{
		`"input_tokens":10`, `"cache_read_input_tokens":60`, `"cache_creation_input_tokens":30`,
		`"ephemeral_1h_input_tokens":10`, `"output_tokens":7`, `"signature":"` + Signature("hm") + `"`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("no %s in\n%s", part, body)
		}
	}
}

func TestServiceTiers(t *testing.T) {
	gpt, claude := startOpenAI(t), startAnthropic(t)
	for _, test := range []struct {
		*fixture
		body   string
		answer Answer
		want   string
	}{
		{gpt, gpt.body, Answer{}, "default"},
		{gpt, chatWith(`"service_tier":"auto"`), Answer{}, "default"},
		{gpt, chatWith(`"service_tier":"flex"`), Answer{}, "flex"},
		{gpt, chatWith(`"service_tier":"priority"`), Answer{ServiceTier: "default"}, "default"},
		{claude, claude.body, Answer{}, "standard"},
		{claude, claude.body, Answer{ServiceTier: "priority"}, "priority"},
	} {
		for _, body := range []string{test.body, streaming(test.body)} {
			test.Enqueue(test.answer)
			if _, got, err := test.post(t, body); err != nil || !strings.Contains(got, `"service_tier":"`+test.want+`"`) {
				t.Errorf("%s: want %s, error %v: %s", body, test.want, err, got)
			}
		}
	}
}

func TestCachedTokensAreReported(t *testing.T) {
	answer := Answer{Usage: Usage{Input: 1000, CacheRead: 600, Output: 3}}
	gpt, claude := startOpenAI(t), startAnthropic(t)
	for _, test := range []struct {
		*fixture
		body, want string
	}{
		{gpt, gpt.body, `"cached_tokens":600`},
		{gpt, streaming(chatWith(`"stream_options":{"include_usage":true}`)), `"cached_tokens":600`},
		{claude, claude.body, `"cache_read_input_tokens":600`},
		{claude, streaming(claude.body), `"cache_read_input_tokens":600`},
	} {
		test.Enqueue(answer)
		if _, got, err := test.post(t, test.body); err != nil || !strings.Contains(got, test.want) {
			t.Errorf("%s: want %s, error %v: %s", test.body, test.want, err, got)
		}
	}
}
