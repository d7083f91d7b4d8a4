package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// decodedItem is how much of an item has been told.
type decodedItem struct {
	index     int64
	ended     bool
	spoken    map[int64]bool // the parts that were streamed
	annotated int

	called bool
	call   int  // the number of its call among the answer's
	argued bool // arguments were streamed
	custom bool // the call's input is plain text, and is told as a JSON object
	opened bool // that object is open

	thought bool   // some of the reasoning was streamed
	kind    string // of the reasoning detail that is open
	detail  int    // its number among the answer's
	part    int64  // the part that it is in
}

// begin reads an item that is only announced. Of a call all but the arguments is known.
func (it *decodedItem) begin(d *decoder, item []byte) {
	switch kind := rawjson.Text(rawjson.Get(item, "type")); kind {
	case "function_call", "custom_tool_call":
		it.custom = kind == "custom_tool_call"
		it.begun(d, item)
	}
}

func (it *decodedItem) begun(d *decoder, item []byte) {
	if it.called {
		return
	}
	it.called, it.call = true, d.calls
	d.calls++
	id := rawjson.Text(rawjson.Get(item, "call_id"))
	name := rawjson.Text(rawjson.Get(item, "name"))
	if id == "" {
		id = rawjson.Text(rawjson.Get(item, "id"))
	}
	if id == "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %q", it.call, name))
		id = "call_" + hex.EncodeToString(sum[:12])
	}
	d.emit(dialect.Event{Kind: dialect.EventToolCall, Index: it.call, ID: id, Text: name})
}

// end reads an item that is whole, and tells what was not told before.
func (it *decodedItem) end(d *decoder, item []byte) {
	if it.ended {
		return
	}
	it.ended = true
	switch rawjson.Text(rawjson.Get(item, "type")) {
	case "message":
		it.message(d, rawjson.Get(item, "content"))
	case "function_call":
		it.begun(d, item)
		if !it.argued {
			it.argue(d, rawjson.Unquote(rawjson.Get(item, "arguments")))
		}
	case "custom_tool_call":
		it.custom = true
		it.begun(d, item)
		if !it.opened {
			it.input(d, rawjson.Get(item, "input"))
		}
		d.emit(dialect.Event{Kind: dialect.EventToolArguments, Index: it.call, Text: `"}`})
	case "reasoning":
		it.reasoning(d, item)
	case "image_generation_call":
		d.image(item)
	case "web_search_call":
		if isSearch(item) {
			d.searches++
		}
	}
}

// isSearch reports whether a call of the web is charged as a search: opening a page, or
// looking for something in one, is not.
func isSearch(call []byte) bool {
	action := rawjson.Text(rawjson.Get(rawjson.Get(call, "action"), "type"))
	return (action == "" || action == "search") && rawjson.Text(rawjson.Get(call, "status")) != "failed"
}

func (it *decodedItem) message(d *decoder, content []byte) {
	part, annotation := int64(0), 0
	for c := rawjson.Walk(content); c.Next() && part < mostItems; part++ {
		streamed := it.spoken[part]
		switch rawjson.Text(rawjson.Get(c.Value, "type")) {
		case "output_text":
			if !streamed {
				it.speak(d, part, rawjson.Unquote(rawjson.Get(c.Value, "text")), false)
				d.logprobs(rawjson.Get(c.Value, "logprobs"))
			}
			for a := rawjson.Walk(rawjson.Get(c.Value, "annotations")); a.Next(); annotation++ {
				if annotation >= it.annotated {
					d.annotate(a.Value)
				}
			}
		case "refusal":
			if !streamed {
				it.speak(d, part, rawjson.Unquote(rawjson.Get(c.Value, "refusal")), true)
			}
		}
	}
}

func (it *decodedItem) speak(d *decoder, part int64, words []byte, refusal bool) {
	if len(words) == 0 {
		return
	}
	if !it.spoken[part] {
		if it.spoken == nil {
			it.spoken = map[int64]bool{}
		}
		it.spoken[part] = true
	}
	kind := dialect.EventText
	if refusal {
		kind = dialect.EventRefusal
	}
	d.emit(dialect.Event{Kind: kind, Text: string(words)})
}

func (it *decodedItem) argue(d *decoder, piece []byte) {
	if !it.called || len(piece) == 0 {
		return
	}
	it.argued = true
	d.emit(dialect.Event{Kind: dialect.EventToolArguments, Index: it.call, Text: string(piece)})
}

