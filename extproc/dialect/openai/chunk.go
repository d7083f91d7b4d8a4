package openai

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var null = []byte("null")

func (p *passthrough) state(index int64) *choiceState {
	for int64(len(p.choices)) <= index {
		p.choices = append(p.choices, choiceState{calls: toolCalls{generation: p.envelope.meta.ID, choice: len(p.choices)}})
	}
	return &p.choices[index]
}

// choice appends one choice of a chunk. Silent means that it says nothing, and
// redundant that leaving it out then loses nothing.
func (p *passthrough) choice(dst, object []byte) (out []byte, silent, redundant bool, err error) {
	c, err := readChoice(object, "delta")
	if err != nil {
		return dst, false, false, err
	}
	state := p.state(c.index)
	dst = strconv.AppendInt(append(rawjson.Comma(dst), `{"index":`...), c.index, 10)
	dst = append(rawjson.AppendName(dst, "delta"), '{')
	dst, silent = p.delta(dst, c.said, &state.calls)
	dst = append(dst, '}')

	switch {
	case c.finish != "" && state.finished:
		c.finish, redundant = "", true // once is enough (row 84)
	case c.finish != "":
		state.finished, silent = true, false
	}
	dst = p.finishReason(dst, c)
	dst = rawjson.AppendMember(dst, "logprobs", c.logprobs)
	silent = silent && !rawjson.Present(c.logprobs)
	if !silent {
		p.Passed.Steps++
	}
	if c.extra {
		dst = appendExtra(dst, object, choiceNames...)
	}
	return append(dst, '}'), silent, redundant, nil
}

// finishReason appends why a choice ended, and null for one that goes on.
func (p *passthrough) finishReason(dst []byte, c choice) []byte {
	if c.finish == "" {
		return appendFinish(dst, "", "")
	}
	reason := dialect.FinishReason(c.finish)
	if p.Passed.FinishReason == "" {
		p.Passed.FinishReason, p.Passed.NativeFinishReason = reason, c.native
	}
	return appendFinish(dst, reason, c.native)
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
