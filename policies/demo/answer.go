package demo

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// answer is what the demo says, before a dialect puts it into words: text, or a
// tool call.
type answer struct {
	text string
	call *call
	// cut: the text ends where the client's bound on tokens did.
	cut bool
}

type call struct {
	name      string
	arguments jsontext.Value
}

// answer says plainly that it is a demo, calls a tool that the newest message
// names, and repeats what a tool has said.
func (q question) answer(name string) answer {
	const longestEcho = 400
	asked := q.last()
	if tool, ok := q.tool(asked); ok {
		return answer{call: &call{tool.name(), tool.arguments(asked.said())}}
	}
	echo := []rune(asked.said())
	verb := "You"
	if asked.result() {
		verb = "The tool"
	}
	text := fmt.Sprintf("This is %s, a demo of Switchyard: no model is behind this answer. %s said: %s",
		name, verb, string(echo[:min(len(echo), longestEcho)]))
	pieces := words(text)
	if bound := q.bound(); bound > 0 && bound < len(pieces) {
		return answer{text: strings.Join(pieces[:bound], ""), cut: true}
	}
	return answer{text: text}
}

// tokens counts the answer as the provider would bill it.
func (a answer) tokens() int {
	if a.call != nil {
		return tokens(a.call.name) + tokens(string(a.call.arguments))
	}
	return tokens(a.text)
}

// tokens counts words: there is no tokenizer behind a demo.
func tokens(text string) int { return len(strings.Fields(text)) }

// words cuts a text so that its pieces put together are the text.
func words(text string) []string { return slices.Collect(strings.SplitAfterSeq(text, " ")) }

func reply(w http.ResponseWriter, status int, body any) {
	var out bytes.Buffer
	if err := json.MarshalWrite(&out, body, json.Deterministic(true)); err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// stream writes server-sent events, each as soon as it is there.
type stream struct {
	http.ResponseWriter
	request *http.Request
}

func newStream(w http.ResponseWriter, r *http.Request) stream {
	w.Header().Set("Content-Type", "text/event-stream")
	return stream{w, r}
}

// send writes one event; an empty name leaves out the `event:` line. It returns
// false when nobody listens any more.
func (s stream) send(name string, data any) bool {
	var out bytes.Buffer
	if name != "" {
		fmt.Fprintf(&out, "event: %s\n", name)
	}
	out.WriteString("data: ")
	if done, ok := data.(string); ok {
		out.WriteString(done)
	} else if err := json.MarshalWrite(&out, data, json.Deterministic(true)); err != nil {
		return false
	}
	out.WriteString("\n\n")
	if _, err := s.Write(out.Bytes()); err != nil {
		return false
	}
	return http.NewResponseController(s.ResponseWriter).Flush() == nil
}

// wait keeps the pace; it returns false when nobody listens any more.
func (s stream) wait() bool {
	select {
	case <-time.After(pace):
		return true
	case <-s.request.Context().Done():
		return false
	}
}
