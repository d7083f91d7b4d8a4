package dialect

import "github.com/switchyard/switchyard/extproc/sse"

// AnswerFilter edits what an answer says before its client's dialect writes it. It
// belongs to one answer.
type AnswerFilter interface {
	// Filter takes the next events and returns what may pass by now, which is valid until
	// the next call. It must not write to the events. An *Error ends the answer, and
	// nothing of these events passes.
	Filter([]Event) ([]Event, error)
	// End returns what is left, once no more events come.
	End() ([]Event, error)
}

// NewFilteredPipe joins a client's dialect to a provider's for one answer that a filter
// edits. It translates also between like dialects: what passes as bytes holds texts that
// only the vendor knows the places of, and a filter is there to miss none. What the
// neutral form has no place for is lost.
func NewFilteredPipe(client Client, provider Provider, request *Request, meta Meta, filter AnswerFilter) Pipe {
	meta.Request = request
	decoder := provider.Decoder()
	if namer, ok := decoder.(CallNamer); ok {
		namer.NameCalls(meta.ID)
	}
	filtering := &filteringDecoder{Decoder: decoder, filter: filter}
	return &filtered{
		translation: &translation{decoder: filtering, encoder: client.Encoder(meta), request: request},
		decoder:     filtering,
	}
}

// filtered is a translation whose client gets some of the answer later, or otherwise.
type filtered struct {
	*translation
	decoder *filteringDecoder
}

// mostUnheard is how much of an answer a filter may hold back, in bytes, before the
// answer counts as begun: its provider is no longer silent.
const mostUnheard = 1 << 10

func (f *filtered) Finish(dst []byte) []byte { return f.translation.Finish(f.end(dst)) }

// Fail has the client get what was held when the provider broke off.
func (f *filtered) Fail(dst []byte, failure *Error) []byte {
	return f.translation.Fail(f.end(dst), failure)
}

func (f *filtered) end(dst []byte) []byte {
	if f.decoder.refused {
		return dst
	}
	events, err := f.decoder.filter.End()
	if err != nil {
		f.decoder.refused = true
		return dst
	}
	if told, err := f.stream(dst, events); err == nil {
		return told
	}
	return dst
}

// Progress is that of what the provider said: the client's share tells nothing of its
// pace, and it is not what is billed.
func (f *filtered) Progress() Progress { return f.provided().Settled(f.request) }

// Counted is Progress with tokens counted.
func (f *filtered) Counted() Progress { return f.provided().Counted(f.request) }

func (f *filtered) provided() Progress {
	p, said := f.progress, &f.decoder.said
	p.Started = p.Started || said.OutputBytes > mostUnheard || f.decoder.refused && said.Started
	p.Steps, p.OutputBytes, p.Transcript, p.Usage, p.HasUsage = said.Steps, said.OutputBytes, said.Transcript, said.Usage, said.HasUsage
	return p
}

type filteringDecoder struct {
	Decoder
	filter AnswerFilter
	// said is the progress by what the provider said.
	said    Progress
	refused bool
}

func (d *filteringDecoder) Event(event sse.Event) ([]Event, error) {
	events, err := d.Decoder.Event(event)
	if err != nil {
		return nil, err
	}
	return d.pass(events, nil)
}

func (d *filteringDecoder) Whole(body []byte) ([]Event, error) {
	events, err := d.Decoder.Whole(body)
	if err != nil {
		return nil, err
	}
	return d.pass(events, d.filter.End)
}

func (d *filteringDecoder) pass(events []Event, end func() ([]Event, error)) ([]Event, error) {
	for i := range events {
		d.said.Note(&events[i])
	}
	passed, err := d.filter.Filter(events)
	if err == nil && end != nil {
		var rest []Event
		passed = append([]Event(nil), passed...)
		rest, err = end()
		passed = append(passed, rest...)
	}
	if err != nil {
		d.refused = true
		return nil, err
	}
	return passed, nil
}
