package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// question is the body of a request to a model.
func question(model string, members ...string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"hi"}]` +
		strings.Join(append([]string{""}, members...), ",") + `}`
}

// streamed is a question that asks for a stream.
func streamed(model string, members ...string) string {
	return question(model, append(members, `"stream":true`)...)
}

// answer is a whole answer of the gateway.
type answer struct {
	status int
	header http.Header
	body   string
}

// reply is what the tests read of a JSON answer: an error or a completion.
type reply struct {
	ID       string
	Object   string
	Model    string
	Provider string
	Choices  []choice
	Usage    *usage
	Error    *failure

	ServiceTier string         `json:"service_tier"`
	Router      *routerDetails `json:"openrouter_metadata"`
}

type choice struct {
	Index              int
	Message, Delta     content
	FinishReason       *string `json:"finish_reason"`
	NativeFinishReason *string `json:"native_finish_reason"`
}

type content struct {
	Role             string
	Content          string
	Reasoning        string
	ReasoningDetails json.RawMessage `json:"reasoning_details"`
	Refusal          string
	ToolCalls        []toolCall `json:"tool_calls"`
}

type toolCall struct {
	Index    int
	ID       string
	Type     string
	Function struct{ Name, Arguments string }
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
	Cost       *float64
}

type failure struct {
	Code         int
	Message      string
	Metadata     map[string]any
	Availability availability
}

// availability is what spec section 5.3 adds to an error.
type availability struct {
	Code           string
	ExcludedBy     []string `json:"excluded_by"`
	FallbackModels []string `json:"fallback_models"`
	Constraint     struct{ Field, Detail string }
}

// routerDetails are those of spec section 4.13.
type routerDetails struct {
	Requested, Strategy string
	Endpoints           struct {
		Total     int
		Available []struct {
			Provider, Model string
			Selected        bool
		}
	}
	Attempts []struct {
		Provider, Model string
		Status          int
	}
}

// send sends a request with the client's key and returns its answer unread.
func (s *stage) send(ctx context.Context, method, path, body string, header ...string) (*http.Response, error) {
	s.Helper()
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+clientKey)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			request.Header.Del(header[i])
		}
	}
	return s.client.Do(request)
}

// do sends a request and reads its answer; header names and values alternate,
// an empty value takes the header away. Without an answer the status is 0 and
// the body says why.
func (s *stage) do(method, path, body string, header ...string) answer {
	s.Helper()
	response, err := s.send(s.Context(), method, path, body, header...)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer response.Body.Close()
	// A body that breaks off is judged by what is in it.
	read, _ := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(read)}
}

// ask posts a chat request.
func (s *stage) ask(body string, header ...string) answer {
	s.Helper()
	return s.do(http.MethodPost, "/api/v1/chat/completions", body, header...)
}

// decode reads a JSON answer.
func (a answer) decode(t *testing.T) reply {
	t.Helper()
	var decoded reply
	if err := json.Unmarshal([]byte(a.body), &decoded); err != nil {
		t.Fatalf("status %d: %v in %s", a.status, err, a.body)
	}
	return decoded
}

// choice is the only one of a whole answer.
func (a answer) choice(t *testing.T) choice {
	t.Helper()
	decoded := a.decode(t)
	if a.status != http.StatusOK || len(decoded.Choices) != 1 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	return decoded.Choices[0]
}

// failed checks that an answer is an error in the gateway's shape.
func (a answer) failed(t *testing.T, status int) failure {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("content type %q", kind)
	}
	decoded := a.decode(t)
	if decoded.Error == nil || decoded.Error.Code != status || decoded.Error.Message == "" {
		t.Fatalf("not an error of status %d: %s", status, a.body)
	}
	return *decoded.Error
}

// transcript is a stream as a client gathers it.
type transcript struct {
	text     string
	finish   string
	native   string
	usage    []usage
	calls    map[int]*toolCall
	chunks   []reply
	comments []string
	errors   []failure
	done     bool // [DONE] came last
}

// transcript reads a stream strictly in the gateway's own framing: LF, "data: "
// with its space, no event or id lines.
func (a answer) transcript(t *testing.T) transcript {
	t.Helper()
	if kind := a.header.Get("Content-Type"); a.status != 200 || !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("status %d, content type %q, not a stream: %s", a.status, kind, a.body)
	}
	gathered := transcript{calls: map[int]*toolCall{}}
	lines := bufio.NewScanner(strings.NewReader(a.body))
	lines.Buffer(nil, len(a.body)+1)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "":
		case strings.HasPrefix(line, ":"):
			gathered.comments = append(gathered.comments, line)
		case gathered.done:
			t.Errorf("after [DONE]: %q", line)
		case line == "data: [DONE]":
			gathered.done = true
		case strings.HasPrefix(line, "data: {"):
			gathered.add(t, line[len("data: "):])
		default:
			t.Errorf("no line of this API's streams: %q", line)
		}
	}
	if !strings.HasSuffix(a.body, "\n\n") {
		t.Errorf("the last event has no blank line: %q", a.body[max(0, len(a.body)-40):])
	}
	return gathered
}

func (g *transcript) add(t *testing.T, data string) {
	t.Helper()
	var chunk reply
	if err := json.Unmarshal([]byte(data), &chunk); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	g.chunks = append(g.chunks, chunk)
	if chunk.Error != nil {
		g.errors = append(g.errors, *chunk.Error)
	}
	if chunk.Usage != nil {
		g.usage = append(g.usage, *chunk.Usage)
	}
	for _, c := range chunk.Choices {
		g.text += c.Delta.Content
		if c.FinishReason != nil {
			g.finish = *c.FinishReason
		}
		if c.NativeFinishReason != nil {
			g.native = *c.NativeFinishReason
		}
		for _, piece := range c.Delta.ToolCalls {
			call := g.calls[piece.Index]
			if call == nil {
				call = &toolCall{Index: piece.Index}
				g.calls[piece.Index] = call
			}
			call.ID += piece.ID
			call.Function.Name += piece.Function.Name
			call.Function.Arguments += piece.Function.Arguments
		}
	}
}
