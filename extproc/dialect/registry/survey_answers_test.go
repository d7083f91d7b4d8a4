package registry_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
)

// reader is a client dialect for conversations, with the least that it asks.
type reader struct {
	title  string
	client dialect.Client
	asks   string
}

var readers = []reader{
	{"chat/completions", openai.Client{}, `{"model":"m/x","logprobs":true,"messages":[{"role":"user","content":"hi"}]`},
	{"completions", openai.Completions{}, `{"model":"m/x","prompt":"hi"`},
	{"messages", anthropic.Client{}, `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"hi"}]`},
	{"responses", responses.Client{}, `{"model":"m/x","input":"hi"`},
	{"generateContent", gemini.Client{}, `{"model":"m/x","contents":[{"role":"user","parts":[{"text":"hi"}]}]`},
}

// TestSurveyHasEveryClient fails until a client dialect for conversations that was added
// to the registry has a column.
func TestSurveyHasEveryClient(t *testing.T) {
	surveyed := map[string]bool{}
	for _, r := range readers {
		surveyed[fmt.Sprintf("%T", r.client)] = true
	}
	for path, client := range registry.Clients() {
		kind := fmt.Sprintf("%T", client)
		task := slices.ContainsFunc([]string{"/embeddings", "/rerank", "/images", "/audio/"}, func(word string) bool { return strings.Contains(path, word) })
		if !surveyed[kind] && !task {
			t.Errorf("%s is read by %s, which has no column", path, kind)
		}
	}
}

// saying is something that an answer may say.
type saying struct {
	name   string
	events []dialect.Event
	usage  dialect.Usage
	marker string // a regular expression for what says it to the client
	// lacks are the clients that have no place for it.
	lacks []string
}

func text(words string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: words} }

func thinks(detail dialect.ReasoningDetail) []dialect.Event {
	return []dialect.Event{{Kind: dialect.EventReasoning, Reasoning: detail}, text("so")}
}

func finishes(native, reason string) []dialect.Event {
	return []dialect.Event{text("so"), {Kind: dialect.EventFinish, Text: native, Reason: reason}}
}

func calling() []dialect.Event {
	return []dialect.Event{
		{Kind: dialect.EventToolCall, Index: 0, ID: "call_zqx1", Text: "weather"}, {Kind: dialect.EventToolArguments, Index: 0, Text: `{"at":"zqxville"}`},
		{Kind: dialect.EventToolCall, Index: 1, ID: "call_zqx2", Text: "weather"}, {Kind: dialect.EventToolArguments, Index: 1, Text: `{"at":"zqxtown"}`},
	}
}

