package openai

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// task is work that is no conversation, and that providers of this dialect do beside
// conversations: between those and its clients it passes as bytes. Of other dialects
// [dialect.Request.Task] is the neutral form.
type task interface {
	// upstream writes the request for target.
	upstream(target dialect.Target, request *dialect.Request) dialect.Upstream
	// pipe carries one answer.
	pipe(request *dialect.Request, meta dialect.Meta) dialect.Pipe
}

// newTask returns a request for a task that makes modality. What the members mean to
// the task itself is for read, which is told of those that are not null.
func newTask(body []byte, modality string, read func(name string, value []byte) error) (*dialect.Request, []member, error) {
	text, err := dialect.Object(body)
	if err != nil {
		return nil, nil, err
	}
	request := &dialect.Request{
		Dialect: Name, Raw: text, OutputModality: modality,
		Chat: func() (*dialect.Chat, error) { return nil, errNoConversation },
	}
	members := readMembers(text)
	for _, m := range members {
		if !rawjson.Present(m.value) {
			continue
		}
		if err := readRouting(request, m.name, m.value); err != nil {
			return nil, nil, err
		}
		if err := read(m.name, m.value); err != nil {
			return nil, nil, err
		}
	}
	return request, members, nil
}

// errNoConversation is of a task at a provider of a dialect that has no words for it,
// which a checked configuration does not have.
var errNoConversation = &dialect.Error{
	Status: http.StatusBadRequest, Type: "invalid_request",
	Message: "The model's provider speaks a dialect that has conversations only. Choose another model.",
}

// hashOf tells requests apart by what they are about. Of long texts only the first part
// and the length count, which bounds what it costs.
func hashOf(value []byte) [16]byte {
	const most = 2 << 10
	var short [8 + most]byte
	text := binary.LittleEndian.AppendUint64(short[:0], uint64(len(value)))
	sum := sha256.Sum256(append(text, value[:min(len(value), most)]...))
	return [16]byte(sum[:16])
}

// rewriteTask copies the members that target takes, with the model's name there.
// defined are the task's own fields, all that a strict target gets; replace writes
// those that do not go as they stand, and reports whether it did.
func rewriteTask(members []member, target dialect.Target, defined []string, replace func(dst []byte, m member) ([]byte, bool)) (body []byte, dropped []string) {
	size := 64
	for _, m := range members {
		size += len(m.raw) + 1
	}
	body = rawjson.AppendText(append(make([]byte, 0, size), '{'), "model", target.Model)
	for _, m := range members {
		if !rawjson.Present(m.value) || m.name == "model" || forGateway(m.name) {
			continue
		}
		if slices.Contains(target.Refused, m.name) || target.Strict && !slices.Contains(defined, m.name) {
			dropped = append(dropped, m.name)
			continue
		}
		if m.name == "user" {
			body = rawjson.AppendText(body, m.name, dialect.EndUser(rawjson.Text(m.value)))
			continue
		}
		written := false
		if body, written = replace(body, m); written {
			continue
		}
		if name := target.Quirks.Name(m.name); name != m.name {
			body = rawjson.AppendMember(body, name, m.value)
		} else {
			body = rawjson.AppendRaw(body, m.raw)
		}
	}
	return append(body, '}'), dropped
}

// taskHeaders are those of a request that no stream answers.
func taskHeaders() []dialect.Header {
	return []dialect.Header{
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: "application/json"},
	}
}

// taskPipe is what the pipes of tasks share. Their answers are never streams, so that
// all that a stream needs has nothing to do.
type taskPipe struct {
	taskAnswer
	request  *dialect.Request
	progress dialect.Progress
}

// taskAnswer writes what the answers of all tasks have around what was asked for,
// whichever dialect it came in.
type taskAnswer struct{ meta dialect.Meta }

var errStream = errors.New("the provider streams an answer that is none of a conversation")

func (p *taskPipe) Event(dst []byte, _ sse.Event) ([]byte, error) { return dst, errStream }

func (p *taskPipe) Finish(dst []byte) []byte { return dst }

func (p *taskPipe) Fail(dst []byte, failure *dialect.Error) []byte {
	return append(dst, Client{}.Error(failure)...)
}

func (p *taskPipe) Comment(dst []byte, _ string) []byte { return dst }

func (p *taskPipe) Progress() dialect.Progress { return p.progress.Settled(p.request) }

func (p *taskPipe) Counted() dialect.Progress { return p.progress.Counted(p.request) }

// read validates an answer and finds the error that stands in its place.
func (p *taskPipe) read(body []byte) ([]byte, error) {
	answer, err := rawjson.Repair(body)
	if err != nil {
		return nil, fmt.Errorf("the provider's answer: %w", err)
	}
	for _, name := range []string{"error", "detail"} {
		if failed := rawjson.Get(answer, name); isError(failed) {
			return nil, dialect.ReadStreamFailure(failed)
		}
	}
	p.progress.UpstreamID = rawjson.Text(rawjson.Get(answer, "id"))
	return answer, nil
}

// open appends the head of an answer, up to its last member.
func (a *taskAnswer) open(dst []byte) []byte {
	dst = rawjson.AppendText(append(dst, '{'), "id", a.meta.ID)
	if a.meta.Provider != "" {
		dst = rawjson.AppendText(dst, "provider", a.meta.Provider)
	}
	return rawjson.AppendText(dst, "model", a.meta.Model)
}

// cost prices the answer, once.
func (a *taskAnswer) cost(usage dialect.Usage) dialect.Cost {
	cost := dialect.Cost{Total: "0", Prompt: "0", Completion: "0"}
	if a.meta.Price != nil {
		cost = a.meta.Price(usage)
	}
	return cost
}

// finish ends an answer behind its usage.
func (a *taskAnswer) finish(dst []byte) []byte {
	if a.meta.RouterMetadata != nil {
		dst = rawjson.AppendMember(dst, "openrouter_metadata", a.meta.RouterMetadata)
	}
	return append(dst, '}')
}
