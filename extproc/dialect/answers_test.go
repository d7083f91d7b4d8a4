package dialect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/e2e/provider"
)

// TestAnswers holds that a client gets the same answer whichever dialect the
// provider speaks, streamed or not.
func TestAnswers(t *testing.T) {
	usage := provider.Usage{Input: 100, CacheRead: 40, Output: 20}
	for _, test := range []struct {
		name   string
		fields string // more of the request
		answer provider.Answer
		want   message
		only   string
	}{
		{name: "text", answer: provider.Answer{Text: "Grüße, 世界 and 🌍.", Usage: usage},
			want: message{Content: "Grüße, 世界 and 🌍.", Finish: "stop"}},
		{name: "reasoning", answer: provider.Answer{Reasoning: "let me see", Text: "yes", Usage: usage},
			want: message{Content: "yes", Reasoning: "let me see", Finish: "stop"}},
		{name: "row 99: reasoning that the client excludes", fields: `"reasoning":{"exclude":true},`,
			answer: provider.Answer{Reasoning: "let me see", Text: "yes", Usage: usage},
			want:   message{Content: "yes", Finish: "stop"}},
		{name: "encrypted reasoning", answer: provider.Answer{RedactedThinking: "xyz", Text: "yes", Usage: usage}, only: "anthropic",
			want: message{Content: "yes", Data: "EmwKAhgBxyz", Finish: "stop"}},
		{name: "row 4: length", answer: provider.Answer{Text: "half", Finish: "max_tokens", Usage: usage}, only: "anthropic",
			want: message{Content: "half", Finish: "length"}},
		{name: "row 4: refusal", answer: provider.Answer{Refusal: "no", Usage: usage}, only: "anthropic",
			want: message{Content: "no", Finish: "content_filter"}},
		{name: "row 4: length at Gemini", answer: provider.Answer{Text: "half", Finish: "MAX_TOKENS", Usage: usage}, only: "gemini",
			want: message{Content: "half", Finish: "length"}},
		{name: "row 4: safety", answer: provider.Answer{Refusal: "no", Usage: usage}, only: "gemini",
			want: message{Content: "no", Finish: "content_filter"}},
		{name: "row 4: length at Responses", answer: provider.Answer{Text: "half", Finish: "max_output_tokens", Usage: usage}, only: "responses",
			want: message{Content: "half", Finish: "length"}},
		{name: "row 4: filtered at Responses", answer: provider.Answer{Text: "half", Finish: "content_filter", Usage: usage}, only: "responses",
			want: message{Content: "half", Finish: "content_filter"}},
		{name: "refusal at Responses", answer: provider.Answer{Refusal: "no", Usage: usage}, only: "responses",
			want: message{Refusal: "no", Finish: "stop"}},
		{name: "refusal", answer: provider.Answer{Refusal: "no", Usage: usage}, only: "openai",
			want: message{Refusal: "no", Finish: "stop"}},
		{name: "one tool call", answer: provider.Answer{Usage: usage, ToolCalls: []provider.ToolCall{{ID: "call_a", Name: "f", Arguments: `{"x":"é\n"}`}}},
			want: message{Calls: []call{{"call_a", "f", `{"x":"é\n"}`}}, Finish: "tool_calls"}},
		{name: "text and parallel tool calls", answer: provider.Answer{Usage: usage, Text: "both", ToolCalls: []provider.ToolCall{
			{ID: "call_a", Name: "f", Arguments: `{"x":1}`}, {ID: "call_b", Name: "f", Arguments: `{"x":2}`}}},
			want: message{Content: "both", Calls: []call{{"call_a", "f", `{"x":1}`}, {"call_b", "f", `{"x":2}`}}, Finish: "tool_calls"}},
		{name: "row 92: parallel calls that all have index 0", only: "openai",
			answer: provider.Answer{Usage: usage, SameIndex: true, ToolCalls: []provider.ToolCall{
				{ID: "call_a", Name: "f", Arguments: `{"x":1}`}, {ID: "call_b", Name: "f", Arguments: `{"x":2}`}}},
			want: message{Calls: []call{{"call_a", "f", `{"x":1}`}, {"call_b", "f", `{"x":2}`}}, Finish: "tool_calls"}},
		{name: "a call without arguments", only: "anthropic",
			answer: provider.Answer{Usage: usage, ToolCalls: []provider.ToolCall{{ID: "call_a", Name: "f"}}},
			want:   message{Calls: []call{{"call_a", "f", `{}`}}, Finish: "tool_calls"}},
		{name: "usage beside choices", only: "openai", answer: provider.Answer{Text: "a b", Usage: usage, UsageIn: provider.UsageWithChoices},
			want: message{Content: "a b", Finish: "stop"}},
		{name: "usage in every chunk", only: "openai", answer: provider.Answer{Text: strings.Repeat(" a", 20), Usage: usage, UsageIn: provider.UsageEverywhere},
			want: message{Content: strings.Repeat(" a", 20), Finish: "stop"}},
	} {
		for _, s := range sides {
			if test.only != "" && test.only != s.maker() {
				continue
			}
			for _, stream := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/stream=%t", test.name, s.name, stream), func(t *testing.T) {
					body := fmt.Sprintf(`{"model":"m/x",%s"stream":%t,"messages":[{"role":"user","content":"hi"}]}`, test.fields, stream)
					out, progress := s.ask(t, body, test.answer)
					got := assemble(t, out, stream)

					if got.Usage["prompt_tokens"] != 100.0 || got.Usage["completion_tokens"] != 20.0 || got.Usage["cost"] != 0.00042 {
						t.Errorf("usage is %v", got.Usage)
					}
					if details, _ := got.Usage["prompt_tokens_details"].(map[string]any); details["cached_tokens"] != 40.0 && s.has(cacheReads) {
						t.Errorf("cached tokens are %v", details)
					}
					if progress.FinishReason != got.Finish || progress.NativeFinishReason != got.Native || !progress.Started ||
						!progress.Done || progress.Empty || progress.Usage.Prompt != 100 || (progress.UpstreamID == "") != (s.name == "bedrock") {
						t.Errorf("progress is %+v", progress)
					}
					if bound := got.Signatures+got.Data != ""; progress.BoundReasoning != bound {
						t.Errorf("bound reasoning is %t, want %t", progress.BoundReasoning, bound)
					}
					noted := got.Calls[:0:0]
					for i, c := range progress.ToolCalls {
						noted = append(noted, call{got.Calls[i].ID, c.Name, string(c.Arguments)})
					}
					if diff := cmp.Diff(got.Calls, noted); diff != "" {
						t.Errorf("section 2.4: calls that progress tells of (-client +progress):\n%s", diff)
					}
					if got.Reasoning != "" && s.maker() == "anthropic" {
						if got.Signatures != provider.Signature(got.Reasoning) {
							t.Errorf("row 101: the signature is %q", got.Signatures)
						}
						got.Signatures = ""
					}
					if got.Reasoning != "" && s.dialect.Name() == "gemini" {
						if got.Data != provider.Signature("text") {
							t.Errorf("known-failures 35: the text's signature is %q", got.Data)
						}
						got.Data = ""
					}
					got.Usage, got.Native = nil, ""
					want := test.want
					if s.name == "responses" {
						want.Reasoning = "" // the API summarises only on request
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("answer (-want +got):\n%s\n%s", diff, out)
					}
				})
			}
		}
	}
}

