package dialect_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
	"github.com/switchyard/switchyard/extproc/sse"
)

// speaker is a client's dialect with the words around a conversation in it. A turn has
// a place for its text.
type speaker struct {
	name                        string
	client                      dialect.Client
	open, user, assistant, shut string
}

func speakers(tb testing.TB) []speaker {
	tb.Helper()
	generate, err := gemini.Client{}.ReadHead(dialect.Head{
		Path: "/v1beta/models/m:streamGenerateContent", Query: "alt=sse", Header: func(string) string { return "" },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return []speaker{
		{"chat", openai.Client{}, `{"model":"m/x","stream":true,"temperature":0.7,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}],"messages":[`,
			`{"role":"user","content":"%s"}`, `{"role":"assistant","content":"%s"}`, `]}`},
		{"messages", anthropic.Client{}, `{"model":"m/x","stream":true,"max_tokens":900,"tools":[{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}],"messages":[`,
			`{"role":"user","content":"%s"}`, `{"role":"assistant","content":[{"type":"text","text":"%s"}]}`, `]}`},
		{"responses", responses.Client{}, `{"model":"m/x","stream":true,"temperature":0.7,"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}],"input":[`,
			`{"role":"user","content":"%s"}`, `{"type":"message","role":"assistant","content":[{"type":"output_text","text":"%s"}]}`, `]}`},
		{"gemini", generate, `{"generationConfig":{"temperature":0.7},"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}}]}],"contents":[`,
			`{"role":"user","parts":[{"text":"%s"}]}`, `{"role":"model","parts":[{"text":"%s"}]}`, `]}`},
		{"completions", openai.Completions{}, `{"model":"m/x","stream":true,"temperature":0.7,"prompt":"`, `%s`, `%s`, `"}`},
	}
}

// conversation is a request of about size bytes, in turns of half a kilobyte.
func (s speaker) conversation(size int) []byte {
	turn := strings.Repeat(`Lorem ipsum \"dolor\" sit amet,\n consectetur. `, 10)
	var b strings.Builder
	b.WriteString(s.open)
	fmt.Fprintf(&b, s.user, turn)
	for i := 0; b.Len() < size-300; i++ {
		said := []string{s.assistant, s.user}[i%2]
		if strings.HasPrefix(said, "{") {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, said, turn)
	}
	b.WriteString(s.shut)
	return []byte(b.String())
}

// deltas are pieces of text as each vendor streams them, with all that they have around.
var deltas = map[string]sse.Event{
	"openai": {Data: []byte(`{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1787612977,"model":"gpt-4o-2024-08-06",` +
		`"service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aBcD"}`)},
	"azure": {Data: []byte(`{"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":" word"},"finish_reason":null,"index":0}],` +
		`"created":1787612977,"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","model":"gpt-4o","object":"chat.completion.chunk","usage":null}`)},
	"anthropic":        {Name: "content_block_delta", Data: []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`)},
	"vertex anthropic": {Data: []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`)},
	"gemini": {Data: []byte(`{"candidates":[{"content":{"parts":[{"text":" word"}],"role":"model"},"index":0}],` +
		`"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":7,"totalTokenCount":18,"promptTokensDetails":[{"modality":"TEXT","tokenCount":11}]},` +
		`"modelVersion":"gemini-3-flash-preview","responseId":"x6kYaYqoHcWdkdUPlZzH2Ac"}`)},
	"responses": {Data: []byte(`{"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_0a1b2c3d4e5f67890123456789abcdef0123456789",` +
		`"output_index":0,"content_index":0,"delta":" word","logprobs":[],"obfuscation":"Jh3kd8Yx"}`)},
	"cohere":  {Data: []byte(`{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" word"}}}}`)},
	"ollama":  {Data: []byte(`{"model":"llama3.2","created_at":"2026-08-04T08:52:19.385406455-07:00","message":{"role":"assistant","content":" word"},"done":false}`)},
	"bedrock": {Name: "contentBlockDelta", Data: []byte(`{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abcdefghijk"}`)},
	"anthropic_bedrock": {Name: "chunk", Data: []byte(`{"bytes":"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSIsImluZGV4IjowLCJkZWx0YSI6eyJ0eXBlIjoidGV4dF9kZWx0YSIsInRleHQiOiIgd29yZCJ9fQ==",` +
		`"p":"abcdefghijk"}`)},
}

// eachPair measures each client's dialect against each provider's.
func eachPair(b *testing.B, measure func(b *testing.B, client speaker, s side)) {
	for _, client := range speakers(b) {
		for _, s := range sides {
			if _, own := deltas[s.name]; own { // others are one of these at another address
				b.Run("client="+client.name+"/provider="+strings.ReplaceAll(s.name, " ", "_"), func(b *testing.B) { measure(b, client, s) })
			}
		}
	}
}

// processorTime is what the process has used so far. On a machine that does other things
// too it tells more than the clock does.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkRequest is a request on its way: checked, read and written for a provider.
func BenchmarkRequest(b *testing.B) {
	eachPair(b, func(b *testing.B, client speaker, s side) {
		for _, size := range []struct {
			name  string
			bytes int
		}{{"1KB", 1 << 10}, {"100KB", 100 << 10}, {"5MB", 5 << 20}} {
			b.Run("size="+size.name, func(b *testing.B) {
				body := client.conversation(size.bytes)
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				began := processorTime(b)
				for b.Loop() {
					request, err := client.client.Parse(body)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := s.dialect.Request(request, s.target); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op")
			})
		}
	})
}

// BenchmarkStream is an answer on its way, with its first event and its end.
func BenchmarkStream(b *testing.B) {
	eachPair(b, func(b *testing.B, client speaker, s side) {
		request, err := client.client.Parse(client.conversation(1 << 10))
		if err != nil {
			b.Fatal(err)
		}
		for _, count := range []int{1, 1000} {
			b.Run(fmt.Sprintf("events=%d", count), func(b *testing.B) {
				var out []byte
				b.ReportAllocs()
				began := processorTime(b)
				for b.Loop() {
					pipe := dialect.NewPipe(client.client, s.dialect, request, meta)
					for range count {
						if out, err = pipe.Event(out[:0], deltas[s.name]); err != nil {
							b.Fatal(err)
						}
					}
					out = pipe.Finish(out[:0])
				}
				b.ReportMetric(float64(processorTime(b)-began)/float64(b.N)/float64(count), "cpu-ns/event")
			})
		}
	})
}

// TestEveryDialectIsMeasured keeps the table of deltas whole.
func TestEveryDialectIsMeasured(t *testing.T) {
	measured := map[string]bool{}
	for _, s := range sides {
		if delta, own := deltas[s.name]; own {
			measured[fmt.Sprintf("%T", s.dialect)] = true
			pipe := dialect.NewPipe(openai.Client{}, s.dialect, s.parse(t, true), meta)
			if out, err := pipe.Event(nil, delta); err != nil || !strings.Contains(string(out), `"content":" word"`) {
				t.Errorf("%s: %v in %s", s.name, err, out)
			}
		}
	}
	for _, s := range sides {
		if !measured[fmt.Sprintf("%T", s.dialect)] {
			t.Errorf("%s is not measured", s.name)
		}
	}
	for _, client := range speakers(t) {
		for _, size := range []int{1 << 10, 100 << 10} {
			if got := len(client.conversation(size)); got < size*4/5 || got > size*6/5 {
				t.Errorf("%s: %d bytes, want %d", client.name, got, size)
			}
		}
	}
}
