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
	apart                          dialect.Usage // of iterations that the counts above leave out
}

func (u *usage) read(object []byte) {
	u.readCounts(object)
	if iterations := rawjson.Get(object, "iterations"); rawjson.Kind(iterations) == '[' {
		u.apart = readApart(iterations)
	}
}

// readApart adds up the iterations that the API bills beside the message's own counts:
// those that sum up the conversation, and an advisor's. The latter's price is that of
// another model, which is not known here: they count as the model's own.
func readApart(iterations []byte) dialect.Usage {
	var all dialect.Usage
	for c := rawjson.Walk(iterations); c.Next(); {
		switch rawjson.Text(rawjson.Get(c.Value, "type")) {
		case "compaction", "advisor_message":
			var iteration usage
			iteration.readCounts(c.Value)
			all = plus(all, iteration.total())
		}
	}
	return all
}

// plus adds up tokens, and is never more than a count can be.
func plus(a, b dialect.Usage) dialect.Usage {
	for _, sum := range []struct {
		into *int64
		more int64
	}{
		{&a.Prompt, b.Prompt}, {&a.Completion, b.Completion}, {&a.Reasoning, b.Reasoning},
		{&a.CacheRead, b.CacheRead}, {&a.CacheWrite, b.CacheWrite}, {&a.CacheWrite1h, b.CacheWrite1h},
	} {
		*sum.into = min(*sum.into+sum.more, 1<<50)
	}
	return a
}

func (u *usage) readCounts(object []byte) {
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
	return plus(dialect.Usage{
		Prompt:       u.input + u.cached + written,
		Completion:   u.output,
		CacheRead:    u.cached,
		CacheWrite:   written - hour,
		CacheWrite1h: hour,
		Reasoning:    min(u.thought, u.output),
		WebSearches:  u.searched,
	}, u.apart)
}
