package gemini

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// speech is a candidate that is being written.
type speech struct {
	index  int
	parts  []byte // whole parts that the client does not have yet
	native string // the provider's reason to end
	finish string // in the hub's terms

	text    []byte // of the part that goes on
	refused bool
	thought []byte // likewise
	detail  dialect.ReasoningDetail
	opened  bool // detail is of a thought whose proof may still come

	signatures []signature // for parts to come
	calls      []*spokenCall
	told       int  // of the calls
	torn       bool // one of them was cut off

	chosen, top []byte // logprobs that the client does not have yet
	sources     []source
	heard       []byte // the text so far, in which sources are counted
	counted     place  // in it
}

// signature is one of the API's own, for the call with an id, or for text.
type signature struct{ data, id string }

// spokenCall is a call of a function, whose arguments come in pieces.
type spokenCall struct {
	id, name  string
	arguments []byte
}

// add takes in a piece of the answer. What comes behind something else ends it.
func (s *speech) add(event *dialect.Event) {
	switch event.Kind {
	case dialect.EventText, dialect.EventRefusal:
		if event.Text == "" {
			return
		}
		s.endThought()
		s.tellCalls(false)
		s.refused = s.refused || event.Kind == dialect.EventRefusal
		s.text = append(s.text, event.Text...)
		s.hear(event.Text)
	case dialect.EventReasoning:
		s.think(&event.Reasoning)
	case dialect.EventToolCall:
		s.endThought()
		s.endText()
		s.tellCalls(false)
		s.calls = append(s.calls, &spokenCall{id: event.ID, name: event.Text})
	case dialect.EventToolArguments:
		if event.Index >= 0 && event.Index < len(s.calls) {
			s.calls[event.Index].arguments = append(s.calls[event.Index].arguments, event.Text...)
		}
	case dialect.EventImage:
		s.endThought()
		s.endText()
		s.tellCalls(false)
		if media := dialect.MediaAt(event.Text); media.Data != "" {
			s.open()
			s.parts = rawjson.AppendText(append(s.parts, `"inlineData":{`...), "mimeType", media.Type)
			s.parts = append(rawjson.AppendText(s.parts, "data", media.Data), "}}"...)
		}
	case dialect.EventAnnotation:
		s.cite(event.Raw)
	case dialect.EventLogprobs:
		s.weigh(event.Raw)
	case dialect.EventFinish:
		if s.finish == "" {
			s.finish, s.native = event.FinishReason(), event.Text
		}
	case dialect.EventStart, dialect.EventUsage, dialect.EventTier, dialect.EventDone:
	}
}

// cut ends the candidate as if the model had come to its bound.
func (s *speech) cut() { s.finish, s.native = "length", "" }

// speak makes parts of text and thoughts so far, for a client that streams.
func (s *speech) speak() {
	s.endText()
	if len(s.thought) > 0 {
		s.endWords()
	}
}

// end makes parts of all that is left.
func (s *speech) end() {
	s.endThought()
	s.endText()
	s.tellCalls(true)
	for _, left := range s.signatures {
		s.open()
		s.parts = append(s.sign(append(s.parts, `"text":""`...), left.data), '}')
	}
	s.signatures = nil
}

func (s *speech) open() { s.parts = append(rawjson.Comma(s.parts), '{') }

func (s *speech) sign(dst []byte, signature string) []byte {
	if signature == "" {
		return dst
	}
	return rawjson.AppendText(dst, "thoughtSignature", signature)
}

func (s *speech) endText() {
	if len(s.text) == 0 {
		return
	}
	s.open()
	s.parts = rawjson.AppendQuoted(append(s.parts, `"text":`...), s.text)
	s.parts = append(s.sign(s.parts, s.signatureOf("")), '}')
	s.text = s.text[:0]
}

// signatureOf takes the signature that is for the call with an id, or for text.
func (s *speech) signatureOf(id string) string {
	for i, held := range s.signatures {
		if held.id == id {
			s.signatures = append(s.signatures[:i], s.signatures[i+1:]...)
			return held.data
		}
	}
	return ""
}

// think takes a piece of reasoning. The API's signatures that stand apart from thoughts
// are those of the part that comes next.
func (s *speech) think(piece *dialect.ReasoningDetail) {
	s.endText()
	if piece.Type == dialect.ReasoningEncrypted && own(piece) {
		s.endThought()
		s.signatures = append(s.signatures, signature{piece.Data, piece.ID})
		return
	}
	s.tellCalls(false)
	goes := s.opened && s.detail.Index == piece.Index && (s.detail.Type == dialect.ReasoningEncrypted) == (piece.Type == dialect.ReasoningEncrypted)
	if !goes || s.detail.Signature != "" && piece.Text != "" { // a signature ends a thought
		s.endThought()
		s.opened = true
		s.detail = dialect.ReasoningDetail{Index: piece.Index}
	}
	detail := &s.detail
	detail.Type, detail.Format = piece.Type, piece.Format
	detail.Signature += piece.Signature
	detail.Data += piece.Data
	if piece.ID != "" {
		detail.ID = piece.ID
	}
	s.thought = append(s.thought, piece.Text...)
}

// endWords makes a part of the words of a thought that may go on.
func (s *speech) endWords() {
	s.open()
	s.parts = rawjson.AppendQuoted(append(s.parts, `"text":`...), s.thought)
	s.parts = append(s.parts, `,"thought":true}`...)
	s.thought = s.thought[:0]
}

// endThought makes a part of what is left of a thought, with its proof.
func (s *speech) endThought() {
	if !s.opened {
		return
	}
	proved := proof(&s.detail)
	if len(s.thought) > 0 || proved != "" {
		s.open()
		s.parts = rawjson.AppendQuoted(append(s.parts, `"text":`...), s.thought)
		s.parts = append(s.sign(append(s.parts, `,"thought":true`...), proved), '}')
	}
	s.thought, s.opened, s.detail = s.thought[:0], false, dialect.ReasoningDetail{}
}

// tellCalls makes parts of the calls, in their order, that are whole; of all if nothing
// more comes.
func (s *speech) tellCalls(all bool) {
	for ; s.told < len(s.calls); s.told++ {
		call := s.calls[s.told]
		input, whole := dialect.ToolInput(call.arguments)
		switch {
		case !all && (len(call.arguments) == 0 || !whole):
			return
		case !whole: // there is no form for what is left of it
			s.torn = true
			continue
		}
		s.open()
		s.parts = append(s.parts, `"functionCall":{`...)
		if call.id != "" {
			s.parts = rawjson.AppendText(s.parts, "id", call.id)
		}
		s.parts = rawjson.AppendText(s.parts, "name", call.name)
		s.parts = append(rawjson.AppendMember(s.parts, "args", input), '}')
		s.parts = append(s.sign(s.parts, s.signatureOf(call.id)), '}')
	}
}
