package dialect_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/cohere"
	"github.com/switchyard/switchyard/extproc/dialect/ollama"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/eventstream"
	"github.com/switchyard/switchyard/extproc/ndjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// framing cuts a stream into events.
type framing interface {
	Feed([]byte)
	End()
	Next() (sse.Event, bool, error)
}

// framingOf is what reads a stream of a content type; nil if that is none.
func framingOf(contentType string) framing {
	switch {
	case contentType == eventstream.ContentType:
		return &eventstream.Reader{}
	case strings.Contains(contentType, "ndjson"):
		return &ndjson.Reader{}
	case strings.Contains(contentType, "event-stream"):
		return &sse.Reader{}
	}
	return nil
}

// carryChunks carries a stream that comes in these chunks to a client, whatever is in it.
func carryChunks(from dialect.Provider, reader framing, chunks [][]byte) string {
	pipe := dialect.NewPipe(openai.Client{}, from, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"})
	var out []byte
	read := func() bool {
		for {
			event, ok, err := reader.Next()
			if err == nil && !ok {
				return true
			}
			if err == nil {
				out, err = pipe.Event(out, event)
			}
			if err != nil {
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

// cutAnywhere holds that the way a stream is cut never changes what a client gets, and
// that the client can read it.
func cutAnywhere(t *testing.T, from dialect.Provider, reader func() framing, stream []byte, seed uint64) {
	whole := carryChunks(from, reader(), [][]byte{stream})
	random := rand.New(rand.NewPCG(seed, 0))
	var chunks, bytewise [][]byte
	for rest := stream; len(rest) > 0; {
		n := 1 + random.IntN(len(rest))
		chunks, rest = append(chunks, rest[:n]), rest[n:]
	}
	for i := range stream {
		bytewise = append(bytewise, stream[i:i+1])
	}
	for how, cut := range map[string][][]byte{"anywhere": chunks, "byte by byte": bytewise} {
		if got := carryChunks(from, reader(), cut); got != whole {
			t.Errorf("cut %s:\n%s\n%s", how, whole, got)
		}
	}
	for line := range strings.SplitSeq(whole, "\n\n") {
		data, _ := strings.CutPrefix(line, "data: ")
		if data != "" && data != "[DONE]" && !json.Valid([]byte(data)) {
			t.Errorf("a client cannot read %q", data)
		}
	}
}

func FuzzCohereStream(f *testing.F) {
	f.Add([]byte("event: message-start\n"+recordedCohere()), uint64(1))
	f.Add([]byte("data: {\"type\":\"citation-start\",\"delta\":{\"message\":{\"citations\":{\"start\":-1,\"end\":1e300,\"content_index\":-9,\"sources\":[{\"id\":\"\\ud83d\"},7]}}}}\r\n\r\n"), uint64(2))
	f.Add([]byte("data: {\"type\":\"tool-call-start\",\"index\":-1,\"delta\":{\"message\":{\"tool_calls\":[[]]}}}\n\ndata: {\"message\":7}\n\n"), uint64(3))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		cutAnywhere(t, cohere.Provider{}, func() framing { return &sse.Reader{} }, stream, seed)
	})
}

func FuzzOllamaStream(f *testing.F) {
	f.Add([]byte(`{"created_at":"t","message":{"content":"é","thinking":"h","tool_calls":[{"function":{"name":"f","arguments":{"a": 1}}}]},"done":false}`+"\n"+
		`{"message":{"content":""},"done":true,"done_reason":"length","prompt_eval_count":-1}`), uint64(1))
	f.Add([]byte("\r\n{\"message\":{},\"logprobs\":[7]}\n{\"error\":[]}\n"), uint64(2))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		cutAnywhere(t, ollama.Provider{}, func() framing { return &ndjson.Reader{} }, stream, seed)
	})
}

// recordedCohere is a stream as the strict fake makes it.
func recordedCohere() string {
	return `data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}

data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"hm"}}}}

data: {"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I ask."}}}

data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"x","function":{"name":"f","arguments":""}}}}}

data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":\"é\"}"}}}}}

data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":1e99}}}}
`
}

// FuzzWholeAnswers reads whole answers of dialects that tell conversations and tasks
// apart by their form.
func FuzzWholeAnswers(f *testing.F) {
	for _, body := range []string{
		`{"id":"c","message":{"content":[{"type":"text","text":"x"},7],"tool_calls":[{}],"citations":[{"sources":[{"id":"i"}]}]},"finish_reason":"COMPLETE","logprobs":[{"text":"x","logprobs":[1e400]}]}`,
		`{"embeddings":{"float":[[1],7]},"meta":{"billed_units":7}}`, `{"results":[{"index":1e18,"relevance_score":0.5}]}`, `{"message":"no"}`,
		`{"message":{"content":"x","tool_calls":[{"function":{"arguments":"x"}}]},"done":true}`, `{"embeddings":[[],"x"]}`, `{"error":{"error":[]}}`,
	} {
		f.Add([]byte(body))
	}
	embed, err := openai.Embeddings{}.Parse([]byte(`{"input":["a","b"],"encoding_format":"base64"}`))
	if err != nil {
		f.Fatal(err)
	}
	rank, err := openai.Rerank{}.Parse([]byte(`{"query":"q","documents":["a","b"]}`))
	if err != nil {
		f.Fatal(err)
	}
	asked := []struct {
		client  dialect.Client
		request *dialect.Request
	}{{openai.Client{}, &dialect.Request{}}, {openai.Embeddings{}, embed}, {openai.Rerank{}, rank}}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, s := range sides[2:] {
			for _, ask := range asked {
				pipe := dialect.NewPipe(ask.client, s.dialect, ask.request, dialect.Meta{})
				if out, err := pipe.Whole(nil, body); err == nil && !json.Valid(out) {
					t.Errorf("%s: a client cannot read %q", s.name, out)
				}
			}
		}
	})
}

