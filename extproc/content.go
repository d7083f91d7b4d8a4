package extproc

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/usage"
)

const (
	// What is kept of a request and of its answer, in bytes as JSON has them. All of it
	// fits a line of the ledger's journal.
	mostInput  = 256 << 10
	mostOutput = 128 << 10 // of the text, of the reasoning, and of the calls each
	// wrapping is what JSON needs around a message, a part or a call, and more.
	wrapping = 128
	// longestFailure is how much of a failure's words is kept.
	longestFailure = 2 << 10
)

// keepContent keeps what was said, if the key wants that, when an attempt is over that
// no other follows. Of several the one counts that the client was served by.
func (a *attempt) keepContent(label string) {
	if !a.outcome.begun || a.outcome.moved || !a.key.StoreContent || a.request.OutputModality != "" || a.Ledger == nil {
		return
	}
	content := &usage.Content{Input: a.input(), Output: a.output()}
	if a.outcome.failure != nil {
		content.Error = a.shared.failureSaid()
	}
	a.shared.keepContent(content, label == "ok")
}

func (q *request) keepContent(content *usage.Content, served bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if served || !q.served {
		q.content, q.served = content, served
	}
}

// kept is a message as it is kept, in the form of Chat Completions.
type kept struct {
	Role      string     `json:"role"`
	Name      string     `json:"name,omitempty"`
	CallID    string     `json:"tool_call_id,omitempty"`
	Content   any        `json:"content"` // a string, or []keptPart
	Reasoning string     `json:"reasoning,omitempty"`
	ToolCalls []keptCall `json:"tool_calls,omitempty"`
}

// keptPart is a text, or that there was something else.
type keptPart struct {
	Type string  `json:"type"`
	Text *string `json:"text,omitzero"`
	Name string  `json:"name,omitempty"`
	URL  string  `json:"url,omitempty"`
}

type keptCall struct {
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type"`
	Function keptFunction `json:"function"`
}

type keptFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// input is what the client asked, whatever the candidate's provider was asked in its
// place. Where that is too long the latest messages are kept.
func (a *attempt) input() usage.Input {
	chat, err := a.toKeep.Chat()
	if err != nil {
		return usage.Input{Truncated: true} // what its own dialect alone can read
	}
	allowed := &allowance{left: mostInput}
	if _, prompt := a.client.(openai.Completions); prompt && len(chat.Messages) == 1 && len(chat.Messages[0].Parts) == 1 {
		text := allowed.take(chat.Messages[0].Parts[0].Text)
		return usage.Input{Prompt: &text, Truncated: allowed.short}
	}
	var messages []kept
	for _, message := range slices.Backward(chat.Messages) {
		if allowed.full() {
			break
		}
		made := turns(&message, allowed)
		slices.Reverse(made)
		messages = append(messages, made...)
	}
	slices.Reverse(messages)
	return usage.Input{Messages: raw(messages), Truncated: allowed.short}
}

// turns are one message, or one for each result of a tool.
func turns(message *dialect.Message, allowed *allowance) []kept {
	allowed.left -= wrapping
	made := kept{Role: string(message.Role), Name: allowed.take(message.Name)}
	var parts []keptPart
	var results []kept
	for i := range message.Parts {
		if allowed.full() {
			break
		}
		switch part := &message.Parts[i]; part.Kind {
		case dialect.PartReasoning:
			made.Reasoning += allowed.take(part.Reasoning.Text)
		case dialect.PartToolCall:
			made.ToolCalls = append(made.ToolCalls, allowed.call(part.Call.ID, part.Call.Name, part.Call.Arguments))
		case dialect.PartToolResult:
			allowed.left -= wrapping
			var said []keptPart
			for j := range part.Result.Parts {
				if allowed.full() {
					break
				}
				said = append(said, allowed.part(&part.Result.Parts[j]))
			}
			results = append(results, kept{Role: string(message.Role), CallID: allowed.take(part.Result.CallID), Content: plain(said)})
		default:
			parts = append(parts, allowed.part(part))
		}
	}
	if len(results) > 0 && len(parts)+len(made.ToolCalls) == 0 && made.Reasoning == "" {
		return results
	}
	made.Content = plain(parts)
	return append([]kept{made}, results...)
}

// toolName is the client's own name of a tool.
func (a *attempt) toolName(name string) string {
	if own, renamed := a.request.ToolNames[name]; renamed {
		return own
	}
	return name
}

