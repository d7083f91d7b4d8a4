package anthropic

import (
	"cmp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// piece is a block of a whole answer, put together from events.
type piece struct {
	kind            dialect.EventKind // EventText, EventReasoning or EventToolCall
	text, citations []byte
	id, name        string
	input           jsontext.Value // of a call
	thought         dialect.ReasoningDetail
}

// gathered is a whole answer.
type gathered struct {
	pieces  []piece
	calls   []int // where each call is
	refused bool
	finish  string
}

// Whole appends a message. It holds what the same events would have streamed.
func (e *encoder) Whole(dst []byte, events []dialect.Event, usage dialect.Usage) []byte {
	var g gathered
	for i := range events {
		switch event := &events[i]; {
		case event.Kind == dialect.EventTier:
			e.envelope.tier = event.Text
		case event.Choice == 0:
			g.add(event)
		}
	}
	dst = append(e.envelope.head(dst), `,"content":[`...)
	cut := false
	for i := range g.pieces {
		if p := &g.pieces[i]; p.kind == dialect.EventToolCall {
			var whole bool
			if p.input, whole = dialect.ToolInput(p.text); !whole {
				cut = true // there is no form for what is left of the call
				continue
			}
		}
		dst = g.pieces[i].append(dst)
	}
	reason := "refusal"
	switch {
	case cut:
		reason = "max_tokens"
	case !g.refused:
		reason = stopReason(g.finish, len(g.calls) > 0)
	}
	dst = append(rawjson.AppendText(append(dst, ']'), "stop_reason", reason), `,"stop_sequence":null`...)
	return append(e.envelope.routed(e.envelope.usage(dst, usage)), '}')
}

func (g *gathered) add(event *dialect.Event) {
	switch event.Kind {
	case dialect.EventText, dialect.EventRefusal:
		if event.Text != "" {
			p := g.last(dialect.EventText, 0)
			p.text = append(p.text, event.Text...)
			g.refused = g.refused || event.Kind == dialect.EventRefusal
		}
	case dialect.EventReasoning:
		r := event.Reasoning
		p := g.last(dialect.EventReasoning, r.Index)
		ends := p.thought.Signature != "" && r.Text != ""
		changes := p.thought.Type != "" && (p.thought.Type == dialect.ReasoningEncrypted) != (r.Type == dialect.ReasoningEncrypted)
		if ends || changes {
			g.pieces = append(g.pieces, piece{kind: dialect.EventReasoning})
			p = &g.pieces[len(g.pieces)-1]
		}
		p.text = append(p.text, r.Text...)
		r.Text, r.Signature, r.Data = "", p.thought.Signature+r.Signature, p.thought.Data+r.Data
		if r.ID == "" {
			r.ID = p.thought.ID
		}
		p.thought = r
	case dialect.EventToolCall:
		g.calls = append(g.calls, len(g.pieces))
		g.pieces = append(g.pieces, piece{kind: dialect.EventToolCall, id: event.ID, name: event.Text})
	case dialect.EventToolArguments:
		if event.Index < len(g.calls) {
			p := &g.pieces[g.calls[event.Index]]
			p.text = append(p.text, event.Text...)
		}
	case dialect.EventAnnotation:
		if citation := citationOf(event.Raw); citation != nil {
			p := g.last(dialect.EventText, 0)
			p.citations = rawjson.AppendRaw(p.citations, citation)
		}
	case dialect.EventFinish:
		if g.finish == "" {
			g.finish = cmp.Or(event.Reason, event.Text)
		}
	case dialect.EventStart, dialect.EventLogprobs, dialect.EventUsage, dialect.EventTier, dialect.EventDone:
	}
}

// last is the piece at the end if it is of that kind and detail, else a new one.
func (g *gathered) last(kind dialect.EventKind, detail int) *piece {
	if n := len(g.pieces) - 1; n >= 0 && g.pieces[n].kind == kind && g.pieces[n].thought.Index == detail {
		return &g.pieces[n]
	}
	g.pieces = append(g.pieces, piece{kind: kind, thought: dialect.ReasoningDetail{Index: detail}})
	return &g.pieces[len(g.pieces)-1]
}

func (p *piece) append(dst []byte) []byte {
	dst = append(rawjson.Comma(dst), '{')
	switch {
	case p.kind == dialect.EventToolCall:
		dst = rawjson.AppendText(append(dst, `"type":"tool_use"`...), "id", p.id)
		dst = rawjson.AppendMember(rawjson.AppendText(dst, "name", p.name), "input", p.input)
	case p.kind == dialect.EventReasoning && p.thought.Type == dialect.ReasoningEncrypted:
		dst = rawjson.AppendText(append(dst, `"type":"redacted_thinking"`...), "data", proof(&p.thought))
	case p.kind == dialect.EventReasoning:
		dst = rawjson.AppendText(append(dst, `"type":"thinking"`...), "thinking", string(p.text))
		dst = rawjson.AppendText(dst, "signature", proof(&p.thought))
	default:
		dst = rawjson.AppendText(append(dst, `"type":"text"`...), "text", string(p.text))
		if p.citations != nil {
			dst = append(append(rawjson.AppendName(dst, "citations"), '['), p.citations[1:]...)
			dst = append(dst, ']')
		}
	}
	return append(dst, '}')
}