// answers are what providers may answer, in the order of the table.
var answers = []saying{
	{name: "text", events: []dialect.Event{text("zqx said")}, marker: `zqx said`},
	{name: "a refusal", events: []dialect.Event{{Kind: dialect.EventRefusal, Text: "zqx no"}}, marker: `zqx no`},
	{name: "reasoning, text", events: thinks(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "zqx thought", Format: dialect.FormatUnknown}),
		marker: `zqx thought`},
	{name: "reasoning, summary", events: thinks(dialect.ReasoningDetail{Type: dialect.ReasoningSummary, Text: "zqx thought", ID: "rs_1", Format: dialect.FormatResponses}),
		marker: `zqx thought`},
	{name: "reasoning, signature", events: thinks(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "t", Signature: "c2lnbmVk", Format: dialect.FormatAnthropic}),
		marker: `c2lnbmVk|YzJsbmJtVms`, lacks: []string{"completions"}},
	{name: "reasoning, encrypted", events: thinks(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "ZW5jcnlwdGVk", Format: dialect.FormatAnthropic}),
		marker: `ZW5jcnlwdGVk|WlcdjcnlwdGVk|Wlc1amNubHdkR1Zr`, lacks: []string{"completions"}},
	{name: "tool calls, parallel", events: calling(), marker: `(?s)call_zqx1.*call_zqx2`, lacks: []string{"completions"}},
	{name: "tool arguments", events: calling(), marker: `(?s)zqxville.*zqxtown`, lacks: []string{"completions"}},
	{name: "an image", events: []dialect.Event{text("so"), {Kind: dialect.EventImage, Text: "data:image/png;base64,iVBORw0KGgo="}}, marker: `iVBORw0KGgo=`, lacks: []string{"completions", "messages"}},
	{name: "a citation", events: []dialect.Event{text("so"), {Kind: dialect.EventAnnotation,
		Raw: jsontext.Value(`{"type":"url_citation","url_citation":{"url":"https://zqx.example/","title":"t","start_index":0,"end_index":2}}`)}},
		marker: `zqx\.example`, lacks: []string{"completions"}},
	{name: "logprobs", events: []dialect.Event{text("so"), {Kind: dialect.EventLogprobs, Raw: jsontext.Value(`{"content":[{"token":"so","logprob":-0.171,"bytes":[115,111],"top_logprobs":[]}],"refusal":null}`)}},
		marker: `-0\.171`, lacks: []string{"messages"}},
	{name: "a second choice", events: []dialect.Event{text("one"), {Kind: dialect.EventText, Choice: 1, Text: "zqx other"}}, marker: `zqx other`, lacks: []string{"messages", "responses"}},
	{name: "finish: length", events: finishes("length", ""), marker: `"length"|"max_tokens"|"max_output_tokens"|"MAX_TOKENS"`},
	{name: "finish: a word whose meaning the provider's dialect knows", events: finishes("zqx", "length"), marker: `"length"|"max_tokens"|"max_output_tokens"|"MAX_TOKENS"`},
	{name: "finish: content filter", events: finishes("content_filter", ""), marker: `"content_filter"|"refusal"|"SAFETY"`},
	{name: "finish: the provider's own word", events: finishes("SPII", ""), marker: `"SPII"`, lacks: []string{"messages", "responses"}},
	{name: "finish: error", events: finishes("error", "error"), marker: `"finish_reason":"error"|"status":"failed"|"OTHER"`, lacks: []string{"messages"}},
	{name: "tokens of the prompt", usage: dialect.Usage{Prompt: 1717}, marker: `:1717\b`},
	{name: "tokens of the answer", usage: dialect.Usage{Prompt: 1, Completion: 1717}, marker: `:1717\b`},
	{name: "tokens read from a cache", usage: dialect.Usage{Prompt: 9999, CacheRead: 1717}, marker: `:1717\b`},
	{name: "tokens written to a cache", usage: dialect.Usage{Prompt: 9999, CacheWrite: 1717}, marker: `:1717\b`, lacks: []string{"generateContent"}},
	{name: "tokens of reasoning", usage: dialect.Usage{Prompt: 1, Completion: 9999, Reasoning: 1717}, marker: `:1717\b`},
	{name: "tokens of sound heard", usage: dialect.Usage{Prompt: 9999, AudioPrompt: 1717}, marker: `:1717\b`, lacks: []string{"messages", "responses"}},
	{name: "searches of the web", usage: dialect.Usage{Prompt: 1, WebSearches: 1717}, marker: `:1717\b`, lacks: []string{"responses", "generateContent"}},
	{name: "cost", marker: `0\.0171\b`},
	{name: "service tier", events: []dialect.Event{{Kind: dialect.EventTier, Text: "flex"}, text("so")}, marker: `"flex"|"FLEX"`},
	{name: "the provider's name", marker: `zqx vendor`, lacks: []string{"responses"}},
	{name: "openrouter_metadata", marker: `zqx told`},
}

// encoded is what a client gets of an answer.
func (r reader) encoded(t *testing.T, s saying, stream bool) string {
	t.Helper()
	body := r.asks + `}`
	if stream && r.title != "generateContent" { // which says it in the path
		body = r.asks + `,"stream":true}`
	}
	request, err := r.client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	encoder := r.client.Encoder(dialect.Meta{
		ID: "gen-1-x", Model: "m/x", Provider: "zqx vendor", Request: request,
		Price: func(dialect.Usage) dialect.Cost {
			return dialect.Cost{Total: "0.0171", Prompt: "0.01", Completion: "0.0071"}
		},
		RouterMetadata: jsontext.Value(`{"summary":"zqx told"}`),
	})
	events := s.events
	if events == nil {
		events = []dialect.Event{text("so")}
	}
	if last := events[len(events)-1]; last.Kind != dialect.EventFinish {
		events = append(slices.Clone(events), dialect.Event{Kind: dialect.EventFinish, Text: "stop"})
	}
	if !stream {
		return string(encoder.Whole(nil, events, s.usage))
	}
	var dst []byte
	for _, event := range events {
		dst = encoder.Event(dst, event)
	}
	return string(encoder.Finish(dst, s.usage))
}

// answersTable shows what clients get, streamed or not.
func answersTable(t *testing.T) string {
	var out strings.Builder
	row(&out, "", readers, func(r reader) string { return r.title })
	row(&out, "---", readers, func(reader) string { return ":-:" })
	for _, s := range answers {
		row(&out, s.name, readers, func(r reader) string {
			if r.heard(t, s, true) && r.heard(t, s, false) {
				return string(kept)
			}
			return "–"
		})
	}
	return out.String()
}

// heard reports whether the client gets to know of it.
func (r reader) heard(t *testing.T, s saying, stream bool) bool {
	t.Helper()
	return regexp.MustCompile(s.marker).MatchString(r.encoded(t, s, stream))
}

// TestAnswersReachTheClient holds that clients get what providers say, where their
// dialect has a place for it: whole and streamed alike.
func TestAnswersReachTheClient(t *testing.T) {
	for _, s := range answers {
		for _, r := range readers {
			for _, stream := range []bool{false, true} {
				lacks := slices.Contains(s.lacks, r.title)
				if got := r.heard(t, s, stream); got == lacks {
					t.Errorf("%s to %s, stream=%t: heard is %t, and listed as lacking %t\n%s", s.name, r.title, stream, got, lacks, r.encoded(t, s, stream))
				}
			}
		}
	}
}
