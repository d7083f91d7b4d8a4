package cohere

import (
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// begin notes where the text of a content block begins: citations count from there.
func (d *decoder) begin(index int64) {
	if d.bases == nil {
		d.bases = map[int64]int64{}
	}
	d.bases[index] = d.text
	d.details++ // a thought in it is a new one
	d.planning = false
}

func (d *decoder) content(object []byte) {
	for c := rawjson.Walk(object); c.Next(); {
		words := rawjson.Text(c.Value)
		if words == "" {
			continue
		}
		switch string(c.Name) {
		case "text":
			d.text += int64(utf8.RuneCountInString(words))
			d.emit(dialect.Event{Kind: dialect.EventText, Text: words})
		case "thinking":
			d.think(words, "")
		}
	}
}

func (d *decoder) think(words, id string) {
	d.emit(dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
		Type: dialect.ReasoningText, Text: words, ID: id, Format: dialect.FormatUnknown, Index: max(0, d.details-1),
	}})
}

// plan tells what the model plans before it calls tools. It is reasoning that the API
// wants back as what it is.
func (d *decoder) plan(words string) {
	if words == "" {
		return
	}
	if !d.planning {
		d.planning = true
		d.details++
	}
	d.think(words, planID)
}

func (d *decoder) call(index int64, object []byte) error {
	if rawjson.Kind(object) != '{' || len(d.calls) >= mostCalls {
		return errNoMessage
	}
	function := rawjson.Get(object, "function")
	name, arguments := rawjson.Text(rawjson.Get(function, "name")), rawjson.Text(rawjson.Get(function, "arguments"))
	number := len(d.calls)
	d.calls = append(d.calls, begunCall{number: index})
	d.emit(dialect.Event{
		Kind: dialect.EventToolCall, Index: number, Text: name,
		ID: d.ids.ID(rawjson.Text(rawjson.Get(object, "id")), d.id, number, name, arguments),
	})
	d.argue(number, arguments)
	return nil
}

// arguments goes on with the latest call of a number.
func (d *decoder) arguments(index int64, object []byte) {
	if at, known := d.latest(index); known {
		d.argue(at, rawjson.Text(rawjson.Get(rawjson.Get(object, "function"), "arguments")))
	}
}

// endCall gives a call that came without arguments an empty object: clients read what
// they get as JSON.
func (d *decoder) endCall(at int) {
	if !d.calls[at].argued {
		d.argue(at, "{}")
	}
}

// latest is the place of the latest call of a number.
func (d *decoder) latest(index int64) (at int, known bool) {
	for at, call := range slices.Backward(d.calls) {
		if call.number == index {
			return at, true
		}
	}
	return 0, false
}

func (d *decoder) argue(at int, words string) {
	if words != "" {
		d.calls[at].argued = true
		d.emit(dialect.Event{Kind: dialect.EventToolArguments, Index: at, Text: words})
	}
}

// logprobs puts an item, a piece of the text with its tokens, into the form of Chat
// Completions. Of several tokens the probabilities multiply, and their logarithms add up.
func (d *decoder) logprobs(item []byte) {
	text := rawjson.Get(item, "text")
	if rawjson.Kind(text) != '"' {
		return
	}
	sum := 0.0
	for c := rawjson.Walk(rawjson.Get(item, "logprobs")); c.Next(); {
		if logprob, ok := rawjson.Float(c.Value); ok {
			sum = max(-math.MaxFloat64, min(sum+logprob, math.MaxFloat64)) // JSON has no infinity
		}
	}
	raw := rawjson.AppendMember([]byte(`{"content":[{`), "token", text)
	raw = strconv.AppendFloat(rawjson.AppendName(raw, "logprob"), sum, 'g', -1, 64)
	raw = append(raw, `,"bytes":[`...)
	for _, b := range rawjson.Unquote(text) {
		raw = strconv.AppendInt(rawjson.Comma(raw), int64(b), 10)
	}
	d.emit(dialect.Event{Kind: dialect.EventLogprobs, Raw: append(raw, `],"top_logprobs":[]}],"refusal":null}`...)})
}
