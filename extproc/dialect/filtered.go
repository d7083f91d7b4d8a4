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

// Ender is a [Pipe] that may hold back some of an answer.
type Ender interface {
	Pipe
	// End appends what of that the client gets, once no more of the provider's comes and
	// before Finish. It is idempotent. Its errors are those of Event.
	End(dst []byte) ([]byte, error)
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
	filtering := &filteringDecoder{Decoder: decoder, request: request, filter: filter}
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

// Fail has the client get what was held when the provider broke off, unless it may not.
func (f *filtered) Fail(dst []byte, failure *Error) []byte {
	dst, _ = f.End(dst) // it fails already
	return f.translation.Fail(dst, failure)
}

var _ Ender = (*filtered)(nil)

// End ends the filter.
func (f *filtered) End(dst []byte) ([]byte, error) {
	if f.decoder.over {
		return dst, nil
	}
	f.decoder.over = true
	events, err := f.decoder.filter.End()
	if err != nil {
		f.decoder.refused = true
		return dst, err
	}
	f.request.restoreTools(events)
	told, err := f.stream(dst, events)
	if err != nil {
		return dst, err
	}
	return told, nil
}

// Progress is that of what the provider said, whose pace the client's share tells nothing
// of. The transcript and the calls are those that the client got.
func (f *filtered) Progress() Progress { return f.paced().Settled(f.request) }

// Counted has the transcript and the calls of the provider: they are what is billed.
func (f *filtered) Counted() Progress {
	p := f.paced()
	p.Transcript, p.ToolCalls = f.decoder.said.Transcript, f.decoder.said.ToolCalls
	return p.Counted(f.request)
}

func (f *filtered) paced() Progress {
	p, said := f.progress, &f.decoder.said
	p.Started = p.Started || said.OutputBytes > mostUnheard || f.decoder.refused && said.Started
	p.Steps, p.OutputBytes, p.Usage, p.HasUsage = said.Steps, said.OutputBytes, said.Usage, said.HasUsage
	return p
}

type filteringDecoder struct {
	Decoder
	request *Request
	filter  AnswerFilter
	// said is the progress by what the provider said.
	said    Progress
	refused bool
	over    bool // nothing goes through the filter any more
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
		said := events[i]
		d.request.restoreTool(&said)
		d.said.Note(&said)
	}
	passed, err := d.filter.Filter(events)
	if err == nil && end != nil {
		var rest []Event
		passed = append([]Event(nil), passed...)
		d.over = true
		rest, err = end()
		passed = append(passed, rest...)
	}
	if err != nil {
		d.refused, d.over = true, true
		return nil, err
	}
	return passed, nil
}
