package gemini

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

func testMeta() dialect.Meta {
	return dialect.Meta{
		ID: "gen-1", Model: "m/x", Provider: "A",
		Price:          func(dialect.Usage) dialect.Cost { return dialect.Cost{Total: "0.5", Prompt: "0.2", Completion: "0.3"} },
		RouterMetadata: []byte(`{"region":"here"}`),
	}
}

const (
	identity = `"modelVersion":"m/x","responseId":"gen-1"`
	cost     = `"cost":0.5,"is_byok":false,"cost_details":{"upstream_inference_cost":0.5,"upstream_inference_prompt_cost":0.2,"upstream_inference_completions_cost":0.3}`
	counts   = `"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":50,"candidatesTokenCount":5,"thoughtsTokenCount":4,"totalTokenCount":109,` +
		`"promptTokensDetails":[{"modality":"TEXT","tokenCount":90},{"modality":"AUDIO","tokenCount":10}],"candidatesTokensDetails":[{"modality":"TEXT","tokenCount":5}],` + cost + `}`
	trailer = `,"provider":"A","openrouter_metadata":{"region":"here"}}`
)

func testUsage() dialect.Usage {
	return dialect.Usage{Prompt: 100, Completion: 9, CacheRead: 50, Reasoning: 4, AudioPrompt: 10}
}

// spoken is what a client gets of events: the parts of each chunk but the last, that
// one, and the whole answer.
func spoken(t *testing.T, events []dialect.Event) (chunks []string, last, whole string) {
	t.Helper()
	encoder := Client{}.Encoder(testMeta())
	for _, event := range events {
		out := string(encoder.Event(nil, event))
		if out == "" {
			continue
		}
		parts, framed := strings.CutPrefix(out, `data: {"candidates":[{"content":{"parts":[`)
		parts, ended := strings.CutSuffix(parts, `],"role":"model"},"index":0}],`+identity+"}\n\n")
		if !framed || !ended {
			t.Errorf("chunk %q", out)
		}
		chunks = append(chunks, parts)
	}
	last = strings.TrimSuffix(strings.TrimPrefix(string(encoder.Finish(nil, testUsage())), "data: "), "\n\n")
	return chunks, last, string(Client{}.Encoder(testMeta()).Whole(nil, events, testUsage()))
}

