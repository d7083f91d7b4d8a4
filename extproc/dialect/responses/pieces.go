package responses

import (
	"bytes"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// text appends a piece of what the assistant says, or refuses to say.
func (e *encoder) text(dst []byte, text string, refusal bool) []byte {
	it := e.current("message")
	if it == nil {
		it = &outputItem{kind: "message"}
		dst = e.add(dst, it)
	}
	last := len(it.parts) - 1
	if last < 0 || it.parts[last].refusal != refusal {
		dst = e.closePart(dst, it)
		it.parts = append(it.parts, contentPart{refusal: refusal})
		last++
		dst = e.partEvent(dst, "content_part.added", it)
	}
	part := &it.parts[last]
	part.text = append(part.text, text...)
	if refusal {
		dst = e.at(dst, "refusal.delta", it, "content_index", last)
		return append(rawjson.AppendText(dst, "delta", text), ended...)
	}
	dst = e.at(dst, "output_text.delta", it, "content_index", last)
	dst = rawjson.AppendText(dst, "delta", text)
	return append(append(dst, `,"logprobs":[]`...), ended...)
}

// partEvent appends an event with the last part of a message.
func (e *encoder) partEvent(dst []byte, kind string, it *outputItem) []byte {
	last := len(it.parts) - 1
	dst = rawjson.AppendName(e.at(dst, kind, it, "content_index", last), "part")
	return append(it.parts[last].append(dst), ended...)
}

// closePart ends the last part of a message, if there is one.
func (e *encoder) closePart(dst []byte, it *outputItem) []byte {
	last := len(it.parts) - 1
	if last < 0 {
		return dst
	}
	part := &it.parts[last]
	if part.refusal {
		dst = e.at(dst, "refusal.done", it, "content_index", last)
		dst = append(rawjson.AppendQuoted(rawjson.AppendName(dst, "refusal"), part.text), ended...)
	} else {
		dst = e.at(dst, "output_text.done", it, "content_index", last)
		dst = rawjson.AppendQuoted(rawjson.AppendName(dst, "text"), part.text)
		dst = append(append(append(dst, `,"logprobs":[`...), part.logprobs...), ']')
		dst = append(dst, ended...)
	}
	return e.partEvent(dst, "content_part.done", it)
}

// spoken is the part that is being said, nil if none is.
func (e *encoder) spoken() (*outputItem, *contentPart) {
	it := e.current("message")
	if it == nil || it.parts[len(it.parts)-1].refusal {
		return nil, nil
	}
	return it, &it.parts[len(it.parts)-1]
}

func (e *encoder) annotation(dst, raw []byte) []byte {
	it, part := e.spoken()
	if part == nil {
		return dst
	}
	annotation := part.annotate(raw)
	if annotation == nil {
		return dst
	}
	dst = e.at(dst, "output_text.annotation.added", it, "content_index", len(it.parts)-1)
	dst = strconv.AppendInt(rawjson.AppendName(dst, "annotation_index"), int64(part.annotated-1), 10)
	return append(rawjson.AppendMember(dst, "annotation", annotation), ended...)
}

// logprobs keeps what Chat Completions says of each token, which this API says in
// the same words, until the text's end.
func (e *encoder) logprobs(raw []byte) {
	_, part := e.spoken()
	if part == nil {
		return
	}
	for token := rawjson.Walk(rawjson.Get(raw, "content")); token.Next(); {
		if len(part.logprobs) > 0 {
			part.logprobs = append(part.logprobs, ',')
		}
		start := len(part.logprobs)
		part.logprobs = append(part.logprobs, token.Value...)
		rawjson.OneLine(part.logprobs[start:])
	}
}

// reasoning appends a piece of a detail. Summaries and plain reasoning are streamed;
// signatures and what is encrypted stand in the item when it is done.
func (e *encoder) reasoning(dst []byte, piece *dialect.ReasoningDetail) []byte {
	it := e.current("reasoning")
	if it == nil || !it.continues(piece) {
		it = &outputItem{kind: "reasoning", thought: *piece}
		dst = e.add(dst, it)
	}
	it.blob = append(it.blob, piece.Data...)
	it.proof = append(it.proof, piece.Signature...)
	if piece.Text == "" {
		return dst
	}
	if piece.Type == dialect.ReasoningSummary {
		if len(it.summary) == 0 {
			dst = e.at(dst, "reasoning_summary_part.added", it, "summary_index", 0)
			dst = append(appendTextPart(rawjson.AppendName(dst, "part"), "summary_text", nil), ended...)
		}
		it.summary = append(it.summary, piece.Text...)
		dst = e.at(dst, "reasoning_summary_text.delta", it, "summary_index", 0)
		return append(rawjson.AppendText(dst, "delta", piece.Text), ended...)
	}
	if len(it.text) == 0 {
		dst = e.at(dst, "content_part.added", it, "content_index", 0)
		dst = append(appendTextPart(rawjson.AppendName(dst, "part"), "reasoning_text", nil), ended...)
	}
	it.text = append(it.text, piece.Text...)
	dst = e.at(dst, "reasoning_text.delta", it, "content_index", 0)
	return append(rawjson.AppendText(dst, "delta", piece.Text), ended...)
}

// closeThought ends what was streamed of reasoning.
func (e *encoder) closeThought(dst []byte, it *outputItem) []byte {
	ends := func(name, ending, field, kind string, text []byte) {
		if len(text) == 0 {
			return
		}
		dst = e.at(dst, name, it, field, 0)
		dst = append(rawjson.AppendQuoted(rawjson.AppendName(dst, "text"), text), ended...)
		dst = e.at(dst, ending, it, field, 0)
		dst = append(appendTextPart(rawjson.AppendName(dst, "part"), kind, text), ended...)
	}
	ends("reasoning_summary_text.done", "reasoning_summary_part.done", "summary_index", "summary_text", it.summary)
	ends("reasoning_text.done", "content_part.done", "content_index", "reasoning_text", it.text)
	return dst
}

// image appends an image, which comes whole.
func (e *encoder) image(dst []byte, url string) []byte {
	it := &outputItem{kind: imageCall, shown: dialect.MediaAt(url)}
	dst = e.add(dst, it)
	for _, step := range []string{"in_progress", completed} {
		dst = append(e.at(dst, imageCall+"."+step, it, "", 0), ended...)
	}
	return e.close(dst, it, completed)
}

func (e *encoder) call(dst []byte, event *dialect.Event) []byte {
	it := &outputItem{kind: "function_call", callID: event.ID, name: event.Text}
	if e.custom[it.name] {
		it.kind = "custom_tool_call"
	}
	e.calls = append(e.calls, it)
	return e.add(dst, it)
}

func (e *encoder) arguments(dst []byte, event *dialect.Event) []byte {
	if event.Index < 0 || event.Index >= len(e.calls) || event.Text == "" {
		return dst
	}
	it := e.calls[event.Index]
	it.arguments = append(it.arguments, event.Text...)
	if it.kind == "custom_tool_call" {
		// Its text is wrapped until the arguments are whole.
		return sse.AppendComment(dst, "")
	}
	dst = e.at(dst, "function_call_arguments.delta", it, "", 0)
	return append(rawjson.AppendText(dst, "delta", event.Text), ended...)
}

// oneLine is a copy of a JSON text that fits into an event.
func oneLine(text []byte) []byte {
	copied := bytes.Clone(text)
	rawjson.OneLine(copied)
	return copied
}
