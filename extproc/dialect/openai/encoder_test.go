package openai

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Events of every kind, with nothing to join, so that whole and stream agree.
var everything = []dialect.Event{
	{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "hm", Signature: "s", ID: "r", Format: dialect.FormatAnthropic}},
	{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "d", Format: dialect.FormatAnthropic, Index: 1}},
	{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningSummary, Text: "short", Format: "openai-responses-v1", Index: 2}},
	{Kind: dialect.EventText, Text: "a \"b\"\n\u2028é"},
	{Kind: dialect.EventRefusal, Text: "no"},
	{Kind: dialect.EventToolCall, ID: "x", Text: "f"},
	{Kind: dialect.EventToolArguments, Text: `{"a":"\n"}`},
	{Kind: dialect.EventToolCall, Index: 1, ID: "y", Text: "g"},
	{Kind: dialect.EventToolArguments, Index: 1, Text: `{}`},
	{Kind: dialect.EventImage, Text: "data:image/png;base64,AA=="},
	{Kind: dialect.EventImage, Index: 1, Text: "data:image/png;base64,BB=="},
	{Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation"}`)},
	{Kind: dialect.EventLogprobs, Raw: []byte(`{"content":[],"refusal":null}`)},
	{Kind: dialect.EventFinish, Text: "tool_use"},
	{Kind: dialect.EventText, Choice: 1, Text: "second"},
	{Kind: dialect.EventFinish, Choice: 1, Text: "STOP", Reason: "tool_calls"},
}

func TestDecodeOfEncodeIsIdentity(t *testing.T) {
	kept := func(events []dialect.Event) []dialect.Event {
		var kept []dialect.Event
		for _, event := range events {
			switch event.Kind {
			case dialect.EventStart, dialect.EventUsage, dialect.EventDone:
			default:
				kept = append(kept, event)
			}
		}
		return kept
	}
	t.Run("stream", func(t *testing.T) {
		encoder, decoder := Client{}.Encoder(meta), Provider{}.Decoder()
		var stream []byte
		for _, event := range everything {
			stream = encoder.Event(stream, event)
		}
		var reader sse.Reader
		reader.Feed(encoder.Finish(stream, dialect.Usage{Prompt: 1}))
		var got []dialect.Event
		for {
			event, ok, _ := reader.Next()
			if !ok {
				break
			}
			events, err := decoder.Event(event)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, events...)
		}
		if diff := cmp.Diff(everything, kept(got)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("whole", func(t *testing.T) {
		body := Client{}.Encoder(meta).Whole(nil, everything, dialect.Usage{Prompt: 1})
		got, err := Provider{}.Decoder().Whole(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(everything, kept(got)); diff != "" {
			t.Errorf("%s\n%s", diff, body)
		}
	})
}
