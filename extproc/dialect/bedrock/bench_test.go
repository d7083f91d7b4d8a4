package bedrock

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

func BenchmarkRequest(b *testing.B) {
	turn := `{"role":"user","content":"` + strings.Repeat("Lorem ipsum dolor sit amet. ", 18) + `"},{"role":"assistant","content":"yes"}`
	for name, provider := range map[string]dialect.Provider{"converse": Provider{}, "claude": Claude{}} {
		for _, turns := range []int{1, 185} {
			body := []byte(`{"messages":[` + turn + strings.Repeat(","+turn, turns-1) + `]}`)
			b.Run(fmt.Sprintf("%s/%dKB", name, (len(body)+1023)>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := write(b, provider, openai.Client{}, string(body), dialect.Target{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkStream(b *testing.B) {
	converse := sse.Event{Name: "contentBlockDelta", Data: []byte(`{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abcdefghijk"}`)}
	chunk := sse.Event{Name: "chunk", Data: []byte(`{"bytes":"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSIsImluZGV4IjowLCJkZWx0YSI6eyJ0eXBlIjoidGV4dF9kZWx0YSIsInRleHQiOiIgd29yZCJ9fQ==","p":"abcdefghijk"}`)}
	for _, test := range []struct {
		name     string
		provider dialect.Provider
		client   dialect.Client
		event    sse.Event
	}{
		{"converse to chat", Provider{}, openai.Client{}, converse},
		{"claude to messages", Claude{}, anthropic.Client{}, chunk},
	} {
		for _, count := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s/%d events", test.name, count), func(b *testing.B) {
				var out []byte
				b.ReportAllocs()
				for b.Loop() {
					pipe := dialect.NewPipe(test.client, test.provider, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"})
					for range count {
						var err error
						if out, err = pipe.Event(out[:0], test.event); err != nil {
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
