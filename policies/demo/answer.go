package demo

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// question is what the demo reads of a request, in either dialect.
type question struct {
	Stream   bool `json:"stream"`
	Messages []struct {
		Role    string         `json:"role"`
		Content jsontext.Value `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Name     string `json:"name"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	} `json:"tools"`
}

const longestQuestion = 32 << 20

func read(w http.ResponseWriter, r *http.Request) (question, error) {
	var q question
	err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, longestQuestion), &q)
	return q, err
}

// text is all text of a message, whether it is written as a string or in parts.
func text(content jsontext.Value) string {
	var whole string
	if json.Unmarshal(content, &whole) == nil {
		return whole
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(content, &parts) != nil {
		return ""
	}
	var all []string
	for _, part := range parts {
		if part.Text != "" {
			all = append(all, part.Text)
		}
	}
	return strings.Join(all, " ")
}

// last is the text of the newest message.
func (q question) last() string {
	if len(q.Messages) == 0 {
		return ""
	}
	return text(q.Messages[len(q.Messages)-1].Content)
}

// tokens counts words: there is no tokenizer behind a demo.
func tokens(text string) int { return len(strings.Fields(text)) }

func (q question) tokens() int {
	sum := 0
	for _, message := range q.Messages {
		sum += tokens(text(message.Content))
	}
	return sum
}

// tool is the tool that the demo calls: one whose name the newest message
// mentions, or "".
func (q question) tool() string {
	asked := q.last()
	for _, tool := range q.Tools {
		for _, name := range []string{tool.Name, tool.Function.Name} {
			if name != "" && strings.Contains(asked, name) {
				return name
			}
		}
	}
	return ""
}

func (q question) answer(name string) string {
	const longestEcho = 400
	echo := []rune(q.last())
	return fmt.Sprintf("This is %s, a demo of Switchyard: no model is behind this answer. You said: %s",
		name, string(echo[:min(len(echo), longestEcho)]))
}

// words cuts a text so that its pieces put together are the text.
func words(text string) []string { return strings.SplitAfter(text, " ") }

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
