package responses

import (
	"strconv"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Encoder writes an answer. It holds all of the answer: the last event repeats it.
func (Client) Encoder(meta dialect.Meta) dialect.Encoder { return newEncoder(meta) }

func newEncoder(meta dialect.Meta) *encoder {
	e := &encoder{meta: meta, tier: meta.ServiceTier, sequence: meta.Preceding}
	if meta.Request != nil {
		e.echo = appendEcho(nil, meta.Request.Raw)
		e.custom = customTools(meta.Request.Raw)
	}
	return e
}

type encoder struct {
	meta dialect.Meta
	// echo are the request's settings, which an answer repeats.
	echo     []byte
	custom   map[string]bool // tools that take plain text
	begun    bool            // the stream's first events are written
	sequence int64
	items    []*outputItem
	passed   [][]byte      // items that went to the client as the provider wrote them
	calls    []*outputItem // by the hub's index
	held     int           // about as many bytes as the items take
	finish   string
	tier     string
}

const (
	// largestAnswer bounds what is held of an answer, in bytes.
	largestAnswer = 64 << 20
	// itemCost is what an item takes besides its texts.
	itemCost = 512
)

// Event appends the events that a piece of the answer makes. The first are preceded
// by those which say that there is an answer. A piece of text costs no allocation but
// for the growth of what is held.
func (e *encoder) Event(dst []byte, event dialect.Event) []byte {
	if event.Choice > 0 { // this API has one
		return dst
	}
	dst = e.begin(dst)
	if !e.fits(&event) {
		return dst
	}
	switch event.Kind {
	case dialect.EventText:
		if event.Text == "" {
			// A sign of life has no event of its own here.
			return sse.AppendComment(dst, "")
		}
		return e.text(dst, event.Text, false)
	case dialect.EventRefusal:
		return e.text(dst, event.Text, true)
	case dialect.EventReasoning:
		return e.reasoning(dst, &event.Reasoning)
	case dialect.EventToolCall:
		return e.call(dst, &event)
	case dialect.EventToolArguments:
		return e.arguments(dst, &event)
	case dialect.EventAnnotation:
		return e.annotation(dst, event.Raw)
	case dialect.EventLogprobs:
		e.logprobs(event.Raw)
	case dialect.EventFinish:
		if e.finish == "" {
			e.finish = event.FinishReason()
		}
	case dialect.EventTier:
		e.tier = event.Text
	case dialect.EventImage:
		return e.image(dst, event.Text)
	case dialect.EventStart, dialect.EventUsage, dialect.EventDone:
	}
	return dst
}

// fits counts what an event adds to the answer that is held. One that is too large
// ends as if the model had come to its bound.
func (e *encoder) fits(event *dialect.Event) bool {
	thought := &event.Reasoning
	e.held += len(event.Text) + len(event.ID) + len(event.Raw) + len(thought.Text) + len(thought.Data) + len(thought.Signature)
	if e.held <= largestAnswer {
		return true
	}
	e.finish = "length"
	return false
}

// open begins an event; its members follow, and then [ended].
func (e *encoder) open(dst []byte, kind string) []byte {
	dst = append(append(append(dst, `data: {"type":"response.`...), kind...), `","sequence_number":`...)
	dst = strconv.AppendInt(dst, e.sequence, 10)
	e.sequence++
	return dst
}

const ended = "}\n\n"

const done = "data: [DONE]\n\n"

func (e *encoder) begin(dst []byte) []byte {
	if e.begun {
		return dst
	}
	e.begun = true
	for _, kind := range []string{"created", "in_progress"} {
		dst = rawjson.AppendName(e.open(dst, kind), "response")
		dst = append(e.response(dst, state{status: inProgress}), ended...)
	}
	return dst
}

// at begins an event about an item, or with a field about one of its parts.
func (e *encoder) at(dst []byte, kind string, it *outputItem, field string, part int) []byte {
	dst = rawjson.AppendText(e.open(dst, kind), "item_id", it.id)
	dst = strconv.AppendInt(rawjson.AppendName(dst, "output_index"), int64(it.index), 10)
	if field != "" {
		dst = strconv.AppendInt(rawjson.AppendName(dst, field), int64(part), 10)
	}
	return dst
}

// current is the last item if it is of a kind and goes on, else nil.
func (e *encoder) current(kind string) *outputItem {
	if len(e.items) == 0 {
		return nil
	}
	if last := e.items[len(e.items)-1]; last.kind == kind && last.status == inProgress {
		return last
	}
	return nil
}

var idPrefixes = map[string]string{
	"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc", imageCall: "ig",
}

// add begins an item. Only calls stay open beside it: the pieces of several may
// come mixed.
func (e *encoder) add(dst []byte, it *outputItem) []byte {
	dst = e.closeAll(dst, completed, false)
	e.held += itemCost
	it.index, it.status = len(e.items), inProgress
	_, unique, _ := strings.Cut(strings.TrimPrefix(e.meta.ID, "gen-"), "-")
	it.id = idPrefixes[it.kind] + "_tmp_" + unique + strconv.Itoa(it.index)
	if it.called() && it.callID == "" {
		it.callID = it.id
	}
	e.items = append(e.items, it)
	return e.itemEvent(dst, "output_item.added", it)
}

func (e *encoder) itemEvent(dst []byte, kind string, it *outputItem) []byte {
	dst = strconv.AppendInt(rawjson.AppendName(e.open(dst, kind), "output_index"), int64(it.index), 10)
	return append(it.append(rawjson.AppendName(dst, "item"), e.meta.Endpoint), ended...)
}

// closeAll ends the items that are open, calls too if asked to.
func (e *encoder) closeAll(dst []byte, status string, calls bool) []byte {
	for _, it := range e.items {
		if it.status == inProgress && (calls || !it.called()) {
			dst = e.close(dst, it, status)
		}
	}
	return dst
}

func (e *encoder) close(dst []byte, it *outputItem, status string) []byte {
	it.status = status
	switch it.kind {
	case "message":
		dst = e.closePart(dst, it)
	case "reasoning":
		dst = e.closeThought(dst, it)
	case "function_call":
		if len(it.arguments) == 0 {
			it.arguments = []byte("{}")
		}
		dst = e.at(dst, "function_call_arguments.done", it, "", 0)
		dst = rawjson.AppendText(dst, "name", it.name)
		dst = append(rawjson.AppendQuoted(rawjson.AppendName(dst, "arguments"), it.arguments), ended...)
	case "custom_tool_call":
		input := customInput(it.arguments)
		dst = append(rawjson.AppendText(e.at(dst, "custom_tool_call_input.delta", it, "", 0), "delta", input), ended...)
		dst = append(rawjson.AppendText(e.at(dst, "custom_tool_call_input.done", it, "", 0), "input", input), ended...)
	}
	return e.itemEvent(dst, "output_item.done", it)
}
