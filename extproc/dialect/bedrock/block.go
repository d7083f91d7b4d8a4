package bedrock

import (
	"strconv"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// contentBlock is what the decoder keeps of a block that is open.
type contentBlock struct {
	kind    blockKind
	number  int  // the tool call's or the reasoning detail's, counting only its like
	argued  bool // arguments have come
	written int  // where its text begins in the answer
}

type blockKind uint8

const (
	closed blockKind = iota // or ignored
	textBlock
	toolBlock
	thoughtBlock
)

func (d *decoder) at(index int) *contentBlock {
	for len(d.blocks) <= index {
		d.blocks = append(d.blocks, contentBlock{})
	}
	return &d.blocks[index]
}

// open is the block at an index, which begins with its first delta unless it is a tool's.
func (d *decoder) open(index int, kind blockKind) *contentBlock {
	b := d.at(index)
	if b.kind == closed {
		*b = contentBlock{kind: kind, written: d.written}
		if kind == thoughtBlock {
			b.number = d.details
			d.details++
		}
	}
	return b
}

// startBlock opens the block of a tool call. Calls that the service has made itself,
// and their results, are nobody's to answer.
func (d *decoder) startBlock(index int, start []byte) {
	d.stopBlock(index) // one that was never stopped
	use := rawjson.Get(start, "toolUse")
	if rawjson.Kind(use) != '{' || rawjson.Present(rawjson.Get(use, "type")) {
		return
	}
	*d.at(index) = contentBlock{kind: toolBlock, number: d.calls}
	d.emit(dialect.Event{
		Kind: dialect.EventToolCall, Index: d.calls,
		ID: rawjson.Text(rawjson.Get(use, "toolUseId")), Text: rawjson.Text(rawjson.Get(use, "name")),
	})
	d.calls++
}

func (d *decoder) delta(index int, delta []byte) {
	for c := rawjson.Walk(delta); c.Next(); {
		switch string(c.Name) {
		case "text":
			d.open(index, textBlock)
			d.text(rawjson.Text(c.Value))
		case "toolUse":
			d.argue(d.at(index), rawjson.Text(rawjson.Get(c.Value, "input")))
		case "reasoningContent":
			d.think(index, c.Value)
		case "citation":
			d.cite(d.open(index, textBlock), c.Value)
		}
	}
}

// wholeBlock reads a block of an answer that is not streamed.
func (d *decoder) wholeBlock(index int, block []byte) {
	for c := rawjson.Walk(block); c.Next(); {
		switch string(c.Name) {
		case "text":
			d.text(rawjson.Text(c.Value))
		case "toolUse":
			d.startBlock(index, block)
			if input := rawjson.Get(c.Value, "input"); rawjson.Kind(input) == '{' {
				d.argue(d.at(index), string(input))
			}
		case "reasoningContent":
			if whole := rawjson.Get(c.Value, "reasoningText"); rawjson.Kind(whole) == '{' {
				d.think(index, whole)
			} else {
				d.think(index, c.Value)
			}
		case "citationsContent":
			b := d.open(index, textBlock)
			for piece := rawjson.Walk(rawjson.Get(c.Value, "content")); piece.Next(); {
				d.text(rawjson.Text(rawjson.Get(piece.Value, "text")))
			}
			for citation := rawjson.Walk(rawjson.Get(c.Value, "citations")); citation.Next(); {
				d.cite(b, citation.Value)
			}
		}
	}
	d.stopBlock(index)
}

// stopBlock closes a block. Clients parse a call's arguments, and nothing is not JSON.
func (d *decoder) stopBlock(index int) {
	b := d.at(index)
	if b.kind == toolBlock && !b.argued {
		d.argue(b, "{}")
	}
	*b = contentBlock{}
}

func (d *decoder) text(text string) {
	if text != "" {
		d.written += utf8.RuneCountInString(text)
		d.emit(dialect.Event{Kind: dialect.EventText, Text: text})
	}
}

func (d *decoder) argue(b *contentBlock, piece string) {
	if piece != "" && b.kind == toolBlock {
		b.argued = true
		d.emit(dialect.Event{Kind: dialect.EventToolArguments, Index: b.number, Text: piece})
	}
}

// think reads a piece of reasoning. Only Claude signs it, and nothing tells whose the
// rest is before the signature comes.
func (d *decoder) think(index int, content []byte) {
	detail := dialect.ReasoningDetail{
		Type: dialect.ReasoningText, Format: dialect.FormatAnthropic,
		Text: rawjson.Text(rawjson.Get(content, "text")), Signature: rawjson.Text(rawjson.Get(content, "signature")),
	}
	if redacted := rawjson.Text(rawjson.Get(content, "redactedContent")); redacted != "" {
		detail = dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Format: dialect.FormatAnthropic, Data: redacted}
	}
	if detail.Text != "" || detail.Signature != "" || detail.Data != "" {
		detail.Index = d.open(index, thoughtBlock).number
		d.emit(dialect.Event{Kind: dialect.EventReasoning, Reasoning: detail})
	}
}

// cite turns a citation of the web into an annotation. Chat Completions has no form
// for citations of the client's own documents.
func (d *decoder) cite(b *contentBlock, citation []byte) {
	url := rawjson.Get(rawjson.Get(rawjson.Get(citation, "location"), "web"), "url")
	if rawjson.Kind(url) != '"' {
		return
	}
	raw := append([]byte(`{"type":"url_citation","url_citation":{"url":`), url...)
	if title := rawjson.Get(citation, "title"); rawjson.Kind(title) == '"' {
		raw = rawjson.AppendMember(raw, "title", title)
	}
	raw = strconv.AppendInt(rawjson.AppendName(raw, "start_index"), int64(b.written), 10)
	raw = strconv.AppendInt(rawjson.AppendName(raw, "end_index"), int64(d.written), 10)
	d.emit(dialect.Event{Kind: dialect.EventAnnotation, Raw: append(raw, "}}"...)})
}
