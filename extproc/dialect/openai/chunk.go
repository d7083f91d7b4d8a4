package openai

import (
	"fmt"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var null = []byte("null")

func (p *passthrough) state(index int64) (*choiceState, error) {
	if index < 0 || index >= mostChoices {
		return nil, fmt.Errorf("chunk of the provider's stream: choice index %d is out of range", index)
	}
	for int64(len(p.choices)) <= index {
		p.choices = append(p.choices, choiceState{calls: toolCalls{generation: p.envelope.meta.ID, choice: len(p.choices)}})
	}
	return &p.choices[index], nil
}

// choice appends one choice of a chunk. Silent means that it says nothing, and
// redundant that leaving it out then loses nothing.
func (p *passthrough) choice(dst, choice []byte) (out []byte, silent, redundant bool, err error) {
	var index int64
	delta, finish, native, logprobs := []byte(nil), null, []byte(nil), null
	extra := false
	for c := rawjson.Walk(choice); c.Next(); {
		switch string(c.Name) {
		case "index":
			index, _ = rawjson.Int(c.Value)
		case "delta":
			delta = c.Value
		case "finish_reason":
			finish = c.Value
		case "native_finish_reason":
			native = c.Value
		case "logprobs":
			logprobs = c.Value
		case "error":
			if isError(c.Value) {
				return dst, false, false, dialect.ReadStreamFailure(c.Value)
			}
		case "message": // the answer so far, which some providers repeat
		default:
			extra = extra || rawjson.Present(c.Value)
		}
	}
	state, err := p.state(index)
	if err != nil {
		return dst, false, false, err
	}
	dst = strconv.AppendInt(append(rawjson.Comma(dst), `{"index":`...), index, 10)
	dst = append(rawjson.AppendName(dst, "delta"), '{')
	dst, silent = p.delta(dst, delta, &state.calls)
	dst = append(dst, '}')

	reason := rawjson.Text(finish)
	if reason == "" || state.finished {
		redundant = reason != ""
		dst = append(dst, `,"finish_reason":null,"native_finish_reason":null`...)
	} else {
		state.finished, silent = true, false
		dst = p.finishReason(dst, reason, rawjson.Text(native))
	}
	dst = rawjson.AppendMember(dst, "logprobs", logprobs)
	silent = silent && !rawjson.Present(logprobs)
	if extra {
		dst = appendExtra(dst, choice, "index", "delta", "finish_reason", "native_finish_reason", "logprobs", "message", "error")
	}
	return append(dst, '}'), silent, redundant, nil
}

func (p *passthrough) finishReason(dst []byte, reason, native string) []byte {
	if native == "" {
		native = reason
	}
	reason = dialect.FinishReason(reason)
	if p.progress.FinishReason == "" {
		p.progress.FinishReason, p.progress.NativeFinishReason = reason, native
	}
	dst = rawjson.AppendText(dst, "finish_reason", reason)
	return rawjson.AppendText(dst, "native_finish_reason", native)
}

// appendExtra appends the members of object that are not null and not among
// known.
func appendExtra(dst, object []byte, known ...string) []byte {
next:
	for c := rawjson.Walk(object); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		for _, name := range known {
			if string(c.Name) == name {
				continue next
			}
		}
		dst = rawjson.AppendRaw(dst, c.Member)
	}
	return dst
}
