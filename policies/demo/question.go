package demo

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const longestQuestion = 32 << 20

// question is what the demo reads of a request, in either dialect.
type question struct {
	Stream        bool `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           int            `json:"max_tokens"`
	MaxCompletionTokens int            `json:"max_completion_tokens"`
	System              jsontext.Value `json:"system"`
	Messages            []message      `json:"messages"`
	Tools               []tool         `json:"tools"`
}

type message struct {
	Role    string         `json:"role"`
	Content jsontext.Value `json:"content"`
}

func read(w http.ResponseWriter, r *http.Request) (question, error) {
	var q question
	err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, longestQuestion), &q)
	return q, err
}

// bound is the number of tokens that the answer may have, or zero.
func (q question) bound() int { return max(q.MaxTokens, q.MaxCompletionTokens) }

// last is the newest message.
func (q question) last() message {
	if len(q.Messages) == 0 {
		return message{}
	}
	return q.Messages[len(q.Messages)-1]
}

// tokens counts the prompt.
func (q question) tokens() int {
	sum := tokens(said(q.System))
	for _, message := range q.Messages {
		sum += tokens(message.said())
	}
	return sum
}

// tool is one that the newest message names. A tool's result names none: an
// agent would call it again for ever.
func (q question) tool(asked message) (tool, bool) {
	if asked.result() {
		return tool{}, false
	}
	for _, tool := range q.Tools {
		if tool.name() != "" && strings.Contains(asked.said(), tool.name()) {
			return tool, true
		}
	}
	return tool{}, false
}

// said is all text of a message, that of a tool's result included.
func (m message) said() string { return said(m.Content) }

// result tells whether the message is what a tool has said, in either dialect.
func (m message) result() bool {
	parts := parts(m.Content)
	return m.Role == "tool" || len(parts) > 0 && parts[0].Type == "tool_result"
}

type part struct {
	Type    string         `json:"type"`
	Text    string         `json:"text"`
	Content jsontext.Value `json:"content"` // of a tool's result
}

// parts reads a content, which is a string or a list of parts. Results hold
// contents of their own, one level deep.
func parts(content jsontext.Value) []part {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return []part{{Type: "text", Text: text}}
	}
	var listed []part
	_ = json.Unmarshal(content, &listed) // what cannot be read says nothing
	return listed
}

func said(content jsontext.Value) string {
	var all []string
	for _, outer := range parts(content) {
		for _, part := range append(parts(outer.Content), outer) {
			if part.Text != "" {
				all = append(all, part.Text)
			}
		}
	}
	return strings.Join(all, " ")
}
