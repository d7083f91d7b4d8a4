package gemini

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

func BenchmarkRequest(b *testing.B) {
	turn := `{"role":"user","content":"` + strings.Repeat("Lorem ipsum dolor sit amet. ", 18) + `"},{"role":"assistant","content":"yes"}`
	for _, turns := range []int{1, 185} {
		body := []byte(`{"messages":[` + turn + strings.Repeat(","+turn, turns-1) + `]}`)
		b.Run(fmt.Sprintf("%dKB", (len(body)+1023)>>10), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := write(b, string(body), dialect.Target{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream reads chunks of the size that the API sends, which repeats usage
// and its ids in each.
func BenchmarkStream(b *testing.B) {
	delta := sse.Event{Data: []byte(`{"candidates":[{"content":{"parts":[{"text":" word"}],"role":"model"},"index":0}],` +
		`"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":7,"totalTokenCount":18,"promptTokensDetails":[{"modality":"TEXT","tokenCount":11}]},` +
		`"modelVersion":"gemini-3-flash-preview","responseId":"x6kYaYqoHcWdkdUPlZzH2Ac"}`)}
	for _, count := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d events", count), func(b *testing.B) {
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				pipe := dialect.NewPipe(openai.Client{}, Provider{}, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"})
				for range count {
					var err error
					if out, err = pipe.Event(out[:0], delta); err != nil {
						b.Fatal(err)
					}
				}
				out = pipe.Finish(out[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/event")
		})
	}
}

// BenchmarkClientStream is an event on its way to a client of this API, from its own kind
// of provider and from another.
func BenchmarkClientStream(b *testing.B) {
	for _, from := range []struct {
		provider dialect.Provider
		data     string
	}{
		{Provider{}, `{"candidates":[{"content":{"parts":[{"text":" word"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":11},"modelVersion":"gemini-3-flash-preview","responseId":"x6kY"}`},
		{openai.Provider{}, `{"id":"c","object":"chat.completion.chunk","created":1,"model":"z","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}`},
	} {
		for _, count := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s %d events", from.provider.Name(), count), func(b *testing.B) {
				delta := sse.Event{Data: []byte(from.data)}
				var out []byte
				b.ReportAllocs()
				for b.Loop() {
					pipe := dialect.NewPipe(Client{}, from.provider, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"})
					for range count {
						var err error
						if out, err = pipe.Event(out[:0], delta); err != nil {
							b.Fatal(err)
						}
					}
					out = pipe.Finish(out[:0])
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/event")
			})
		}
	}
}

// BenchmarkClientRequest is a conversation on its way to the API itself, read once and
// copied but for a few members, and to another provider.
func BenchmarkClientRequest(b *testing.B) {
	turn := `{"role":"user","parts":[{"text":"` + strings.Repeat("Lorem ipsum dolor sit amet. ", 18) + `"}]},{"role":"model","parts":[{"text":"yes"}]}`
	for _, turns := range []int{1, 160} {
		body := []byte(`{"contents":[` + turn + strings.Repeat(","+turn, turns-1) + `]}`)
		for _, to := range []dialect.Provider{Provider{}, openai.Provider{}} {
			b.Run(fmt.Sprintf("%s %dKB", to.Name(), (len(body)+1023)>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					request, err := Client{model: "m"}.Parse(body)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := to.Request(request, dialect.Target{Model: "gemini-3-pro"}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
