package openai

import (
	"strconv"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// toolCalls tells a choice's calls apart and numbers them. Providers give several
// calls the same index, or none, or ids that repeat; clients join fragments by
// index and answer by id, so that both must be unique (spec row 92).
type toolCalls struct {
	generation string // makes ids unique where the provider's are not
	choice     int
	calls      []toolCall
}

type toolCall struct {
	index   int64  // the provider's, or -1
	given   string // the provider's id, or ""
	id      string
	begun   bool   // the client has seen the call
	pending []byte // arguments that came before the name, without quotes
}

// toolDelta is one element of a tool_calls array.
type toolDelta struct {
	index           int64 // or -1
	id, kind        []byte
	name, arguments []byte // values; arguments as JSON
	function        bool   // there is a function object
	extra           bool   // there are members beyond these
}

func readToolDelta(element []byte) toolDelta {
	delta := toolDelta{index: -1}
	for c := rawjson.Walk(element); c.Next(); {
		switch string(c.Name) {
		case "index":
			if n, ok := rawjson.Int(c.Value); ok && n >= 0 {
				delta.index = n
			}
		case "id":
			delta.id = rawjson.Unquote(c.Value)
		case "type":
			delta.kind = rawjson.Unquote(c.Value)
		case "function":
			delta.function = rawjson.Present(c.Value)
			for f := rawjson.Walk(c.Value); f.Next(); {
				switch string(f.Name) {
				case "name":
					if len(rawjson.Unquote(f.Value)) > 0 {
						delta.name = f.Value
					}
				case "arguments":
					if rawjson.Present(f.Value) {
						delta.arguments = f.Value
					}
				}
			}
		default:
			delta.extra = delta.extra || rawjson.Present(c.Value)
		}
	}
	return delta
}

// find returns the call that a delta belongs to, and its number. A delta starts a
// new call if its index is new; if its id differs from that of the call at its
// index; or if it has a name and no id while that call is past its name.
func (t *toolCalls) find(delta toolDelta) (*toolCall, int) {
	for i := len(t.calls) - 1; i >= 0; i-- {
		call := &t.calls[i]
		switch {
		case len(delta.id) > 0 && call.given == string(delta.id) &&
			(delta.index < 0 || call.index < 0 || call.index == delta.index):
			return call, i
		case len(delta.id) > 0 && call.given != "":
			continue
		case delta.index >= 0 && call.index != delta.index:
			continue
		case delta.name != nil && call.begun:
			continue
		}
		return call, i
	}
	t.calls = append(t.calls, toolCall{index: delta.index, given: string(delta.id)})
	return &t.calls[len(t.calls)-1], len(t.calls) - 1
}

// begin fixes a call's id: the provider's own unless another call has it.
func (t *toolCalls) begin(number int, id []byte) string {
	call := &t.calls[number]
	if call.given == "" {
		call.given = string(id)
	}
	call.id, call.begun = call.given, true
	for i := range t.calls {
		if call.id == "" || i != number && t.calls[i].id == call.id {
			tail := t.generation[strings.LastIndexByte(t.generation, '-')+1:]
			call.id = "call_" + tail + "_" + strconv.Itoa(t.choice) + "_" + strconv.Itoa(number)
			break
		}
	}
	return call.id
}

// argumentsText is the content of an arguments value without quotes but with its
// escapes. Some providers send an object where a string of JSON belongs.
func argumentsText(value []byte) []byte {
	if len(value) == 0 {
		return nil
	}
	if rawjson.Kind(value) != '"' {
		value = rawjson.AppendQuoted(nil, value)
	}
	return value[1 : len(value)-1]
}
