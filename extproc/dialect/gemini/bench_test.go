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
