package openai

import (
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// gathered is one choice of a whole answer, put together from events.
type gathered struct {
	text, refusal, reasoning []byte
	spoke                    bool // there was text, even if empty
	details                  []dialect.ReasoningDetail
	calls                    []dialect.ToolCall
	images                   []string
	annotations, logprobs    [][]byte
	finish, native           string
}

func (g *gathered) add(event *dialect.Event) {
	switch event.Kind {
	case dialect.EventText:
		g.text, g.spoke = append(g.text, event.Text...), true
	case dialect.EventRefusal:
		g.refusal = append(g.refusal, event.Text...)
	case dialect.EventReasoning:
		g.reasoning = append(g.reasoning, event.Reasoning.Text...)
		g.addDetail(event.Reasoning)
	case dialect.EventToolCall:
		g.calls = append(g.calls, dialect.ToolCall{ID: event.ID, Name: event.Text})
	case dialect.EventToolArguments:
		if event.Index < len(g.calls) {
			g.calls[event.Index].Arguments += event.Text
		}
	case dialect.EventImage:
		g.images = append(g.images, event.Text)
	case dialect.EventAnnotation:
		g.annotations = append(g.annotations, event.Raw)
	case dialect.EventLogprobs:
		g.logprobs = append(g.logprobs, event.Raw)
	case dialect.EventFinish:
		if g.finish == "" {
			g.finish, g.native = event.FinishReason(), event.Text
		}
	case dialect.EventStart, dialect.EventUsage, dialect.EventTier, dialect.EventDone:
	}
}

// addDetail joins the pieces of one detail: those of like index and type.
func (g *gathered) addDetail(piece dialect.ReasoningDetail) {
	if last := len(g.details) - 1; last >= 0 && g.details[last].Index == piece.Index && g.details[last].Type == piece.Type {
		detail := &g.details[last]
		detail.Text += piece.Text
		detail.Data += piece.Data
		detail.Signature += piece.Signature
		return
	}
	g.details = append(g.details, piece)
}

// gather puts the choices of a whole answer together, and notes the tier that served.
func (e *envelope) gather(events []dialect.Event) []gathered {
	var choices []gathered
	for i := range events {
		event := &events[i]
		if event.Kind == dialect.EventTier {
			e.tier = event.Text
			continue
		}
		for len(choices) <= event.Choice {
			choices = append(choices, gathered{})
		}
		choices[event.Choice].add(event)
	}
	return choices
}

func (e *encoder) Whole(dst []byte, events []dialect.Event, usage dialect.Usage) []byte {
	choices := e.envelope.gather(events)
	if files := e.envelope.files(); len(files) > 0 && len(choices) > 0 {
		choices[0].annotations = append(files, choices[0].annotations...)
	}
	dst = e.envelope.open(dst, "chat.completion")
	dst = rawjson.AppendMember(dst, "system_fingerprint", null)
	dst = append(rawjson.AppendName(dst, "choices"), '[')
	for i := range choices {
		dst = choices[i].append(dst, i)
	}
	return append(e.envelope.trailer(append(dst, ']'), usage), '}')
}

func (g *gathered) append(dst []byte, index int) []byte {
	dst = strconv.AppendInt(append(rawjson.Comma(dst), `{"index":`...), int64(index), 10)
	dst = append(dst, `,"logprobs":`...)
	dst = appendLogprobs(dst, g.logprobs)
	dst = append(appendFinish(dst, g.finish, g.native), `,"message":{"role":"assistant"`...)
	optional := func(name string, text []byte, given bool) {
		dst = rawjson.AppendName(dst, name)
		if given {
			dst = rawjson.AppendQuoted(dst, text)
		} else {
			dst = append(dst, null...)
		}
	}
	// An answer of nothing at all has empty content; one of tool calls has none.
	optional("content", g.text, g.spoke || len(g.calls) == 0 && len(g.refusal) == 0)
	optional("refusal", g.refusal, len(g.refusal) > 0)
	optional("reasoning", g.reasoning, len(g.reasoning) > 0)
	if len(g.details) > 0 {
		dst = append(rawjson.AppendName(dst, "reasoning_details"), '[')
		for _, detail := range g.details {
			dst = appendDetail(dst, detail)
		}
		dst = append(dst, ']')
	}
	if len(g.calls) > 0 {
		dst = append(rawjson.AppendName(dst, "tool_calls"), '[')
		for _, call := range g.calls {
			dst = rawjson.AppendText(append(rawjson.Comma(dst), '{'), "id", call.ID)
			dst = append(dst, `,"type":"function","function":{"name":`...)
			dst = rawjson.AppendQuoted(dst, call.Name)
			dst = append(rawjson.AppendText(dst, "arguments", call.Arguments), `}}`...)
		}
		dst = append(dst, ']')
	}
	if len(g.images) > 0 {
		dst = append(rawjson.AppendName(dst, "images"), '[')
		for i, url := range g.images {
			dst = appendImage(dst, i, url)
		}
		dst = append(dst, ']')
	}
	if len(g.annotations) > 0 {
		dst = append(rawjson.AppendName(dst, "annotations"), '[')
		for _, annotation := range g.annotations {
			dst = rawjson.AppendRaw(dst, annotation)
		}
		dst = append(dst, ']')
	}
	return append(dst, `}}`...)
}

// appendLogprobs joins the lists that the chunks of a stream carried.
func appendLogprobs(dst []byte, pieces [][]byte) []byte {
	switch len(pieces) {
	case 0:
		return append(dst, null...)
	case 1:
		return append(dst, pieces[0]...)
	}
	dst = append(dst, '{')
	for _, name := range []string{"content", "refusal"} {
		if !slices.ContainsFunc(pieces, func(p []byte) bool { return rawjson.Present(rawjson.Get(p, name)) }) {
			dst = rawjson.AppendMember(dst, name, null)
			continue
		}
		dst = append(rawjson.AppendName(dst, name), '[')
		for _, piece := range pieces {
			for token := rawjson.Walk(rawjson.Get(piece, name)); token.Next(); {
				dst = rawjson.AppendRaw(dst, token.Value)
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}
