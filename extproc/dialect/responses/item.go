package responses

import (
	"strconv"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// outputItem is one item of an answer, so far as it has come: a message, a piece of
// reasoning, or a call.
type outputItem struct {
	kind   string // "message", "reasoning", "function_call", "custom_tool_call" or imageCall
	index  int    // in the answer
	id     string
	status string

	parts []contentPart // of a message

	thought                    dialect.ReasoningDetail // its first piece
	text, summary, blob, proof []byte                  // of reasoning

	callID, name string
	arguments    []byte // of a call

	shown dialect.Media // an image
}

// imageCall is the kind of item that an image is the result of. In this API a model does
// not say an image, but has it made.
const imageCall = "image_generation_call"

// contentPart is a part of a message: text, or a refusal.
type contentPart struct {
	refusal bool
	text    []byte
	// annotations and logprobs are the elements of the lists of these names.
	annotations, logprobs []byte
	annotated             int
}

// The states of an item.
const (
	inProgress = "in_progress"
	completed  = "completed"
	incomplete = "incomplete"
)

// continues reports whether a piece of reasoning belongs to this item.
func (it *outputItem) continues(piece *dialect.ReasoningDetail) bool {
	if it.kind != "reasoning" || it.status != inProgress {
		return false
	}
	before := &it.thought
	if piece.ID != "" && before.ID != "" {
		return piece.ID == before.ID
	}
	return piece.Index == before.Index && piece.Type == before.Type
}

// sealed is what only the endpoint can read, "" if there is none.
func (it *outputItem) sealed(endpoint string) string {
	s := seal{Endpoint: endpoint, Type: dialect.ReasoningEncrypted, Format: it.thought.Format, ID: it.thought.ID}
	switch {
	case len(it.blob) > 0:
		return s.close(string(it.blob))
	case len(it.proof) > 0:
		s.Type = dialect.ReasoningText
		return s.close(string(it.proof))
	}
	return ""
}

// called reports whether the item is a call.
func (it *outputItem) called() bool {
	return it.kind == "function_call" || it.kind == "custom_tool_call"
}

// append appends the item as an object.
func (it *outputItem) append(dst []byte, endpoint string) []byte {
	dst = rawjson.AppendText(append(dst, '{'), "id", it.id)
	dst = rawjson.AppendText(dst, "type", it.kind)
	dst = rawjson.AppendText(dst, "status", it.status)
	switch it.kind {
	case "message":
		dst = append(dst, `,"role":"assistant","content":[`...)
		for i := range it.parts {
			dst = it.parts[i].append(rawjson.Comma(dst))
		}
		dst = append(dst, ']')
	case "reasoning":
		dst = append(dst, `,"summary":[`...)
		if len(it.summary) > 0 {
			dst = appendTextPart(dst, "summary_text", it.summary)
		}
		dst = append(dst, ']')
		if len(it.text) > 0 {
			dst = appendTextPart(append(dst, `,"content":[`...), "reasoning_text", it.text)
			dst = append(dst, ']')
		}
		if secret := it.sealed(endpoint); secret != "" {
			dst = rawjson.AppendText(dst, "encrypted_content", secret)
		}
	case "function_call":
		dst = rawjson.AppendText(dst, "call_id", it.callID)
		dst = rawjson.AppendText(dst, "name", it.name)
		dst = rawjson.AppendQuoted(rawjson.AppendName(dst, "arguments"), it.arguments)
	case "custom_tool_call":
		dst = rawjson.AppendText(dst, "call_id", it.callID)
		dst = rawjson.AppendText(dst, "name", it.name)
		dst = rawjson.AppendText(dst, "input", customInput(it.arguments))
	case imageCall:
		dst = it.appendImage(dst)
	}
	return append(dst, '}')
}

// appendImage appends the members of an image, whose data is there once it is done. What
// stands at a URL has no other place than that of the data.
func (it *outputItem) appendImage(dst []byte) []byte {
	if it.status == inProgress {
		return append(dst, `,"result":null`...)
	}
	result := it.shown.Data
	if result == "" {
		result = it.shown.URL
	}
	dst = rawjson.AppendText(dst, "result", result)
	switch format, _ := strings.CutPrefix(it.shown.Type, "image/"); format {
	case "png", "webp", "jpeg", "gif":
		dst = rawjson.AppendText(dst, "output_format", format)
	}
	return dst
}

func appendTextPart(dst []byte, kind string, text []byte) []byte {
	dst = rawjson.AppendText(append(dst, '{'), "type", kind)
	return append(rawjson.AppendQuoted(rawjson.AppendName(dst, "text"), text), '}')
}

// append appends the part as an object.
func (p *contentPart) append(dst []byte) []byte {
	if p.refusal {
		dst = append(dst, `{"type":"refusal","refusal":`...)
		return append(rawjson.AppendQuoted(dst, p.text), '}')
	}
	dst = append(dst, `{"type":"output_text","text":`...)
	dst = rawjson.AppendQuoted(dst, p.text)
	dst = append(append(append(dst, `,"annotations":[`...), p.annotations...), ']')
	return append(append(append(dst, `,"logprobs":[`...), p.logprobs...), ']', '}')
}

// annotate adds an annotation of Chat Completions in the words of this API, which
// has no "url_citation" around it, and returns it; nil for one that has no place.
func (p *contentPart) annotate(annotation []byte) []byte {
	citation := rawjson.Get(annotation, "url_citation")
	if rawjson.Kind(citation) != '{' {
		return nil
	}
	text := func(name string) string { return rawjson.Text(rawjson.Get(citation, name)) }
	dst := append([]byte{'{'}, `"type":"url_citation"`...)
	dst = rawjson.AppendText(dst, "url", text("url"))
	dst = rawjson.AppendText(dst, "title", text("title"))
	for _, name := range []string{"start_index", "end_index"} {
		at, _ := rawjson.Int(rawjson.Get(citation, name))
		dst = strconv.AppendInt(rawjson.AppendName(dst, name), at, 10)
	}
	dst = append(dst, '}')
	if p.annotated > 0 {
		p.annotations = append(p.annotations, ',')
	}
	p.annotations = append(p.annotations, dst...)
	p.annotated++
	return dst
}
