package bedrock

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// usage is the API's count, in which input excludes what was read from and written to
// the cache.
type usage struct {
	input, output, cached, written, written1h int64
}

func (u *usage) read(object []byte) {
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "inputTokens":
			dialect.ReadCount(&u.input, c.Value)
		case "outputTokens":
			dialect.ReadCount(&u.output, c.Value)
		case "cacheReadInputTokens":
			dialect.ReadCount(&u.cached, c.Value)
		case "cacheWriteInputTokens":
			dialect.ReadCount(&u.written, c.Value)
		case "cacheDetails":
			for detail := rawjson.Walk(c.Value); detail.Next(); {
				if rawjson.Text(rawjson.Get(detail.Value, "ttl")) == "1h" {
					dialect.ReadCount(&u.written1h, rawjson.Get(detail.Value, "inputTokens"))
				}
			}
		}
	}
}

// total adds up what the hub counts as one. What was written without a word on how
// long it is kept counts as the shorter, which is the default.
func (u *usage) total() dialect.Usage {
	hour := min(u.written1h, u.written)
	return dialect.Usage{
		Prompt:       u.input + u.cached + u.written,
		Completion:   u.output,
		CacheRead:    u.cached,
		CacheWrite:   u.written - hour,
		CacheWrite1h: hour,
	}
}
