package anthropic

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// usage is the API's count, in which input excludes what was read from and written
// to the cache. It is cumulative: what a later event gives replaces what an
// earlier gave, and what it does not give stays.
type usage struct {
	input, output, cached, written int64
	written5m, written1h           int64
	thought, searched              int64
	tier                           string
}

func (u *usage) read(object []byte) {
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "input_tokens":
			dialect.ReadCount(&u.input, c.Value)
		case "output_tokens":
			dialect.ReadCount(&u.output, c.Value)
		case "cache_read_input_tokens":
			dialect.ReadCount(&u.cached, c.Value)
		case "cache_creation_input_tokens":
			dialect.ReadCount(&u.written, c.Value)
		case "cache_creation":
			dialect.ReadCount(&u.written5m, rawjson.Get(c.Value, "ephemeral_5m_input_tokens"))
			dialect.ReadCount(&u.written1h, rawjson.Get(c.Value, "ephemeral_1h_input_tokens"))
		case "output_tokens_details":
			dialect.ReadCount(&u.thought, rawjson.Get(c.Value, "thinking_tokens"))
			dialect.ReadCount(&u.thought, rawjson.Get(c.Value, "reasoning_tokens"))
		case "server_tool_use":
			dialect.ReadCount(&u.searched, rawjson.Get(c.Value, "web_search_requests"))
		case "service_tier":
			u.tier = rawjson.Text(c.Value)
		}
	}
}

// total adds up what the hub counts as one. What was written without a word on how
// long it is kept counts as the shorter, which is the default.
func (u *usage) total() dialect.Usage {
	hour := u.written1h
	written := max(u.written, u.written5m+hour)
	return dialect.Usage{
		Prompt:       u.input + u.cached + written,
		Completion:   u.output,
		CacheRead:    u.cached,
		CacheWrite:   written - hour,
		CacheWrite1h: hour,
		Reasoning:    min(u.thought, u.output),
		WebSearches:  u.searched,
	}
}