func TestEncoder(t *testing.T) {
	text := func(text string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: text} }
	think := func(detail dialect.ReasoningDetail) dialect.Event {
		return dialect.Event{Kind: dialect.EventReasoning, Reasoning: detail}
	}
	call := func(index int, id, name string) dialect.Event {
		return dialect.Event{Kind: dialect.EventToolCall, Index: index, ID: id, Text: name}
	}
	arguments := func(index int, text string) dialect.Event {
		return dialect.Event{Kind: dialect.EventToolArguments, Index: index, Text: text}
	}
	finish := func(native string) dialect.Event { return dialect.Event{Kind: dialect.EventFinish, Text: native} }
	claude := dialect.ReasoningDetail{Type: dialect.ReasoningText, Signature: "sig", Format: dialect.FormatAnthropic}
	sealed := proof(&claude)
	redacted := dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "xyz", Format: dialect.FormatAnthropic, Index: 1}
	for name, test := range map[string]struct {
		events []dialect.Event
		chunks []string
		last   string // the parts of the last chunk
		whole  string // the parts of a whole answer
		finish string // and what is behind them
	}{
		"text": {
			events: []dialect.Event{text("a"), text("\n"), finish("end_turn")},
			chunks: []string{`{"text":"a"}`, `{"text":"\n"}`}, last: `{"text":""}`, whole: `{"text":"a\n"}`, finish: `"finishReason":"STOP","index":0`,
		},
		"nothing": {events: []dialect.Event{finish("max_tokens")}, last: `{"text":""}`, whole: `{"text":""}`, finish: `"finishReason":"MAX_TOKENS","index":0`},
		"a refusal": {
			events: []dialect.Event{{Kind: dialect.EventRefusal, Text: "no"}, finish("stop")},
			chunks: []string{`{"text":"no"}`}, last: `{"text":""}`, whole: `{"text":"no"}`, finish: `"finishReason":"SAFETY","index":0`,
		},
		"the API's own reason": {events: []dialect.Event{finish("RECITATION")}, last: `{"text":""}`, whole: `{"text":""}`, finish: `"finishReason":"RECITATION","index":0`},
		"known-failures 35: another maker's thoughts": {
			events: []dialect.Event{
				think(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "h", Format: dialect.FormatAnthropic}),
				think(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "m", Format: dialect.FormatAnthropic}),
				think(claude), think(redacted), text("a"), finish("stop"),
			},
			chunks: []string{`{"text":"h","thought":true}`, `{"text":"m","thought":true}`,
				`{"text":"","thought":true,"thoughtSignature":"` + sealed + `"}`,
				`{"text":"","thought":true,"thoughtSignature":"` + proof(&redacted) + `"},{"text":"a"}`},
			last:   `{"text":""}`,
			whole:  `{"text":"hm","thought":true,"thoughtSignature":"` + sealed + `"},{"text":"","thought":true,"thoughtSignature":"` + proof(&redacted) + `"},{"text":"a"}`,
			finish: `"finishReason":"STOP","index":0`,
		},
		"the API's own signatures": {
			events: []dialect.Event{
				think(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "AAAA", Format: dialect.FormatGemini}), text("a"),
				think(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "BBBB", ID: "1", Format: dialect.FormatGemini, Index: 1}),
				call(0, "1", "f"), arguments(0, "{}"),
				think(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "CCCC", Format: dialect.FormatGemini, Index: 2}), finish("STOP"),
			},
			chunks: []string{`{"text":"a","thoughtSignature":"AAAA"}`},
			last:   `{"functionCall":{"id":"1","name":"f","args":{}},"thoughtSignature":"BBBB"},{"text":"","thoughtSignature":"CCCC"}`,
			whole:  `{"text":"a","thoughtSignature":"AAAA"},{"functionCall":{"id":"1","name":"f","args":{}},"thoughtSignature":"BBBB"},{"text":"","thoughtSignature":"CCCC"}`,
			finish: `"finishReason":"STOP","index":0`,
		},
		"calls whose pieces are mixed": {
			events: []dialect.Event{call(0, "1", "f"), call(1, "2", "g"), arguments(1, `{"b"`), arguments(0, `{"a":1}`), arguments(1, `:2}`), text("so"), call(2, "3", "h"), arguments(2, "{}"), finish("tool_calls")},
			chunks: []string{`{"functionCall":{"id":"1","name":"f","args":{"a":1}}},{"functionCall":{"id":"2","name":"g","args":{"b":2}}},{"text":"so"}`},
			last:   `{"functionCall":{"id":"3","name":"h","args":{}}}`,
			whole:  `{"functionCall":{"id":"1","name":"f","args":{"a":1}}},{"functionCall":{"id":"2","name":"g","args":{"b":2}}},{"text":"so"},{"functionCall":{"id":"3","name":"h","args":{}}}`,
			finish: `"finishReason":"STOP","index":0`,
		},
		"a call whose arguments are cut": {
			events: []dialect.Event{text("so"), call(0, "3", "h"), arguments(0, `{"a`), finish("tool_calls")},
			chunks: []string{`{"text":"so"}`}, last: `{"text":""}`, whole: `{"text":"so"}`,
			finish: `"finishReason":"MALFORMED_FUNCTION_CALL","index":0`,
		},
		"a call that a bound cuts": {
			events: []dialect.Event{text("so"), call(0, "3", "h"), arguments(0, `{"a`), finish("length")},
			chunks: []string{`{"text":"so"}`}, last: `{"text":""}`, whole: `{"text":"so"}`,
			finish: `"finishReason":"MAX_TOKENS","index":0`,
		},
		"an image": {
			events: []dialect.Event{{Kind: dialect.EventImage, Text: "data:image/png;base64,AA=="}, finish("stop")},
			chunks: []string{`{"inlineData":{"mimeType":"image/png","data":"AA=="}}`}, last: `{"text":""}`, whole: `{"inlineData":{"mimeType":"image/png","data":"AA=="}}`, finish: `"finishReason":"STOP","index":0`,
		},
		"row 73: sources": {
			events: []dialect.Event{text("é so"), {Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":2,"end_index":4}}`)},
				{Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation","url_citation":{"url":"u","content":"q"}}`)}, finish("stop")},
			chunks: []string{`{"text":"é so"}`}, last: `{"text":""}`, whole: `{"text":"é so"}`,
			finish: `"finishReason":"STOP","index":0,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}],` +
				`"groundingSupports":[{"segment":{"startIndex":3,"endIndex":5,"text":"so"},"groundingChunkIndices":[0]},{"segment":{"endIndex":0,"text":"q"},"groundingChunkIndices":[0]}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			chunks, last, whole := spoken(t, test.events)
			if diff := cmp.Diff(test.chunks, chunks); diff != "" {
				t.Error(diff)
			}
			envelope := func(parts string) string {
				return `{"candidates":[{"content":{"parts":[` + parts + `],"role":"model"},` + test.finish + `}],` + counts + `,` + identity + trailer
			}
			if diff := cmp.Diff(envelope(test.last), last); diff != "" {
				t.Errorf("last: %s", diff)
			}
			if diff := cmp.Diff(envelope(test.whole), whole); diff != "" {
				t.Errorf("whole: %s", diff)
			}
		})
	}
}

func TestEncoderLogprobs(t *testing.T) {
	encoder := Client{}.Encoder(dialect.Meta{})
	if out := encoder.Event(nil, dialect.Event{Kind: dialect.EventLogprobs, Raw: []byte(`{"content":[{"token":"a","logprob":-0.5,"top_logprobs":[{"token":"b","logprob":-1}]}]}`)}); len(out) != 0 {
		t.Errorf("a chunk without parts: %s", out)
	}
	out := encoder.Event(nil, dialect.Event{Kind: dialect.EventText, Text: "a"})
	if want := `"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-0.5}],"topCandidates":[{"candidates":[{"token":"b","logProbability":-1}]}]}`; !strings.Contains(string(out), want) {
		t.Errorf("%s", out)
	}
}

func TestEncoderChoices(t *testing.T) {
	events := []dialect.Event{{Kind: dialect.EventText, Text: "a"}, {Kind: dialect.EventText, Choice: 1, Text: "b"}, {Kind: dialect.EventFinish, Text: "length", Choice: 1}}
	out := string(Client{}.Encoder(dialect.Meta{}).Whole(nil, events, dialect.Usage{}))
	if !strings.HasPrefix(out, `{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP","index":0},{"content":{"parts":[{"text":"b"}],"role":"model"},"finishReason":"MAX_TOKENS","index":1}],`) {
		t.Error(out)
	}
}

// The SDKs know an error in a stream by its first member, and no comments.
func TestClientStreamFailsAndWaits(t *testing.T) {
	for _, provider := range []dialect.Provider{Provider{}, openai.Provider{}} {
		pipe := dialect.NewPipe(Client{}, provider, &dialect.Request{Stream: true}, testMeta())
		if got := string(pipe.Comment(nil, "OPENROUTER PROCESSING")); got != "\n\n" {
			t.Errorf("%s: a comment is %q", provider.Name(), got)
		}
		got := string(pipe.Fail(nil, &dialect.Error{Status: 503, Type: "server", Message: "m"}))
		if !strings.HasPrefix(got, `data: {"error":{"code":503,"message":"m","status":"UNAVAILABLE",`) || !strings.HasSuffix(got, "}\n\n") || !strings.Contains(got, `"generation_id":"gen-1"`) {
			t.Errorf("%s: %s", provider.Name(), got)
		}
		whole := dialect.NewPipe(Client{}, provider, &dialect.Request{}, testMeta())
		if got := whole.Comment(nil, "x"); len(got) != 0 {
			t.Errorf("%s: a comment in a whole answer: %q", provider.Name(), got)
		}
	}
}

// scanChunks cuts a stream as Google's SDK in Go does (google.golang.org/genai v1.77.0),
// which then takes a piece that does not begin with "data:" for an error.
func scanChunks(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if end := bytes.Index(data, []byte("\n\n")); end >= 0 {
		return end + 2, data[:end], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func TestKeepAliveIsNoChunkToGooglesSDKInGo(t *testing.T) {
	pipe := dialect.NewPipe(Client{}, openai.Provider{}, &dialect.Request{Stream: true}, testMeta())
	stream := pipe.Comment(nil, "")
	for range 3 {
		stream, _ = pipe.Event(stream, sse.Event{Data: []byte(`{"choices":[{"delta":{"content":"a"}}]}`)})
		stream = pipe.Comment(stream, "")
	}
	stream = pipe.Finish(stream)
	scanner := bufio.NewScanner(bytes.NewReader(stream))
	scanner.Split(scanChunks)
	chunks := 0
	for scanner.Scan() {
		if len(scanner.Bytes()) == 0 {
			continue
		}
		chunks++
		if !bytes.HasPrefix(scanner.Bytes(), []byte("data: {")) {
			t.Errorf("chunk %q", scanner.Bytes())
		}
	}
	if chunks != 4 {
		t.Errorf("%d chunks in %q", chunks, stream)
	}
}

// A reasoning detail of any maker comes back as it was, whatever alphabet an SDK has put
// its proof in.
func TestSealedThoughtsComeBack(t *testing.T) {
	for _, detail := range []dialect.ReasoningDetail{
		{Type: dialect.ReasoningText, Text: "hm", Signature: "a+b/c=?>", Format: dialect.FormatAnthropic},
		{Type: dialect.ReasoningEncrypted, Data: "gAAAA??>>", ID: "rs_1", Format: "openai-responses-v1"},
		{Type: dialect.ReasoningText, Text: "hm", Signature: "AAAA", Format: dialect.FormatGemini},
		{Type: dialect.ReasoningEncrypted, Data: "no base64", Format: dialect.FormatGemini},
		{Type: dialect.ReasoningSummary, Text: "hm", ID: "x", Format: "openai-responses-v1"},
	} {
		said := Client{}.Encoder(dialect.Meta{}).Whole(nil, []dialect.Event{{Kind: dialect.EventReasoning, Reasoning: detail}}, dialect.Usage{})
		var wire struct {
			Candidates []struct{ Content json.RawMessage }
		}
		if err := json.Unmarshal(said, &wire); err != nil {
			t.Fatal(err)
		}
		turn := strings.NewReplacer("+", "-", "/", "_").Replace(string(wire.Candidates[0].Content))
		chat, err := read(t, `{"contents":[`+turn+`,{"parts":[{"text":"hi"}]}]}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := *chat.Messages[0].Parts[0].Reasoning; got != detail {
			t.Errorf("%+v came back as %+v", detail, got)
		}
	}
}

// answer is what a client of this dialect gets of a provider's stream.
func answer(provider dialect.Provider, chunks ...[]byte) string {
	return carry(dialect.NewPipe(Client{}, provider, &dialect.Request{Dialect: Name, Stream: true}, testMeta()), chunks)
}

// FuzzClientStream holds that a client can read what comes of any provider's stream, and
// that the way it is cut makes no difference: whole, byte by byte, or at random.
func FuzzClientStream(f *testing.F) {
	f.Add([]byte("data: "+said(`{"text":"a","thought":true},{"functionCall":{"name":"f","args":{"a": [1]}},"thoughtSignature":"s"}`)+"\ndata: "+said(`{"text":""}`, stop)+"\n"), uint64(1), uint8(0))
	f.Add([]byte("data: [{\"candidates\":[]}]\n\ndata: {\"error\":{\"code\":429,\"message\":\"m\"}}\n\n"), uint64(2), uint8(0))
	f.Add([]byte("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\",\"tool_calls\":[{\"index\":0,\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"), uint64(3), uint8(1))
	f.Add([]byte("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"h\",\"signature\":\"s\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"\xff\"}}\n\n"), uint64(4), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, from uint8) {
		provider := []dialect.Provider{Provider{}, openai.Provider{}, anthropic.Provider{}}[from%3]
		whole := answer(provider, stream)
		if got := answer(provider, cut(stream, seed)...); got != whole {
			t.Errorf("cut differently:\n%s\n%s", whole, got)
		}
		var bytewise [][]byte
		for i := range stream[:min(len(stream), 4<<10)] {
			bytewise = append(bytewise, stream[i:i+1])
		}
		if len(stream) <= 4<<10 {
			if got := answer(provider, bytewise...); got != whole {
				t.Errorf("byte by byte:\n%s\n%s", whole, got)
			}
		}
		for line := range strings.Lines(whole) {
			// As google-genai reads it: any line but a blank one is a piece of JSON.
			data, framed := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "data: ")
			if data != "" && (!framed || !json.Valid([]byte(data))) {
				t.Errorf("a client cannot read %q", line)
			}
		}
	})
}

// FuzzClientWhole does so for whole answers.
func FuzzClientWhole(f *testing.F) {
	f.Add([]byte(`{"candidates":[{"content":{"parts":[{"text":"x"},{"functionCall":{}},{"inlineData":{}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1}}`), uint8(0))
	f.Add([]byte(`[{"candidates":[1,null]},{"usageMetadata":[]}]`), uint8(0))
	f.Add([]byte(`{"choices":[{"message":{"content":"a","reasoning":"b","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{"}}]},"finish_reason":"stop","logprobs":{"content":[{"token":1}]}}]}`), uint8(1))
	f.Fuzz(func(t *testing.T, body []byte, from uint8) {
		provider := []dialect.Provider{Provider{}, openai.Provider{}, anthropic.Provider{}}[from%3]
		pipe := dialect.NewPipe(Client{}, provider, &dialect.Request{}, testMeta())
		if out, err := pipe.Whole(nil, body); err == nil && !json.Valid(out) {
			t.Errorf("a client cannot read %q", out)
		}
	})
}

// What a provider may make the gateway hold of a stream is bounded: the answer ends as if
// the model had come to its bound.
func TestEncoderHoldsSoMuch(t *testing.T) {
	written := Client{}.Encoder(dialect.Meta{})
	out := written.Event(nil, dialect.Event{Kind: dialect.EventToolCall, ID: "a", Text: "f"})
	piece := strings.Repeat("x", 1<<20)
	for range 2 * largestHeld >> 20 {
		out = written.Event(out, dialect.Event{Kind: dialect.EventToolArguments, Text: piece})
	}
	out = written.Event(out, dialect.Event{Kind: dialect.EventFinish, Text: "tool_calls"})
	if held := len(written.(*encoder).answers[0].calls[0].arguments); held > largestHeld {
		t.Errorf("%d bytes are held", held)
	}
	if out = written.Finish(out, dialect.Usage{}); !strings.Contains(string(out[len(out)-400:]), `"finishReason":"MAX_TOKENS"`) {
		t.Errorf("it ends with %s", out[len(out)-400:])
	}
}

// Models before the third generation charge an answer's searches as one, later ones each.
func TestSearchesAreCounted(t *testing.T) {
	for version, want := range map[string]int64{"gemini-2.5-flash": 1, "gemini-3-flash-preview": 2, "": 2} {
		decoder := Provider{}.Decoder()
		var last dialect.Usage
		for _, chunk := range []string{
			`{"candidates":[{"content":{"parts":[{"text":"a"}]},"groundingMetadata":{"webSearchQueries":["q","","r"]}}],"usageMetadata":{"promptTokenCount":1},"modelVersion":"` + version + `"}`,
			`{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["q","r"]}}],"usageMetadata":{"promptTokenCount":1},"modelVersion":"` + version + `"}`,
		} {
			events, err := decoder.Event(sse.Event{Data: []byte(chunk)})
			if err != nil {
				t.Fatal(err)
			}
			for _, event := range events {
				if event.Kind == dialect.EventUsage {
					last = event.Usage
				}
			}
		}
		if last.WebSearches != want {
			t.Errorf("%q: %d searches, want %d", version, last.WebSearches, want)
		}
	}
}
