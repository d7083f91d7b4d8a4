package responses

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// state is what changes of the response object while an answer comes.
type state struct {
	status string
	reason string         // of an incomplete answer
	usage  *dialect.Usage // nil until the end
	failed *dialect.Error
}

// Finish appends the end of the items and the whole response, with usage.
func (e *encoder) Finish(dst []byte, usage dialect.Usage) []byte {
	dst = e.begin(dst)
	s := e.settle(usage)
	dst = e.closeAll(dst, itemStatus(s.status), true)
	dst = rawjson.AppendName(e.open(dst, s.status), "response")
	return append(append(e.response(dst, s), ended...), done...)
}

// Whole appends the response object of an answer that is not a stream.
func (e *encoder) Whole(dst []byte, events []dialect.Event, usage dialect.Usage) []byte {
	e.begun = true
	var unseen []byte
	for i := range events {
		unseen = e.Event(unseen[:0], events[i])
	}
	s := e.settle(usage)
	e.closeAll(unseen[:0], itemStatus(s.status), true)
	return e.response(dst, s)
}

// Fail appends the response as it was when it broke off (spec section 4.3). One that
// became too long is incomplete, and has not failed.
func (e *encoder) Fail(dst []byte, failure *dialect.Error) []byte {
	s := state{status: "failed", failed: failure}
	switch failure.Type {
	case "context_length_exceeded", "max_tokens_exceeded", "token_limit_exceeded":
		s = state{status: incomplete, reason: "max_output_tokens"}
	}
	dst = e.closeAll(e.begin(dst), incomplete, true)
	dst = rawjson.AppendName(e.open(dst, s.status), "response")
	return append(append(e.response(dst, s), ended...), done...)
}

// settle says how the answer ended, from why the model stopped.
func (e *encoder) settle(usage dialect.Usage) state {
	s := state{status: completed, usage: &usage}
	switch e.finish {
	case "length":
		s.status, s.reason = incomplete, "max_output_tokens"
	case "content_filter":
		s.status, s.reason = incomplete, "content_filter"
	case "error":
		s.status = "failed"
		s.failed = &dialect.Error{Type: "server", Message: "The provider ended its answer with an error."}
	}
	return s
}

// itemStatus is the state of the items that are open when the answer ends.
func itemStatus(answer string) string {
	if answer == completed {
		return completed
	}
	return incomplete
}

// response appends the response object. Every member that strict clients demand is
// there in every state.
func (e *encoder) response(dst []byte, s state) []byte {
	dst = rawjson.AppendText(append(dst, '{'), "id", e.meta.ID)
	dst = append(dst, `,"object":"response"`...)
	dst = strconv.AppendInt(rawjson.AppendName(dst, "created_at"), e.meta.Created, 10)
	dst = e.completedAt(rawjson.AppendName(dst, "completed_at"), s)
	dst = rawjson.AppendText(dst, "status", s.status)
	dst = rawjson.AppendName(dst, "error")
	if s.failed != nil {
		dst = rawjson.AppendText(append(dst, '{'), "code", errorCode(s.failed.Type))
		dst = append(rawjson.AppendText(dst, "message", s.failed.Message), '}')
	} else {
		dst = append(dst, "null"...)
	}
	dst = rawjson.AppendName(dst, "incomplete_details")
	if s.reason != "" {
		dst = append(rawjson.AppendText(append(dst, '{'), "reason", s.reason), '}')
	} else {
		dst = append(dst, "null"...)
	}
	dst = rawjson.AppendText(dst, "model", e.meta.Model)
	dst = append(rawjson.AppendName(dst, "output"), '[')
	for _, item := range e.passed {
		dst = rawjson.AppendRaw(dst, item)
	}
	for _, it := range e.items {
		dst = it.append(rawjson.Comma(dst), e.meta.Endpoint)
	}
	dst = append(append(dst, ']'), e.echo...)
	dst = rawjson.AppendName(dst, "service_tier")
	if e.tier != "" {
		dst = rawjson.AppendQuoted(dst, e.tier)
	} else {
		dst = append(dst, "null"...)
	}
	dst = rawjson.AppendName(dst, "usage")
	if s.usage != nil {
		dst = e.usage(dst, *s.usage)
	} else {
		dst = append(dst, "null"...)
	}
	return append(e.trailer(dst, s), '}')
}

func (e *encoder) completedAt(dst []byte, s state) []byte {
	switch {
	case s.status != completed && s.status != incomplete:
		return append(dst, "null"...)
	case e.meta.Completed != nil:
		return strconv.AppendInt(dst, e.meta.Completed(), 10)
	}
	return strconv.AppendInt(dst, e.meta.Created, 10)
}

// trailer appends how the answer failed and how it was routed.
func (e *encoder) trailer(dst []byte, s state) []byte {
	metadata := e.meta.RouterMetadata
	if s.status == inProgress {
		return dst
	}
	if s.failed != nil {
		if s.failed.Type != "" {
			dst = rawjson.AppendText(dst, "error_type", s.failed.Type)
		}
		if s.failed.RouterMetadata != nil {
			metadata = s.failed.RouterMetadata
		}
	}
	if metadata != nil {
		dst = rawjson.AppendMember(dst, "openrouter_metadata", oneLine(metadata))
	}
	return dst
}

// usage appends the object of that name, in this API's words (spec section 1.1.4).
func (e *encoder) usage(dst []byte, u dialect.Usage) []byte {
	var cost dialect.Cost
	if e.meta.Price != nil {
		cost = e.meta.Price(u)
	}
	count := func(name string, n int64) { dst = strconv.AppendInt(rawjson.AppendName(dst, name), n, 10) }
	money := func(name, amount string) {
		if amount == "" {
			amount = "0"
		}
		dst = append(rawjson.AppendName(dst, name), amount...)
	}
	dst = append(dst, '{')
	count("input_tokens", u.Prompt)
	dst = append(rawjson.AppendName(dst, "input_tokens_details"), '{')
	count("cached_tokens", u.CacheRead)
	count("cache_write_tokens", u.CacheWrite+u.CacheWrite1h)
	dst = append(dst, '}')
	count("output_tokens", u.Completion)
	dst = append(rawjson.AppendName(dst, "output_tokens_details"), '{')
	count("reasoning_tokens", u.Reasoning)
	dst = append(dst, '}')
	count("total_tokens", u.Prompt+u.Completion)
	money("cost", cost.Total)
	dst = rawjson.AppendMember(dst, "is_byok", cost.IsBYOK())
	dst = append(rawjson.AppendName(dst, "cost_details"), '{')
	money("upstream_inference_cost", cost.Inference())
	money("upstream_inference_input_cost", cost.Prompt)
	money("upstream_inference_output_cost", cost.Completion)
	return append(dst, '}', '}')
}
