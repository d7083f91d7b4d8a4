package anthropic

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// speechKind is what kind of text block is open.
type speechKind uint8

const (
	noBlock speechKind = iota
	textBlock
	thinkingBlock
	redactedBlock // not begun: its data is whole only at its end
)

// openBlock is the block of text or thinking that is being written.
type openBlock struct {
	kind   speechKind
	index  int                     // among the blocks of the answer
	detail dialect.ReasoningDetail // of thinking, without its text
}

// openCall is a tool call.
type openCall struct {
	index     int // among the blocks of the answer
	arguments []byte
	closed    bool
}

// speak has a block of a kind open, the one that is if it goes on.
func (e *encoder) speak(dst []byte, kind speechKind, detail int) []byte {
	if e.speech.kind == kind && e.speech.detail.Index == detail {
		return dst
	}
	dst = e.closeCalls(e.quiet(dst))
	e.speech = openBlock{kind: kind, detail: dialect.ReasoningDetail{Index: detail}}
	switch kind {
	case textBlock:
		dst, e.speech.index = e.begin(dst, `{"type":"text","text":""}`)
	case thinkingBlock:
		dst, e.speech.index = e.begin(dst, `{"type":"thinking","thinking":"","signature":""}`)
	}
	return dst
}

// think appends a piece of reasoning. Its proof is kept until the block ends: the
// SDKs take a signature for the whole of it.
func (e *encoder) think(dst []byte, piece *dialect.ReasoningDetail) []byte {
	kind := thinkingBlock
	if piece.Type == dialect.ReasoningEncrypted {
		kind = redactedBlock
	}
	if e.speech.detail.Signature != "" && piece.Text != "" {
		dst = e.quiet(dst) // a signature ends a thought
	}
	dst = e.speak(dst, kind, piece.Index)
	detail := &e.speech.detail
	detail.Type, detail.Format = piece.Type, piece.Format
	detail.Signature += piece.Signature
	detail.Data += piece.Data
	if piece.ID != "" {
		detail.ID = piece.ID
	}
	if kind == thinkingBlock && piece.Text != "" {
		dst = e.delta(dst, e.speech.index, "thinking_delta", "thinking", piece.Text)
	}
	return dst
}

// quiet closes the block of text or thinking.
func (e *encoder) quiet(dst []byte) []byte {
	block := e.speech
	e.speech = openBlock{}
	switch block.kind {
	case noBlock:
		return dst
	case thinkingBlock:
		if signature := proof(&block.detail); signature != "" {
			dst = e.delta(dst, block.index, "signature_delta", "signature", signature)
		}
	case redactedBlock:
		data := rawjson.AppendQuoted([]byte(`{"type":"redacted_thinking","data":`), proof(&block.detail))
		dst, block.index = e.begin(dst, string(append(data, '}')))
	}
	return e.end(dst, block.index)
}

// call begins a tool call. The calls before it are over if their arguments are
// whole; of a provider that mixes its calls several stay open.
func (e *encoder) call(dst []byte, event *dialect.Event) []byte {
	dst = e.quiet(dst)
	for i := range e.calls {
		if call := &e.calls[i]; !call.closed && rawjson.Validate(call.arguments) == nil {
			dst = e.end(dst, call.index)
			call.closed = true
		}
	}
	block := rawjson.AppendText([]byte(`{"type":"tool_use"`), "id", event.ID)
	block = append(rawjson.AppendText(block, "name", event.Text), `,"input":{}}`...)
	var index int
	dst, index = e.begin(dst, string(block))
	e.calls = append(e.calls, openCall{index: index})
	return dst
}

// argue appends a piece of a call's arguments.
func (e *encoder) argue(dst []byte, event *dialect.Event) []byte {
	if event.Index >= len(e.calls) || event.Text == "" || e.calls[event.Index].closed {
		return dst
	}
	call := &e.calls[event.Index]
	call.arguments = append(call.arguments, event.Text...)
	return e.delta(dst, call.index, "input_json_delta", "partial_json", event.Text)
}

func (e *encoder) closeCalls(dst []byte) []byte {
	for i := range e.calls {
		if !e.calls[i].closed {
			e.calls[i].closed = true
			dst = e.end(dst, e.calls[i].index)
		}
	}
	return dst
}

// cite appends a citation of the web to the text that it is about.
func (e *encoder) cite(dst []byte, annotation []byte) []byte {
	citation := citationOf(annotation)
	if citation == nil {
		return dst
	}
	dst = e.speak(dst, textBlock, 0)
	data := e.open("content_block_delta", e.speech.index)
	data = append(data, `,"delta":{"type":"citations_delta","citation":`...)
	data = append(append(data, citation...), "}}"...)
	rawjson.OneLine(data)
	return e.event(dst, "content_block_delta", data)
}

// citationOf is the API's form of an annotation of Chat Completions, or nil for one
// that it has no form for.
func citationOf(annotation []byte) []byte {
	cited := rawjson.Get(annotation, "url_citation")
	url := rawjson.Get(cited, "url")
	if rawjson.Kind(url) != '"' {
		return nil
	}
	citation := rawjson.AppendMember([]byte(`{"type":"web_search_result_location"`), "url", url)
	for _, name := range [][2]string{{"title", "title"}, {"content", "cited_text"}} {
		citation = rawjson.AppendText(citation, name[1], rawjson.Text(rawjson.Get(cited, name[0])))
	}
	return append(citation, `,"encrypted_index":""}`...)
}

// begin appends the start of a block and returns its number.
func (e *encoder) begin(dst []byte, block string) ([]byte, int) {
	index := e.blocks
	e.blocks++
	data := append(e.open("content_block_start", index), `,"content_block":`...)
	return e.event(dst, "content_block_start", append(append(data, block...), '}')), index
}

func (e *encoder) delta(dst []byte, index int, kind, name, text string) []byte {
	data := append(e.open("content_block_delta", index), `,"delta":{"type":"`...)
	data = append(append(data, kind...), '"')
	data = append(rawjson.AppendText(data, name, text), "}}"...)
	return e.event(dst, "content_block_delta", data)
}

func (e *encoder) end(dst []byte, index int) []byte {
	return e.event(dst, "content_block_stop", append(e.open("content_block_stop", index), '}'))
}

// event appends an event and keeps the memory of its data.
func (e *encoder) event(dst []byte, name string, data []byte) []byte {
	e.data = data
	return sse.AppendEvent(dst, name, data)
}

// open returns an event's data up to what is particular to it. It is valid until the
// next call.
func (e *encoder) open(kind string, index int) []byte {
	e.data = append(append(e.data[:0], `{"type":"`...), kind...)
	return strconv.AppendInt(append(e.data, `","index":`...), int64(index), 10)
}
