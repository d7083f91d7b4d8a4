package gemini

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decode reads data, one chunk a line.
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

// said is a chunk with parts and more members of its candidate.
func said(parts string, members ...string) string {
	return `{"candidates":[{"content":{"role":"model","parts":[` + parts + `]}` + strings.Join(append([]string{""}, members...), ",") + `}]}` + "\n"
}

const stop = `"finishReason":"STOP"`

func TestDecoder(t *testing.T) {
	start, end := dialect.Event{Kind: dialect.EventStart}, dialect.Event{Kind: dialect.EventEnding}
	text := func(text string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: text} }
	thought := func(text, signature string, index int) dialect.Event {
		return dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningText, Text: text, Signature: signature, Format: dialect.FormatGemini, Index: index}}
	}
	signed := func(data, id string, index int) dialect.Event {
		return dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningEncrypted, Data: data, ID: id, Format: dialect.FormatGemini, Index: index}}
	}
	call := func(index int, id, name string) dialect.Event {
		return dialect.Event{Kind: dialect.EventToolCall, Index: index, ID: id, Text: name}
	}
	arguments := func(index int, text string) dialect.Event {
		return dialect.Event{Kind: dialect.EventToolArguments, Index: index, Text: text}
	}
	finish := func(native, reason string) dialect.Event {
		return dialect.Event{Kind: dialect.EventFinish, Text: native, Reason: reason}
	}
	annotation := func(raw string) dialect.Event { return dialect.Event{Kind: dialect.EventAnnotation, Raw: []byte(raw)} }
	for _, test := range []struct {
		name, lines string
		want        []dialect.Event
	}{
		{"text, and the end", `{"responseId":"r"}` + "\n" + said(`{"text":"a"}`) + said(`{"text":""}`, stop),
			[]dialect.Event{{Kind: dialect.EventStart, Text: "r"}, text("a"), finish("STOP", ""), end}},
		{"known-failures 29: an array where a chunk should be", `[` + said(`{"text":"a"}`) + `,` + strings.TrimSpace(said(`{"text":"b"}`, stop)) + `]`, nil},
		{"thoughts go on until something else comes", said(`{"text":"a","thought":true}`) + said(`{"text":"b","thought":true},{"text":"x"},{"text":"c","thought":true}`),
			[]dialect.Event{start, thought("a", "", 0), thought("b", "", 0), text("x"), thought("c", "", 1)}},
		{"a thought that is signed itself", said(`{"text":"a","thought":true,"thoughtSignature":"s"},{"text":"b","thought":true}`),
			[]dialect.Event{start, thought("a", "s", 0), thought("b", "", 1)}},
		{"known-failures 35: the signature of text that came before it", said(`{"text":"a"}`) + said(`{"text":"","thoughtSignature":"s"}`, stop),
			[]dialect.Event{start, text("a"), signed("s", "", 0), finish("STOP", ""), end}},
		{"row 92: parallel calls, of which the first is signed", said(`{"functionCall":{"id":"x","name":"f","args":{"a": 1.0, "b":"\u00e9"}},"thoughtSignature":"s"},{"functionCall":{"id":"y","name":"f"}}`, stop),
			[]dialect.Event{start, signed("s", "x", 0), call(0, "x", "f"), arguments(0, `{"a":1.0,"b":"\u00e9"}`), call(1, "y", "f"), arguments(1, `{}`), finish("STOP", "tool_calls"), end}},
		{"images, of which thoughts are none", said(`{"inlineData":{"mimeType":"image/png","data":"AA=="},"thought":true},{"inlineData":{"mimeType":"image/png","data":"BB=="}},{"inlineData":{"mimeType":"audio/wav","data":"CC=="}}`),
			[]dialect.Event{start, {Kind: dialect.EventImage, Text: "data:image/png;base64,BB=="}}},
		{"row 4: an end for safety's sake", said(`{"text":"a"}`, `"finishReason":"SAFETY"`), []dialect.Event{start, text("a"), finish("SAFETY", ""), end}},
		{"usage with the end", `{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3}}`,
			[]dialect.Event{start, finish("STOP", ""), {Kind: dialect.EventUsage, Usage: dialect.Usage{Prompt: 3}}, {Kind: dialect.EventDone}}},
		{"known-failures 3: usage behind the end", said(``, stop) + `{"usageMetadata":{"promptTokenCount":3}}`,
			[]dialect.Event{start, finish("STOP", ""), end, {Kind: dialect.EventUsage, Usage: dialect.Usage{Prompt: 3}}, {Kind: dialect.EventDone}}},
		{"usage before the end", `{"usageMetadata":{"promptTokenCount":3}}` + "\n" + said(``, stop),
			[]dialect.Event{start, {Kind: dialect.EventUsage, Usage: dialect.Usage{Prompt: 3}}, finish("STOP", ""), end}},
		{"row 84: the reason comes twice", said(``, stop) + said(``, stop), []dialect.Event{start, finish("STOP", ""), end, end}},
		{"a malformed call behind text", said(`{"text":"a"}`, `"finishReason":"MALFORMED_FUNCTION_CALL"`),
			[]dialect.Event{start, text("a"), finish("MALFORMED_FUNCTION_CALL", ""), end}},
		{"row 73: a search, told twice, counted in bytes", said(`{"text":"é1"}`, `"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a","title":"A"}}],"groundingSupports":[{"segment":{"startIndex":2,"endIndex":3},"groundingChunkIndices":[0,7]}]}`) +
			said(``, `"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a","title":"A"}}],"groundingSupports":[{"segment":{"startIndex":2,"endIndex":3},"groundingChunkIndices":[0]}]}`),
			[]dialect.Event{start, text("é1"), annotation(`{"type":"url_citation","url_citation":{"url":"https://a","title":"A","start_index":1,"end_index":2}}`)}},
		{"row 73: a citation", said(`{"text":"ab"}`, `"citationMetadata":{"citationSources":[{"startIndex":1,"endIndex":99,"uri":"https://a"},{"license":"mit"}]}`),
			[]dialect.Event{start, text("ab"), annotation(`{"type":"url_citation","url_citation":{"url":"https://a","start_index":1,"end_index":2}}`)}},
		{"parts and chunks of a kind that is unknown", said(`{"executableCode":{"code":"1"}},7,null`) + `{"something":1}`, []dialect.Event{start}},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines := test.lines
			if test.want == nil { // an array spans lines
				lines = strings.ReplaceAll(lines, "\n", "")
				test.want = []dialect.Event{start, text("a"), text("b"), finish("STOP", ""), end}
			}
			if diff := cmp.Diff(test.want, decode(t, lines)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCallIDs holds that calls whose ids are missing or repeated get ids that are
// unique, and the same ones however often they are read.
func TestCallIDs(t *testing.T) {
	lines := `{"responseId":"r","candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}},{"functionCall":{"id":"x","name":"f"}},{"functionCall":{"id":"x","name":"f"}}]}}]}`
	ids := func(lines string) []string {
		var ids []string
		for _, event := range decode(t, lines) {
			if event.Kind == dialect.EventToolCall {
				ids = append(ids, event.ID)
			}
		}
		return ids
	}
	first := ids(lines)
	unique := map[string]bool{}
	for _, id := range first {
		if id == "" || unique[id] || len(id) > 40 {
			t.Errorf("id %q of %q", id, first)
		}
		unique[id] = true
	}
	if len(first) != 4 || first[2] != "x" {
		t.Errorf("ids are %q", first)
	}
	if diff := cmp.Diff(first, ids(lines)); diff != "" {
		t.Error(diff)
	}
	if other := ids(strings.Replace(lines, `"r"`, `"r2"`, 1)); other[0] == first[0] {
		t.Error("another answer has the same id")
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name, lines string
		want        dialect.Usage
	}{
		{"thoughts are part of the completion, the cache of the prompt", `{"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":20,"thoughtsTokenCount":5,"totalTokenCount":125}}`,
			dialect.Usage{Prompt: 100, CacheRead: 40, Completion: 25, Reasoning: 5}},
		{"later counts are cumulative", `{"usageMetadata":{"promptTokenCount":10,"thoughtsTokenCount":5}}
{"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":7}}`, dialect.Usage{Prompt: 10, Completion: 12, Reasoning: 5}},
		{"what tools said, and modalities", `{"usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":3,"candidatesTokenCount":9,"promptTokensDetails":[{"modality":"TEXT","tokenCount":6},{"modality":"AUDIO","tokenCount":4}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":8}]}}`,
			dialect.Usage{Prompt: 13, Completion: 9, AudioPrompt: 4, Images: 8}},
		{"nonsense", `{"usageMetadata":{"promptTokenCount":-1,"candidatesTokenCount":"x","cachedContentTokenCount":9,"promptTokensDetails":1}}`, dialect.Usage{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			events := decode(t, test.lines)
			if diff := cmp.Diff(test.want, events[len(events)-1].Usage); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServedTier(t *testing.T) {
	for native, want := range map[string]string{"FLEX": "flex", "priority": "priority", "STANDARD": "default"} {
		events := decode(t, `{"usageMetadata":{"serviceTier":"`+native+`"}}`)
		if events[1].Kind != dialect.EventTier || events[1].Text != want {
			t.Errorf("%s is told as %+v", native, events[1])
		}
	}
}

func TestFailuresInsideAnAnswer(t *testing.T) {
	for _, test := range []struct {
		name, data string
		want       dialect.ProviderFailure
	}{
		{"overloaded", `{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}`,
			dialect.ProviderFailure{Status: 503, Message: "The model is overloaded.", Code: "UNAVAILABLE"}},
		{"with a wait", `{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}`,
			dialect.ProviderFailure{Status: 429, Message: "Quota", Code: "RESOURCE_EXHAUSTED", RetryAfter: 34500 * time.Millisecond}},
		{"a prompt that is blocked", `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":3}}`,
			dialect.ProviderFailure{Status: 400, Message: "The provider blocked the prompt: PROHIBITED_CONTENT.", Code: "PROHIBITED_CONTENT"}},
		{"a malformed call and nothing else", strings.TrimSpace(said(``, `"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"Malformed function call: f("`)),
			dialect.ProviderFailure{Status: 502, Message: "Malformed function call: f(", Code: "MALFORMED_FUNCTION_CALL"}},
	} {
		for how, read := range map[string]func() error{
			"streamed": func() error { _, err := Provider{}.Decoder().Event(sse.Event{Data: []byte(test.data)}); return err },
			"whole":    func() error { _, err := Provider{}.Decoder().Whole([]byte(test.data)); return err },
			"in an array": func() error {
				_, err := Provider{}.Decoder().Whole([]byte("[" + test.data + "\n]"))
				return err
			},
		} {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				var failure *dialect.ProviderFailure
				if err := read(); !errors.As(err, &failure) {
					t.Fatalf("got %v", err)
				}
				if diff := cmp.Diff(test.want, *failure); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestFailure(t *testing.T) {
	google := func(code, status, details string) string {
		return `{"error":{"code":` + code + `,"message":"No","status":"` + status + `","details":[` + details + `]}}`
	}
	const retry = `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"`
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   dialect.ProviderFailure
	}{
		{"a bad request", 400, google("400", "INVALID_ARGUMENT", ``), dialect.ProviderFailure{Status: 400, Code: "INVALID_ARGUMENT"}},
		{"a bad key is about the gateway", 400, google("400", "INVALID_ARGUMENT", `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}`),
			dialect.ProviderFailure{Status: 401, Code: "INVALID_ARGUMENT"}},
		{"so is a country", 400, google("400", "FAILED_PRECONDITION", ``), dialect.ProviderFailure{Status: 403, Code: "FAILED_PRECONDITION"}},
		{"a wait", 429, google("429", "RESOURCE_EXHAUSTED", `{"@type":"type.googleapis.com/google.rpc.Help"},`+retry+`7s"}`),
			dialect.ProviderFailure{Status: 429, Code: "RESOURCE_EXHAUSTED", RetryAfter: 7 * time.Second}},
		{"a wait in an array", 429, "[" + google("429", "RESOURCE_EXHAUSTED", retry+`7s"}`) + "]",
			dialect.ProviderFailure{Status: 429, Code: "RESOURCE_EXHAUSTED", RetryAfter: 7 * time.Second}},
		{"a wait without end", 429, google("429", "RESOURCE_EXHAUSTED", retry+`99999h"}`), dialect.ProviderFailure{Status: 429, Code: "RESOURCE_EXHAUSTED", RetryAfter: longestWait}},
		{"a wait that is none", 429, google("429", "RESOURCE_EXHAUSTED", retry+`-7s"},`+retry+`soon"},7`), dialect.ProviderFailure{Status: 429, Code: "RESOURCE_EXHAUSTED"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Message = "No"
			if diff := cmp.Diff(test.want, Provider{}.Failure(test.status, []byte(test.body))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWholeRefuses(t *testing.T) {
	for _, body := range []string{"", "<html>", "{}", "[]", "[1]", `"x"`, `{"candidates":7}`, `[{"candidates":[{"content":`, `{"candidates":[{"index":128}]}`, `{"candidates":[{"index":-1}]}`} {
		if events, err := (Provider{}).Decoder().Whole([]byte(body)); err == nil {
			t.Errorf("%s was read as %v", body, events)
		}
	}
}

// FuzzStream holds that no provider can make the decoder panic, that the client can
// read what comes of its stream, and that the way it is cut makes no difference.
func FuzzStream(f *testing.F) {
	f.Add([]byte("data: "+said(`{"text":"a","thought":true},{"functionCall":{"name":"f","args":{"a": [1]}},"thoughtSignature":"s"}`, stop)+"\n"), uint64(1))
	f.Add([]byte("data: "+said(`{"text":"\ud83d","thoughtSignature":"s"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}`)+"\r\n\r\n"), uint64(2))
	f.Add([]byte("data: {\"error\":{\"message\":[],\"details\":[{\"@type\":\"google.rpc.RetryInfo\"}]}}\n\n"), uint64(3))
	f.Add([]byte("data: "+said(`{"text":"é"}`, `"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"startIndex":-1,"endIndex":1},"groundingChunkIndices":[0,-1]}]}`)+"\n"), uint64(4))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		whole := translate(t, [][]byte{stream})
		if got := translate(t, cut(stream, seed)); got != whole {
			t.Errorf("cut differently:\n%s\n%s", whole, got)
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
	return carry(dialect.NewPipe(openai.Client{}, Provider{}, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"}), chunks)
}

// carry runs a provider's stream, cut into chunks, through a pipe to a client.
func carry(pipe dialect.Pipe, chunks [][]byte) string {
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

// cut splits a stream at random.
func cut(stream []byte, seed uint64) [][]byte {
	random := rand.New(rand.NewPCG(seed, 0))
	var chunks [][]byte
	for len(stream) > 0 {
		n := 1 + random.IntN(len(stream))
		chunks, stream = append(chunks, stream[:n]), stream[n:]
	}
	return chunks
}

func FuzzWhole(f *testing.F) {
	f.Add([]byte(`{"responseId":"a","candidates":[{"content":{"parts":[{"text":"x"},{"functionCall":{}},{"inlineData":{}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1}}`))
	f.Add([]byte(`[{"candidates":[1,null,{"index":1,"citationMetadata":{"citations":[{"uri":"u","endIndex":9}]}}]},{"usageMetadata":[]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		pipe := dialect.NewPipe(openai.Client{}, Provider{}, &dialect.Request{}, dialect.Meta{})
		if out, err := pipe.Whole(nil, body); err == nil && !json.Valid(out) {
			t.Errorf("a client cannot read %q", out)
		}
	})
}

func FuzzFailure(f *testing.F) {
	f.Add([]byte(`[{"error":{"code":400,"status":"FAILED_PRECONDITION","details":[{"@type":"google.rpc.RetryInfo","retryDelay":"1s"}]}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		failure := Provider{}.Failure(400, body)
		if failure.Message == "" || failure.RetryAfter < 0 || failure.RetryAfter > longestWait {
			t.Errorf("%q became %+v", body, failure)
		}
	})
}