// plain is what messages have for content: a text if that is all, or parts.
func plain(parts []keptPart) any {
	switch {
	case len(parts) == 0:
		return nil
	case len(parts) == 1 && parts[0].Text != nil:
		return *parts[0].Text
	}
	return parts
}

// mediaTypes are the types of parts of Chat Completions.
var mediaTypes = map[dialect.PartKind]string{
	dialect.PartImage: "image_url", dialect.PartAudio: "input_audio", dialect.PartVideo: "video_url", dialect.PartFile: "file",
}

// part is a text. Of what is none its name is kept, and its address if it has one that
// does not hold it.
func (r *allowance) part(part *dialect.Part) keptPart {
	r.left -= wrapping
	kind, media := mediaTypes[part.Kind]
	if !media || part.Media == nil {
		text := r.take(part.Text)
		return keptPart{Type: "text", Text: &text}
	}
	made := keptPart{Type: kind, Name: r.take(part.Media.Name)}
	if strings.HasPrefix(part.Media.URL, "http") {
		made.URL = r.take(part.Media.URL)
	}
	return made
}

func (r *allowance) call(id, name, arguments string) keptCall {
	r.left -= wrapping
	return keptCall{ID: r.take(id), Type: "function", Function: keptFunction{r.take(name), r.take(arguments)}}
}

// output is what the client got, of the first choice.
func (a *attempt) output() usage.Output {
	var out usage.Output
	if a.answer.pipe == nil {
		return out
	}
	progress := a.answer.pipe.Progress()
	keep := func(text string) *string {
		if text == "" {
			return nil
		}
		allowed := &allowance{left: mostOutput}
		text = allowed.take(text)
		out.Truncated = out.Truncated || allowed.short
		return &text
	}
	out.Completion = keep(progress.Transcript.Text(0))
	if !a.request.HideReasoning {
		out.Reasoning = keep(progress.Transcript.Reasoning(0))
	}
	out.Truncated = out.Truncated || progress.Transcript.Cut()
	allowed := &allowance{left: mostOutput}
	var calls []keptCall
	for _, call := range progress.ToolCalls {
		if call.Choice != 0 {
			continue
		}
		allowed.short = allowed.short || call.Cut
		calls = append(calls, allowed.call("", a.toolName(call.Name), string(call.Arguments)))
	}
	if calls != nil {
		out.ToolCalls = raw(calls)
	}
	out.Truncated = out.Truncated || allowed.short
	return out
}

// failureSaid is why there is no answer, or not all of one (spec section 1.3).
func (q *request) failureSaid() jsontext.Value {
	failed := q.failures()
	if len(failed) == 0 {
		return nil
	}
	last := failed[len(failed)-1]
	said := struct {
		Status   int             `json:"status"`
		Message  string          `json:"message"`
		Raw      *string         `json:"raw"`
		Provider string          `json:"provider_name"`
		Previous []previousError `json:"previous_errors"`
	}{last.shown(), short(last.said()), nil, last.Provider, make([]previousError, 0, len(failed)-1)}
	if text := last.failure.raw; text != "" && last.failure.class != health.Authentication {
		text = short(text)
		said.Raw = &text
	}
	for _, earlier := range failed[:len(failed)-1] {
		earlier.Message = short(earlier.Message)
		said.Previous = append(said.Previous, earlier)
	}
	return raw(said)
}

func short(text string) string {
	allowed := allowance{left: longestFailure}
	return allowed.take(text)
}

// raw is a value as JSON.
func raw(value any) jsontext.Value {
	text, err := json.Marshal(value, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil // it is of strings and numbers alone
	}
	return text
}

// allowance is how much may still be kept.
type allowance struct {
	left  int
	short bool // something was left out
}

// full reports that there is no room for anything else, which is then left out.
func (r *allowance) full() bool {
	r.short = r.short || r.left < wrapping
	return r.left < wrapping
}

// take is a text, or as much of its beginning as there is room for, with a mark.
func (r *allowance) take(text string) string {
	for i, c := range text {
		size := utf8.RuneLen(c)
		switch {
		case c == '"', c == '\\':
			size = len(`\"`)
		case c < ' ':
			size = len(`\u0000`)
		}
		if r.left < size {
			r.short = true
			return fmt.Sprintf("%s… [%d bytes are left out]", text[:i], len(text)-i)
		}
		r.left -= size
	}
	return text
}
