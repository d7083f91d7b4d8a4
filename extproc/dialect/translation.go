package dialect

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/switchyard/switchyard/extproc/sse"
)

// translation is a Pipe from any provider dialect to any client dialect. Client
// and provider need not agree on streaming: a whole answer becomes a short stream
// and a stream is collected into a whole answer.
type translation struct {
	decoder  Decoder
	encoder  Encoder
	request  *Request
	progress Progress
	// collected are the events of a stream whose client wants a whole answer.
	collected []Event
}

// NewTranslation returns a Pipe that decodes and encodes, also between like
// dialects.
func NewTranslation(decoder Decoder, encoder Encoder, request *Request) Pipe {
	return &translation{decoder: decoder, encoder: encoder, request: request}
}

func (t *translation) Event(dst []byte, event sse.Event) ([]byte, error) {
	if t.progress.Done {
		return dst, nil
	}
	events, err := t.decoder.Event(event)
	if err != nil {
		return dst, err
	}
	t.request.restoreTools(events)
	return t.stream(dst, events)
}

func (t *translation) stream(dst []byte, events []Event) ([]byte, error) {
	for i := range events {
		if !t.follow(&events[i]) {
			if events[i].Kind == EventReasoning && t.request.Stream {
				// A sign of life, while what comes is hidden.
				dst = t.encoder.Event(dst, Event{Kind: EventText, Choice: events[i].Choice})
			}
			continue
		}
		if err := t.checkCalls(&events[i]); err != nil {
			return dst, err
		}
		if t.request.Stream {
			dst = t.encoder.Event(dst, events[i])
			continue
		}
		// The decoder reuses what it returned.
		kept := events[i]
		kept.Raw = slices.Clone(kept.Raw)
		t.collected = append(t.collected, kept)
	}
	return dst, nil
}

// checkCalls fails an answer that ends with a call which its client has no form for. Of
// calls that are too long to be kept nothing is known.
func (t *translation) checkCalls(end *Event) error {
	if _, objects := t.encoder.(ObjectEncoder); !objects || end.Kind != EventFinish || end.FinishReason() == "length" {
		return nil
	}
	for i := range t.progress.ToolCalls {
		call := &t.progress.ToolCalls[i]
		if _, ok := ToolInput(call.Arguments); !ok && !call.Cut && call.Choice == end.Choice {
			return &ProviderFailure{Status: http.StatusBadGateway, Code: "malformed_function_call",
				Message: fmt.Sprintf("The model called the tool %.64q with arguments that are no JSON object.", call.Name)}
		}
	}
	return nil
}

func (t *translation) Whole(dst []byte, body []byte) ([]byte, error) {
	events, err := t.decoder.Whole(body)
	if err != nil {
		return dst, err
	}
	t.request.restoreTools(events)
	if t.request.Task != nil {
		task, err := t.request.Task()
		if err != nil {
			return dst, err
		}
		if err := task.check(events); err != nil {
			return dst, err
		}
	}
	if t.request.Stream {
		if dst, err = t.stream(dst, events); err != nil {
			return dst, err
		}
		return t.Finish(dst), nil
	}
	events = slices.DeleteFunc(events, func(e Event) bool { return !t.follow(&e) })
	for i := range events {
		if err := t.checkCalls(&events[i]); err != nil {
			return dst, err
		}
	}
	return t.encoder.Whole(dst, events, t.Counted().Usage), nil
}

func (t *translation) Finish(dst []byte) []byte {
	t.progress.Done = true
	usage := t.Counted().Usage
	if !t.request.Stream {
		return t.encoder.Whole(dst, t.collected, usage)
	}
	return t.encoder.Finish(dst, usage)
}

func (t *translation) Fail(dst []byte, failure *Error) []byte {
	t.progress.Done = true
	return t.encoder.Fail(dst, failure)
}

func (t *translation) Comment(dst []byte, text string) []byte {
	if own, ok := t.encoder.(Commenter); ok && t.request.Stream {
		return own.Comment(dst, text)
	}
	return appendComment(dst, t.request, text)
}

func (t *translation) Progress() Progress { return t.progress.Settled(t.request) }

func (t *translation) Counted() Progress { return t.progress.Counted(t.request) }

// follow notes what an event says of the answer's progress, and reports whether
// the client gets to see it.
func (t *translation) follow(event *Event) bool {
	hidden := event.Kind == EventReasoning && t.request.HideReasoning
	bound := t.progress.BoundReasoning
	t.progress.Note(event)
	if hidden {
		t.progress.BoundReasoning = bound // the client does not get what binds
		return false
	}
	switch event.Kind {
	case EventStart, EventUsage, EventEnding, EventDone:
		return false
	}
	return true
}