// input tells a piece, a JSON string, of a call's plain text as part of the only text
// of an object, as the encoder expects it.
func (it *decodedItem) input(d *decoder, piece []byte) {
	if !it.called || !it.custom {
		return
	}
	text := rawjson.AppendQuoted(nil, rawjson.Unquote(piece))
	text = text[1 : len(text)-1]
	if !it.opened {
		it.opened = true
		text = append([]byte(`{"input":"`), text...)
	}
	d.emit(dialect.Event{Kind: dialect.EventToolArguments, Index: it.call, Text: string(text)})
}

// think tells a piece of reasoning. The parts of a summary are paragraphs.
func (it *decodedItem) think(d *decoder, id []byte, part int64, kind string, words []byte) {
	if len(words) == 0 {
		return
	}
	text := string(words)
	switch {
	case it.kind != kind:
		it.kind, it.detail = kind, d.details
		d.details++
	case it.part != part:
		text = "\n\n" + text
	}
	it.part, it.thought = part, true
	d.emit(dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
		Type: kind, Text: text, ID: rawjson.Text(id), Format: dialect.FormatResponses, Index: it.detail,
	}})
}

func (it *decodedItem) reasoning(d *decoder, item []byte) {
	id := rawjson.Get(item, "id")
	if !it.thought {
		for _, list := range [][2]string{{"summary", dialect.ReasoningSummary}, {"content", dialect.ReasoningText}} {
			part := int64(0)
			for c := rawjson.Walk(rawjson.Get(item, list[0])); c.Next(); part++ {
				it.think(d, id, part, list[1], rawjson.Unquote(rawjson.Get(c.Value, "text")))
			}
		}
	}
	if blob := rawjson.Text(rawjson.Get(item, "encrypted_content")); blob != "" {
		d.emit(dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningEncrypted, Data: blob, ID: rawjson.Text(id), Format: dialect.FormatResponses, Index: d.details,
		}})
		d.details++
	}
}

// image tells the result of a call that the provider made itself.
func (d *decoder) image(item []byte) {
	data := rawjson.Text(rawjson.Get(item, "result"))
	if data == "" {
		return
	}
	format := rawjson.Text(rawjson.Get(item, "output_format"))
	switch format {
	case "":
		format = "png"
	case "svg":
		format = "svg+xml"
	}
	d.emit(dialect.Event{Kind: dialect.EventImage, Index: d.images, Text: "data:image/" + format + ";base64," + data})
	d.images++
}

// annotate puts a citation of the web into the form of Chat Completions, which has an
// object around it. There is no form for others.
func (d *decoder) annotate(annotation []byte) {
	if rawjson.Text(rawjson.Get(annotation, "type")) != "url_citation" {
		return
	}
	text := func(name string) string { return rawjson.Text(rawjson.Get(annotation, name)) }
	dst := rawjson.AppendText([]byte(`{"type":"url_citation","url_citation":{`), "url", text("url"))
	dst = rawjson.AppendText(dst, "title", text("title"))
	for _, name := range []string{"start_index", "end_index"} {
		at, _ := rawjson.Int(rawjson.Get(annotation, name))
		dst = strconv.AppendInt(rawjson.AppendName(dst, name), at, 10)
	}
	d.emit(dialect.Event{Kind: dialect.EventAnnotation, Raw: append(dst, '}', '}')})
}

// logprobs tells those of a piece of text. The API leaves out members that clients of
// Chat Completions demand.
func (d *decoder) logprobs(list []byte) {
	if first := rawjson.Walk(list); !first.Next() {
		return
	}
	dst := []byte(`{"content":[`)
	for c := rawjson.Walk(list); c.Next(); {
		dst = append(appendLogprob(dst, c.Value), `,"top_logprobs":[`...)
		for top := rawjson.Walk(rawjson.Get(c.Value, "top_logprobs")); top.Next(); {
			dst = append(appendLogprob(dst, top.Value), '}')
		}
		dst = append(dst, ']', '}')
	}
	d.emit(dialect.Event{Kind: dialect.EventLogprobs, Raw: append(dst, `],"refusal":null}`...)})
}

// appendLogprob appends what is known of a token, left open.
func appendLogprob(dst, token []byte) []byte {
	dst = rawjson.AppendText(append(rawjson.Comma(dst), '{'), "token", rawjson.Text(rawjson.Get(token, "token")))
	for _, member := range [][2]string{{"logprob", "0"}, {"bytes", "null"}} {
		value := rawjson.Get(token, member[0])
		if value == nil {
			value = []byte(member[1])
		}
		dst = rawjson.AppendMember(dst, member[0], value)
	}
	return dst
}
