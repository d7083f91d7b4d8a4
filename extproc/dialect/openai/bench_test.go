package openai

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

// conversation is a request of about size bytes, in turns of half a kilobyte.
func conversation(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"m/x","stream":true,"temperature":0.7,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}],"messages":[`)
	turn := strings.Repeat(`Lorem ipsum \"dolor\" sit amet,\n consectetur. `, 10)
	for i := 0; b.Len() < size-600; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"role":%q,"content":"%s"}`, []string{"user", "assistant"}[i%2], turn)
	}
	return []byte(b.String() + `]}`)
}

func BenchmarkRequest(b *testing.B) {
	image := fmt.Appendf(nil, `{"model":"m/x","messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,%s"}}]}]}`,
		strings.Repeat("iVBORw0KGgo", 5<<20/11))
	for _, test := range []struct {
		name string
		body []byte
	}{
		{"1KB", conversation(1200)}, {"100KB", conversation(100 << 10)}, {"5MB text", conversation(5 << 20)}, {"5MB image", image},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(int64(len(test.body)))
			b.ReportAllocs()
			for b.Loop() {
				request, err := Client{}.Parse(test.body)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := (Provider{}).Request(request, dialect.Target{Model: "gpt"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStream(b *testing.B) {
	chunk := sse.Event{Data: []byte(`{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1787612977,"model":"gpt-4o-2024-08-06",` +
		`"service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aBcD"}`)}
	for _, count := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d events", count), func(b *testing.B) {
			request := &dialect.Request{Stream: true}
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				pipe := dialect.NewPipe(Client{}, Provider{}, request, meta)
				for range count {
					var err error
					if out, err = pipe.Event(out[:0], chunk); err != nil {
						b.Fatal(err)
					}
				}
				out = pipe.Finish(out[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/event")
		})
	}
}
