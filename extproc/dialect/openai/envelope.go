package openai

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// envelope writes what is around the choices of an answer.
type envelope struct {
	meta dialect.Meta
	// chunk is how every chunk begins.
	chunk []byte
	// tier is the service tier that served, so far as is known, or "".
	tier string
}

func newEnvelope(meta dialect.Meta) envelope {
	e := envelope{meta: meta, tier: meta.ServiceTier}
	e.chunk = e.open([]byte("data: "), "chat.completion.chunk")
	return e
}

// open appends the head of an object, up to its last member.
func (e *envelope) open(dst []byte, object string) []byte {
	dst = rawjson.AppendText(append(dst, '{'), "id", e.meta.ID)
	if e.meta.Provider != "" {
		dst = rawjson.AppendText(dst, "provider", e.meta.Provider)
	}
	dst = rawjson.AppendText(dst, "model", e.meta.Model)
	dst = rawjson.AppendText(dst, "object", object)
	return strconv.AppendInt(rawjson.AppendName(dst, "created"), e.meta.Created, 10)
}

// emptyChoice is one that clients which index choices[0] survive, and which says
// nothing twice: a repeated finish_reason has made clients run tools twice (spec
// section 4.1, rows 82 to 85).
const emptyChoice = `,"choices":[{"index":0,"delta":{"role":"assistant","content":""},` +
	`"finish_reason":null,"native_finish_reason":null,"logprobs":null}]`

const done = "data: [DONE]\n\n"

// finish appends the chunk with usage and the end of the stream.
func (e *envelope) finish(dst []byte, usage dialect.Usage) []byte {
	start := len(dst)
	dst = append(dst, e.chunk...)
	dst = append(dst, emptyChoice...)
	dst = append(e.trailer(dst, usage), '}')
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"+done...)
}

// served notes the tier that the provider says has served, and reports whether it
// says any.
func (e *envelope) served(value []byte) bool {
	tier := dialect.ServedTier(rawjson.Text(value))
	if tier != "" {
		e.tier = tier
	}
	return tier != ""
}

// appendTier appends the tier, one of few words that need no escapes, if it is known.
func (e *envelope) appendTier(dst []byte) []byte {
	if e.tier == "" {
		return dst
	}
	dst = append(rawjson.AppendName(dst, "service_tier"), '"')
	return append(append(dst, e.tier...), '"')
}

// trailer appends what is known at an answer's end: the tier (rows 131 to 133),
// usage and how the answer was routed (row 113).
func (e *envelope) trailer(dst []byte, usage dialect.Usage) []byte {
	dst = e.usage(e.appendTier(dst), usage)
	if e.meta.RouterMetadata != nil {
		dst = rawjson.AppendMember(dst, "openrouter_metadata", e.meta.RouterMetadata)
	}
	return dst
}

// fail appends the chunk of an error and the end of the stream (spec section 4.2).
func (e *envelope) fail(dst []byte, failure *dialect.Error) []byte {
	start := len(dst)
	dst = appendError(append(dst, e.chunk...), failure)
	dst = append(dst, `,"choices":[{"index":0,"delta":{"role":"assistant","content":""},`+
		`"finish_reason":"error","native_finish_reason":null,"logprobs":null}]}`...)
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"+done...)
}

// usage appends the member of that name (spec section 4.4). Details are always
// numbers: some clients refuse an object that lacks them.
func (e *envelope) usage(dst []byte, u dialect.Usage) []byte {
	var cost dialect.Cost
	if e.meta.Price != nil {
		cost = e.meta.Price(u)
	}
	count := func(name string, n int64) { dst = strconv.AppendInt(rawjson.AppendName(dst, name), n, 10) }
	prediction := func(name string, n int64) {
		if n > 0 {
			count(name, n)
		} else {
			dst = append(rawjson.AppendName(dst, name), "null"...)
		}
	}
	money := func(name, amount string) {
		if amount == "" {
			amount = "0"
		}
		dst = append(rawjson.AppendName(dst, name), amount...)
	}
	open := func(name string) { dst = append(rawjson.AppendName(dst, name), '{') }
	end := func() { dst = append(dst, '}') }

	open("usage")
	count("prompt_tokens", u.Prompt)
	count("completion_tokens", u.Completion)
	count("total_tokens", u.Prompt+u.Completion)
	money("cost", cost.Total)
	dst = rawjson.AppendMember(dst, "is_byok", cost.IsBYOK())
	open("prompt_tokens_details")
	count("cached_tokens", u.CacheRead)
	count("cache_write_tokens", u.CacheWrite+u.CacheWrite1h)
	count("audio_tokens", u.AudioPrompt)
	count("video_tokens", 0)
	end()
	open("completion_tokens_details")
	count("reasoning_tokens", u.Reasoning)
	count("image_tokens", u.Images)
	count("audio_tokens", u.AudioCompletion)
	prediction("accepted_prediction_tokens", u.AcceptedPrediction)
	prediction("rejected_prediction_tokens", u.RejectedPrediction)
	end()
	open("cost_details")
	money("upstream_inference_cost", cost.Inference())
	money("upstream_inference_prompt_cost", cost.Prompt)
	money("upstream_inference_completions_cost", cost.Completion)
	end()
	if u.WebSearches > 0 {
		open("server_tool_use_details")
		count("web_search_requests", u.WebSearches)
		end()
	}
	end()
	return dst
}