func TestRow3NativeFinishReason(t *testing.T) {
	out, _ := sides[1].ask(t, `{"model":"m/x","messages":[{"role":"user","content":"hi"}]}`, nil)
	if !strings.Contains(out, `"finish_reason":"stop","native_finish_reason":"end_turn"`) {
		t.Error(out)
	}
}

// TestStreamingDisagreement holds that a client gets what it asked for when a
// provider streams unasked, or does not stream when asked.
func TestStreamingDisagreement(t *testing.T) {
	answer := provider.Answer{Text: "one two", Reasoning: "hm", ToolCalls: []provider.ToolCall{{ID: "call_a", Name: "f", Arguments: `{"a":1}`}}}
	for _, s := range sides {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/client wants stream=%t", s.name, stream), func(t *testing.T) {
				fake := s.fake(provider.Config{Key: key, Base: s.base})
				fake.Enqueue(answer)
				given := s.record(t, fake, !stream)
				wanted := s.parse(t, stream)
				out, progress := s.carry(t, wanted, given, meta)
				got := assemble(t, out, stream)
				thought := "hm"
				if s.name == "responses" {
					thought = "" // the API summarises only on request
				}
				if got.Content != "one two" || got.Reasoning != thought || len(got.Calls) != 1 || got.Calls[0].Arguments != `{"a":1}` ||
					got.Finish != "tool_calls" || got.Usage == nil || !progress.Started {
					t.Errorf("got %+v\n%s", got, out)
				}
			})
		}
	}
}

// TestHiddenReasoningShowsLife holds that silence limits do not end an answer
// whose reasoning the client does not see.
func TestHiddenReasoningShowsLife(t *testing.T) {
	for _, s := range sides {
		if s.name == "responses" {
			continue // nothing comes of reasoning that nobody is to see
		}
		out, _ := s.ask(t, `{"model":"m/x","stream":true,"include_reasoning":false,"messages":[{"role":"user","content":"hi"}]}`,
			provider.Answer{Reasoning: "a b c d e f g h i j", Text: "yes"})
		if strings.Contains(out, "reasoning\"") || strings.Count(out, `"content":""`) < 10 {
			t.Errorf("%s: %s", s.name, out)
		}
	}
}

func TestRow91NothingIsEmpty(t *testing.T) {
	for _, s := range sides {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%t", s.name, stream), func(t *testing.T) {
				_, progress := s.ask(t, fmt.Sprintf(`{"stream":%t,"messages":[{"role":"user","content":"hi"}]}`, stream),
					provider.Answer{Empty: true, UsageIn: provider.UsageNowhere})
				if !progress.Empty || progress.Started || progress.Usage.Completion != 0 {
					t.Errorf("progress of an answer of nothing is %+v", progress)
				}
			})
		}
	}
}

func TestUsageThatNobodyReportsIsEstimated(t *testing.T) {
	for _, stream := range []bool{false, true} {
		body := fmt.Sprintf(`{"stream":%t,"messages":[{"role":"user","content":"%s"}]}`, stream, strings.Repeat("word ", 80))
		out, progress := sides[0].ask(t, body, provider.Answer{Text: strings.Repeat("abcd", 50), UsageIn: provider.UsageNowhere})
		if u := progress.Usage; progress.HasUsage || !u.Estimated || u.Prompt != 100 || u.Completion != 50 {
			t.Errorf("stream=%t: usage is %+v", stream, u)
		}
		if got := assemble(t, out, stream); got.Usage["completion_tokens"] != 50.0 {
			t.Errorf("stream=%t: the client gets %v", stream, got.Usage)
		}
	}
}
