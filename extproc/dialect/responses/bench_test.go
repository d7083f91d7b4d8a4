package responses

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

// BenchmarkRequest writes conversations for a provider, of a client of Chat Completions
// and of one of the same API. Parsing is not in it.
func BenchmarkRequest(b *testing.B) {
	turn := `{"role":"user","content":"` + strings.Repeat("Lorem ipsum dolor sit amet. ", 18) + `"},{"role":"assistant","content":"yes"}`
	for _, from := range []struct {
		client dialect.Client
		field  string
	}{{openai.Client{}, "messages"}, {Client{}, "input"}} {
		for _, turns := range []int{1, 185} {
			body := []byte(`{"` + from.field + `":[` + turn + strings.Repeat(","+turn, turns-1) + `]}`)
			request, err := from.client.Parse(body)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/%dKB", from.client.Name(), (len(body)+1023)>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := (Provider{}).Request(request, thinking); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkStream reads deltas as the API sends them.
func BenchmarkStream(b *testing.B) {
	delta := `{"type":"response.output_text.delta","sequence_number":%d,"item_id":"msg_0a1b2c3d4e5f67890123456789abcdef0123456789","output_index":0,"content_index":0,"delta":" word","logprobs":[],"obfuscation":"Jh3kd8Yx"}`
	for _, client := range []dialect.Client{openai.Client{}, Client{}} {
		for _, count := range []int{1, 1000} {
			events := make([]sse.Event, count)
			for i := range events {
				events[i].Data = fmt.Appendf(nil, delta, i+2)
			}
			b.Run(fmt.Sprintf("%s/%d events", client.Name(), count), func(b *testing.B) {
				request := &dialect.Request{Dialect: client.Name(), Raw: []byte(`{"input":"hi"}`), Stream: true}
				var out []byte
				b.ReportAllocs()
				for b.Loop() {
					pipe := dialect.NewPipe(client, Provider{}, request, meta)
					for i := range events {
						var err error
						if out, err = pipe.Event(out[:0], events[i]); err != nil {
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
