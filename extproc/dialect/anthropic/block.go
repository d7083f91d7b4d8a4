package anthropic

import (
	"strconv"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// contentBlock is what the decoder keeps of a block that is open.
type contentBlock struct {
	kind string // "text", "thinking", "tool_use", or "" for one that is closed or ignored
	// number is the tool call's or the reasoning detail's, counting only its like.
	number  int
	input   string // what the block began with
	argued  bool   // arguments have come
	written int    // where its text begins in the answer
}

func (d *decoder) at(index int) *contentBlock {
	for len(d.blocks) <= index {
		d.blocks = append(d.blocks, contentBlock{})
	}
	return &d.blocks[index]
}

func (d *decoder) startBlock(index int, value []byte) {
	d.stopBlock(index) // one that was never stopped
	get := func(name string) string { return rawjson.Text(rawjson.Get(value, name)) }
	b := d.at(index)
	switch get("type") {
	case "text":
		*b = contentBlock{kind: "text", written: d.written}
		d.text(get("text"))
		for c := rawjson.Walk(rawjson.Get(value, "citations")); c.Next(); {
			d.cite(b, c.Value)
		}
	case "thinking":
		*b = contentBlock{kind: "thinking", number: d.details}
		d.details++
		d.think(b, get("thinking"), get("signature"))
	case "redacted_thinking":
		d.emit(dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningEncrypted, Data: get("data"), Format: dialect.FormatAnthropic, Index: d.details,
		}})
		d.details++
	case "tool_use":
		*b = contentBlock{kind: "tool_use", number: d.calls, input: string(rawjson.Get(value, "input"))}
		d.calls++
		id := get("id")
		if id == "" {
			id = "toolu_" + d.id + "_" + strconv.Itoa(b.number)
		}
		d.emit(dialect.Event{Kind: dialect.EventToolCall, Index: b.number, ID: id, Text: get("name")})
	}
}

func (d *decoder) deltaBlock(index int, delta []byte) {
	get := func(name string) string { return rawjson.Text(rawjson.Get(delta, name)) }
	b := d.at(index)
	switch get("type") {
	case "text_delta":
		if b.kind == "" {
			*b = contentBlock{kind: "text", written: d.written}
		}
		d.text(get("text"))
	case "thinking_delta":
		d.think(d.thinking(b), get("thinking"), "")
	case "signature_delta":
		d.think(d.thinking(b), "", get("signature"))
	case "input_json_delta":
		if piece := get("partial_json"); piece != "" && b.kind == "tool_use" {
			b.argued = true
			d.emit(dialect.Event{Kind: dialect.EventToolArguments, Index: b.number, Text: piece})
		}
	case "citations_delta":
		d.cite(b, rawjson.Get(delta, "citation"))
	}
}

// thinking opens a block whose start was lost.
func (d *decoder) thinking(b *contentBlock) *contentBlock {
	if b.kind == "" {
		*b = contentBlock{kind: "thinking", number: d.details}
		d.details++
	}
	return b
}

// stopBlock closes a block. Arguments that never came in deltas are what the block
// began with: clients parse them, and nothing is not JSON.
func (d *decoder) stopBlock(index int) {
	b := d.at(index)
	if b.kind == "tool_use" && !b.argued {
		if b.input == "" || b.input == "null" {
			b.input = "{}"
		}
		d.emit(dialect.Event{Kind: dialect.EventToolArguments, Index: b.number, Text: b.input})
	}
	*b = contentBlock{}
}

func (d *decoder) stopBlocks() {
	for index := range d.blocks {
		d.stopBlock(index)
	}
}

func (d *decoder) text(text string) {
	if text != "" {
		d.written += utf8.RuneCountInString(text)
		d.emit(dialect.Event{Kind: dialect.EventText, Text: text})
	}
}

func (d *decoder) think(b *contentBlock, text, signature string) {
	if text != "" || signature != "" {
		d.emit(dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningText, Text: text, Signature: signature,
			Format: dialect.FormatAnthropic, Index: b.number,
		}})
	}
}

// cite turns a citation of the web into an annotation. Chat Completions has no form
// for citations of the client's own documents.
func (d *decoder) cite(b *contentBlock, citation []byte) {
	url := rawjson.Get(citation, "url")
	if rawjson.Kind(url) != '"' {
		return
	}
	raw := append([]byte(`{"type":"url_citation","url_citation":{"url":`), url...)
	for _, name := range [][2]string{{"title", "title"}, {"cited_text", "content"}} {
		if value := rawjson.Get(citation, name[0]); rawjson.Kind(value) == '"' {
			raw = rawjson.AppendMember(raw, name[1], value)
		}
	}
	raw = strconv.AppendInt(rawjson.AppendName(raw, "start_index"), int64(b.written), 10)
	raw = strconv.AppendInt(rawjson.AppendName(raw, "end_index"), int64(d.written), 10)
	d.emit(dialect.Event{Kind: dialect.EventAnnotation, Raw: append(raw, "}}"...)})
}
