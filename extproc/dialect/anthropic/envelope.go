package anthropic

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// envelope writes what is around the content of an answer.
type envelope struct {
	meta dialect.Meta
	// tier is the service tier that served, so far as is known, or "".
	tier string
}

func newEnvelope(meta dialect.Meta) envelope { return envelope{meta: meta, tier: meta.ServiceTier} }

// head appends an open message up to its content: who it is from.
func (e *envelope) head(dst []byte) []byte {
	dst = rawjson.AppendText(append(dst, '{'), "id", e.meta.ID)
	dst = append(dst, `,"type":"message","role":"assistant"`...)
	dst = rawjson.AppendText(dst, "model", e.meta.Model)
	if e.meta.Provider != "" {
		dst = rawjson.AppendText(dst, "provider", e.meta.Provider)
	}
	return dst
}

// routed appends how the answer was routed (spec section 4.13) to an open object.
func (e *envelope) routed(dst []byte) []byte {
	if e.meta.RouterMetadata == nil {
		return dst
	}
	return rawjson.AppendMember(dst, "openrouter_metadata", e.meta.RouterMetadata)
}

// stop appends the last event of a stream.
func (e *envelope) stop(dst []byte) []byte {
	data := append(e.routed([]byte(`{"type":"message_stop"`)), '}')
	rawjson.OneLine(data)
	return sse.AppendEvent(dst, "message_stop", data)
}

// fail appends the event of an error, behind which nothing comes.
func (e *envelope) fail(dst []byte, failure *dialect.Error) []byte {
	data := appendError(nil, failure, e.meta.ID)
	rawjson.OneLine(data)
	return sse.AppendEvent(dst, "error", data)
}

// usage appends the member of that name (spec section 9.2). Unlike in Chat
// Completions the input is what the cache had no part in.
func (e *envelope) usage(dst []byte, u dialect.Usage) []byte {
	count := func(name string, n int64) { dst = appendCount(dst, name, n) }
	dst = append(rawjson.AppendName(dst, "usage"), '{')
	for _, part := range promptCounts(u) {
		count(part.name, part.tokens)
	}
	dst = append(rawjson.AppendName(dst, "cache_creation"), '{')
	count("ephemeral_5m_input_tokens", u.CacheWrite)
	count("ephemeral_1h_input_tokens", u.CacheWrite1h)
	dst = append(dst, '}')
	count("output_tokens", u.Completion)
	dst = append(rawjson.AppendName(dst, "output_tokens_details"), '{')
	count("thinking_tokens", u.Reasoning)
	dst = append(dst, '}')
	if u.WebSearches > 0 {
		dst = append(rawjson.AppendName(dst, "server_tool_use"), '{')
		count("web_search_requests", u.WebSearches)
		count("web_fetch_requests", 0)
		dst = append(dst, '}')
	} else {
		dst = append(dst, `,"server_tool_use":null`...)
	}
	dst = rawjson.AppendText(dst, "service_tier", e.servedTier())
	return append(e.price(dst, u), '}')
}

// promptCount is how much of a prompt the API counts under a name.
type promptCount struct {
	name   string
	tokens int64
}

func promptCounts(u dialect.Usage) [3]promptCount {
	return [...]promptCount{
		{"input_tokens", max(u.Prompt-u.CacheRead-u.CacheWrite-u.CacheWrite1h, 0)},
		{"cache_creation_input_tokens", u.CacheWrite + u.CacheWrite1h},
		{"cache_read_input_tokens", u.CacheRead},
	}
}

func appendCount(dst []byte, name string, n int64) []byte {
	return strconv.AppendInt(rawjson.AppendName(dst, name), n, 10)
}

// servedTier is the API's word for the tier: the ordinary one is "standard" (spec
// section 3.7).
func (e *envelope) servedTier() string {
	if e.tier == "" || e.tier == "default" {
		return "standard"
	}
	return e.tier
}

// price appends what usage costs, in US dollars, to the open object of usage.
func (e *envelope) price(dst []byte, u dialect.Usage) []byte {
	return dialect.AppendCost(dst, &e.meta, u)
}

// stopReason is the API's word for why an answer ended. A provider's own word stays
// where it is one of the API's.
func stopReason(native string, calls bool) string {
	switch native {
	case "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "compaction",
		"model_context_window_exceeded":
		return native
	}
	switch dialect.FinishReason(native) {
	case "length":
		return "max_tokens"
	case "content_filter":
		return "refusal"
	case "tool_calls":
		return "tool_use"
	}
	if calls {
		// Some providers call tools and say that they just stopped. Clients run them
		// only if they are told to.
		return "tool_use"
	}
	return "end_turn"
}
