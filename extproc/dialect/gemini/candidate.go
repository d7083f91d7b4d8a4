package gemini

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// candidate is what the decoder keeps of one of the answers.
type candidate struct {
	index     int
	text      []byte // all of it, as citations count its bytes
	calls     int
	images    int
	details   int
	thinking  bool // the next thought continues the last detail
	citations int  // so far, the same one counted again
	cited     map[string]bool
	finished  bool
}

// candidate reads what a chunk says of one candidate.
func (d *decoder) candidate(object []byte) error {
	var content, finish, message, citations, grounding []byte
	index := int64(0)
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "index":
			index, _ = rawjson.Int(c.Value)
		case "content":
			content = c.Value
		case "finishReason":
			finish = c.Value
		case "finishMessage":
			message = c.Value
		case "citationMetadata":
			citations = c.Value
		case "groundingMetadata":
			grounding = c.Value
		}
	}
	if index < 0 || index >= mostCandidates {
		return fmt.Errorf("the provider's answer: candidate %d is out of range", index)
	}
	for int64(len(d.candidates)) <= index {
		d.candidates = append(d.candidates, candidate{index: len(d.candidates)})
	}
	at := &d.candidates[index]
	for c := rawjson.Walk(rawjson.Get(content, "parts")); c.Next(); {
		d.part(at, c.Value)
	}
	d.cite(at, citations)
	d.ground(at, grounding)
	return d.finish(at, rawjson.Text(finish), rawjson.Text(message))
}

func (d *decoder) part(at *candidate, object []byte) {
	var said, call, data []byte
	thought, signature := false, ""
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "text":
			said = c.Value
		case "thought":
			thought = rawjson.True(c.Value)
		case "thoughtSignature":
			signature = rawjson.Text(c.Value)
		case "functionCall":
			call = c.Value
		case "inlineData":
			data = c.Value
		}
	}
	switch {
	case thought && data == nil:
		d.think(at, rawjson.Text(said), signature)
	case thought: // a sketch of the image to come
	case rawjson.Kind(call) == '{':
		d.call(at, call, signature)
	default:
		d.sign(at, "", signature)
		d.image(at, data)
		if words := rawjson.Unquote(said); len(words) > 0 {
			at.thinking = false
			at.text = append(at.text, words...)
			d.emit(dialect.Event{Kind: dialect.EventText, Choice: at.index, Text: string(words)})
		}
	}
}

func (d *decoder) think(at *candidate, words, signature string) {
	if words == "" && signature == "" {
		return
	}
	if !at.thinking {
		at.details++
	}
	at.thinking = signature == "" // which ends a detail
	d.emit(dialect.Event{Kind: dialect.EventReasoning, Choice: at.index, Reasoning: dialect.ReasoningDetail{
		Type: dialect.ReasoningText, Text: words, Signature: signature, Format: dialect.FormatGemini, Index: at.details - 1,
	}})
}

// sign tells of the signature of a part that is no thought, see signatures.go.
func (d *decoder) sign(at *candidate, id, signature string) {
	if signature == "" {
		return
	}
	d.emit(dialect.Event{Kind: dialect.EventReasoning, Choice: at.index, Reasoning: dialect.ReasoningDetail{
		Type: dialect.ReasoningEncrypted, Data: signature, ID: id, Format: dialect.FormatGemini, Index: at.details,
	}})
	at.details++
	at.thinking = false
}

func (d *decoder) call(at *candidate, object []byte, signature string) {
	name := rawjson.Text(rawjson.Get(object, "name"))
	arguments := jsontext.Value("{}")
	if args := rawjson.Get(object, "args"); rawjson.Kind(args) == '{' {
		arguments = jsontext.Value(args).Clone()
		_ = arguments.Compact() // whole answers are indented; what is valid cannot fail
	}
	number := at.calls
	id := d.callID(at, rawjson.Text(rawjson.Get(object, "id")), name, arguments)
	at.calls++
	at.thinking = false
	d.sign(at, id, signature)
	d.emit(dialect.Event{Kind: dialect.EventToolCall, Choice: at.index, Index: number, ID: id, Text: name})
	d.emit(dialect.Event{Kind: dialect.EventToolArguments, Choice: at.index, Index: number, Text: string(arguments)})
}

// callID is the provider's id of a call if it gave one and no other call has it.
// Otherwise one is made of what tells calls apart, so that the same answer always has
// the same ids.
func (d *decoder) callID(at *candidate, given, name string, arguments []byte) string {
	id := given
	if id == "" || d.ids[id] {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %q %q", cmp.Or(d.generation, d.id), at.index, at.calls, name, arguments))
		id = "call_" + hex.EncodeToString(sum[:12])
	}
	if d.ids == nil {
		d.ids = map[string]bool{}
	}
	d.ids[id] = true
	return id
}

func (d *decoder) image(at *candidate, data []byte) {
	kind, content := rawjson.Text(rawjson.Get(data, "mimeType")), rawjson.Text(rawjson.Get(data, "data"))
	if content == "" || len(kind) < 6 || kind[:6] != "image/" {
		return
	}
	at.thinking = false
	d.emit(dialect.Event{Kind: dialect.EventImage, Choice: at.index, Index: at.images, Text: "data:" + kind + ";base64," + content})
	at.images++
}

// finish reads why a candidate ended. The API calls an end with tool calls a stop, as
// any other. One that failed before it said anything is no answer: another provider
// may give one.
func (d *decoder) finish(at *candidate, reason, message string) error {
	if reason == "" || at.finished {
		return nil
	}
	event := dialect.Event{Kind: dialect.EventFinish, Choice: at.index, Text: reason}
	switch meaning := dialect.FinishReason(reason); {
	case meaning == "stop" && at.calls > 0:
		event.Reason = "tool_calls"
	case meaning == "error" && !d.said:
		if message == "" {
			message = "The model's answer failed: " + reason + "."
		}
		return &dialect.ProviderFailure{Status: http.StatusBadGateway, Code: reason, Message: message}
	}
	at.finished = true
	d.emit(event)
	return nil
}
