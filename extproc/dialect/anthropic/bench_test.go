package anthropic

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

func BenchmarkStream(b *testing.B) {
	delta := sse.Event{Data: []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`)}
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

// BenchmarkClientStream is an event on its way to a client of the Messages API, from
// its own kind of provider and from another.
func BenchmarkClientStream(b *testing.B) {
	for _, from := range []struct {
		provider dialect.Provider
		data     string
	}{
		{Provider{}, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`},
		{openai.Provider{}, `{"id":"c","object":"chat.completion.chunk","created":1,"model":"z","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}`},
	} {
		b.Run(from.provider.Name(), func(b *testing.B) {
			pipe := dialect.NewPipe(Client{}, from.provider, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"})
			delta := sse.Event{Data: []byte(from.data)}
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if out, err = pipe.Event(out[:0], delta); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkClientRequest is a long conversation on its way to the API's own kind of
// provider: read once, and copied but for a few members.
func BenchmarkClientRequest(b *testing.B) {
	turn := `,{"role":"assistant","content":[{"type":"text","text":"` + strings.Repeat("word ", 400) + `"}]},{"role":"user","content":"` + strings.Repeat("more ", 100) + `"}`
	body := []byte(`{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"hi"}` + strings.Repeat(turn, 40) + `]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		request, err := Client{}.Parse(body)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := (Provider{}).Request(request, dialect.Target{Model: "up"}); err != nil {
			b.Fatal(err)
		}
	}
}