// natives are the dialects whose measurements are here.
func natives() []side { return named(cohere.Name, ollama.Name) }

// BenchmarkVectors turns a batch of vectors of another dialect into base64, as OpenAI's
// SDKs ask for.
func BenchmarkVectors(b *testing.B) {
	vector := "[" + strings.TrimSuffix(strings.Repeat("-0.012345678,", 1024), ",") + "]"
	request, err := openai.Embeddings{}.Parse([]byte(`{"encoding_format":"base64","input":["a"` + strings.Repeat(`,"a"`, 95) + `]}`))
	if err != nil {
		b.Fatal(err)
	}
	answer := []byte(`{"embeddings":{"float":[` + vector + strings.Repeat(","+vector, 95) + `]}}`)
	b.SetBytes(int64(len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		pipe := dialect.NewPipe(openai.Embeddings{}, cohere.Provider{}, request, dialect.Meta{})
		if _, err := pipe.Whole(nil, answer); err != nil {
			b.Fatal(err)
		}
	}
}

// The strict fakes' own streams, cut anywhere, and broken off everywhere.
func TestStreamsCutAnywhere(t *testing.T) {
	answer := provider.Answer{Text: "Grüße, 世界 and 🌍.", Reasoning: "hm hm", ToolCalls: []provider.ToolCall{{ID: "a", Name: "f", Arguments: `{"x":"é"}`}}}
	for _, s := range natives() {
		reader := func() framing { return &sse.Reader{} }
		if s.name == ollama.Name {
			reader = func() framing { return &ndjson.Reader{} }
		}
		fake := s.fake(provider.Config{Key: key, Base: s.base})
		fake.Enqueue(answer)
		stream := s.record(t, fake, true).Body.Bytes()
		for seed := range uint64(20) {
			cutAnywhere(t, s.dialect, reader, stream, seed)
		}
		for end := 0; end < len(stream); end += 7 {
			cutAnywhere(t, s.dialect, reader, stream[:end], 1)
		}
	}
}
