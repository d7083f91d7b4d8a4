package dialect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/azure"
	"github.com/switchyard/switchyard/extproc/dialect/bedrock"
	"github.com/switchyard/switchyard/extproc/dialect/cohere"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/ollama"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
	"github.com/switchyard/switchyard/extproc/dialect/vertex"
)

const key = "key-of-the-provider"

// side is a provider's dialect with the strict fake that speaks it.
type side struct {
	name    string
	dialect dialect.Provider // by its name the vendor's own is meant
	fake    func(provider.Config) *provider.Provider
	base    string
	target  dialect.Target
	lacks   []string // what the vendor has no words for: names of accepted, and those below
}

// What not every vendor has.
const (
	bindingReasoning = "reasoning that binds"
	tiers            = "service tiers"
	annotations      = "annotations"
	cacheReads       = "cached tokens"
)

func (s side) has(what string) bool { return !slices.Contains(s.lacks, what) }

var sides = []side{
	{"openai", openai.Provider{}, provider.OpenAI, "/v1", dialect.Target{Model: "gpt-4o", Strict: true}, nil},
	{"anthropic", anthropic.Provider{}, provider.Anthropic, "/v1", dialect.Target{Model: "claude-x"}, nil},
	{"gemini", gemini.Provider{}, provider.Gemini, "/v1beta", dialect.Target{Model: "gemini-2.5-flash"}, nil},
	{"responses", responses.Provider{}, provider.Responses, "/v1", dialect.Target{Model: "gpt-4o", Strict: true}, nil},
	{"cohere", cohere.Provider{}, provider.Cohere, "/v2", dialect.Target{Model: "command-a-03-2025"}, []string{"a PDF", "files", bindingReasoning, tiers}},
	{"ollama", ollama.Provider{}, provider.Ollama, "/api", dialect.Target{Model: "llama3.2"},
		[]string{"images", "a PDF", "files", bindingReasoning, tiers, annotations, cacheReads}},
	{"bedrock", bedrock.Provider{}, provider.Bedrock, "", dialect.Target{Model: claudeOnBedrock}, nil},
	{"anthropic_bedrock", bedrock.Claude{}, provider.BedrockClaude, "", dialect.Target{Model: claudeOnBedrock}, nil},
	{"azure", azure.Provider{}, provider.Azure, "/openai/v1", dialect.Target{Model: "gpt-4o", Base: "/openai/v1", Strict: true}, nil},
	{"azure of old", azure.Provider{}, provider.Azure, "/openai", dialect.Target{Model: "gpt-4o", Base: "/openai", Strict: true}, nil},
	{"vertex", gemini.Provider{}, expressVertex, "/v1/publishers/google", dialect.Target{Model: "gemini-2.5-flash", Base: "/v1/publishers/google"}, nil},
	{"vertex anthropic", vertex.NewAnthropic(), expressVertexAnthropic, "/v1/publishers/anthropic", dialect.Target{Model: "claude-x"}, nil},
}

const claudeOnBedrock = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

// TestSidesHaveEveryProvider fails until a dialect that was added to the registry is
// among the sides.
func TestSidesHaveEveryProvider(t *testing.T) {
	played := map[string]bool{}
	for _, s := range sides {
		played[fmt.Sprintf("%T", s.dialect)] = true
	}
	for name, known := range registry.Providers() {
		if !played[fmt.Sprintf("%T", known)] {
			t.Errorf("no side speaks %s", name)
		}
	}
}

// named are the sides of these names.
func named(names ...string) []side {
	var found []side
	for _, s := range sides {
		if slices.Contains(names, s.name) {
			found = append(found, s)
		}
	}
	return found
}

// textual are sides whose answers tests write themselves: their streams are text.
var textual = named("openai", "anthropic", "gemini", "responses", "cohere", "ollama")

// streams is the content type of the vendor's streams, if it is one of textual.
func (s side) streams() string {
	if s.name == ollama.Name {
		return "application/x-ndjson"
	}
	return "text/event-stream"
}

// maker is whose model answers.
func (s side) maker() string {
	if s.name == "bedrock" {
		return "anthropic"
	}
	return s.dialect.Name()
}

// With a key instead of tokens.
func expressVertex(config provider.Config) *provider.Provider { return provider.Vertex(config, nil) }

func expressVertexAnthropic(config provider.Config) *provider.Provider {
	return provider.VertexAnthropic(config, nil)
}

var meta = dialect.Meta{
	ID: "gen-1787612977-AbCdEfGhIjKlMnOpQrSt", Model: "m/x", Provider: "Fake", Created: 1787612977,
	Price: func(dialect.Usage) dialect.Cost {
		return dialect.Cost{Total: "0.00042", Prompt: "0.0004", Completion: "0.00002"}
	},
}

// ask carries a client's request to a fake and the fake's answer back, as the
// gateway does, and returns what the client gets.
func (s side) ask(t *testing.T, body string, answer provider.Script) (string, dialect.Progress) {
	t.Helper()
	return s.askAs(t, openai.Client{}, body, answer)
}

// askAs is ask of a client that speaks another dialect.
func (s side) askAs(t *testing.T, client dialect.Client, body string, answer provider.Script) (string, dialect.Progress) {
	t.Helper()
	fake := s.fake(provider.Config{Key: key, Base: s.base})
	if answer != nil {
		fake.Enqueue(answer)
	}
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	target := s.target
	if request.Model != "" && request.Model != "m/x" && slices.Contains([]string{"openai", "anthropic", "responses"}, s.dialect.Name()) && !strings.HasPrefix(s.name, "anthropic_") {
		target.Model = request.Model
	}
	upstream, err := s.dialect.Request(request, target)
	if err != nil {
		t.Fatal(err)
	}
	call := httptest.NewRequest(http.MethodPost, s.base+upstream.Path, bytes.NewReader(upstream.Body))
	for _, header := range append(upstream.Headers, s.dialect.Credential(key)...) {
		call.Header.Set(header.Name, header.Value)
	}
	response := httptest.NewRecorder()
	fake.ServeHTTP(response, call)
	if response.Code != http.StatusOK {
		t.Fatalf("the fake refused with %d:\n%s\nthe request was\n%s", response.Code, response.Body, upstream.Body)
	}
	return s.carryTo(t, client, request, response, meta)
}

func (s side) carry(t *testing.T, request *dialect.Request, response *httptest.ResponseRecorder, meta dialect.Meta) (string, dialect.Progress) {
	t.Helper()
	return s.carryTo(t, openai.Client{}, request, response, meta)
}

func (s side) carryTo(t *testing.T, client dialect.Client, request *dialect.Request, response *httptest.ResponseRecorder, meta dialect.Meta) (string, dialect.Progress) {
	t.Helper()
	pipe := dialect.NewPipe(client, s.dialect, request, meta)
	var out []byte
	reader := framingOf(response.Header().Get("Content-Type"))
	if reader == nil {
		out, err := pipe.Whole(nil, response.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return string(out), pipe.Progress()
	}
	reader.Feed(response.Body.Bytes())
	for {
		event, ok, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if out, err = pipe.Event(out, event); err != nil {
			t.Fatal(err)
		}
	}
	if progress := pipe.Progress(); !progress.Done && !progress.Ending {
		t.Error("the provider said its last word and the pipe is not done")
	}
	return string(pipe.Finish(out)), pipe.Progress()
}

// message is an answer as a client puts it together, streamed or not.
type message struct {
	Content, Reasoning, Refusal string
	Signatures, Data            string
	Calls                       []call
	Finish, Native              string
	Usage                       map[string]any
}

type call struct{ ID, Name, Arguments string }

type wireMessage struct {
	Role      string
	Content   *string
	Reasoning *string
	Refusal   *string
	Details   []struct{ Type, Text, Signature, Data, Format string } `json:"reasoning_details"`
	ToolCalls []struct {
		Index    *int
		ID, Type string
		Function struct{ Name, Arguments string }
	} `json:"tool_calls"`
}

type wireAnswer struct {
	ID, Object, Model, Provider string
	Created                     int64
	Choices                     []struct {
		Message, Delta *wireMessage
		FinishReason   *string `json:"finish_reason"`
		Native         *string `json:"native_finish_reason"`
	}
	Usage map[string]any
	Error any
}

// assemble reads what a client got as strict SDKs do.
func assemble(t *testing.T, out string, stream bool) message {
	t.Helper()
	var m message
	if !stream {
		m.add(t, []byte(out), true)
		return m
	}
	if !strings.HasSuffix(out, "data: [DONE]\n\n") {
		t.Errorf("row 80: the stream does not end with [DONE]:\n%s", out)
	}
	for line := range strings.SplitSeq(out, "\n\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok && line != "" {
			t.Errorf("row 80: unexpected line %q", line)
		}
		if ok && data != "[DONE]" {
			m.add(t, []byte(data), false)
		}
	}
	return m
}

func (m *message) add(t *testing.T, data []byte, whole bool) {
	t.Helper()
	var answer wireAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	if answer.ID != meta.ID || answer.Model != meta.Model || answer.Provider != meta.Provider || answer.Created != meta.Created {
		t.Errorf("row 1: envelope of %s", data)
	}
	if answer.Error != nil || len(answer.Choices) != 1 {
		t.Fatalf("an error or no choice in %s", data)
	}
	for _, refused := range []string{`"usage":null`, `"system_fingerprint":null`, `"tool_calls":null`, `"obfuscation"`} {
		if !whole && bytes.Contains(data, []byte(refused)) {
			t.Errorf("clients refuse %s in %s", refused, data)
		}
	}
	if answer.Usage != nil {
		if m.Usage != nil {
			t.Error("row 82: usage came twice")
		}
		m.Usage = answer.Usage
	}
	choice := answer.Choices[0]
	if choice.FinishReason != nil {
		if m.Finish != "" {
			t.Error("row 84: the finish reason came twice")
		}
		m.Finish, m.Native = *choice.FinishReason, *choice.Native
	}
	said := choice.Delta
	if whole {
		said = choice.Message
	}
	if said == nil || said.Role != "assistant" {
		t.Fatalf("row 85: no role in %s", data)
	}
	m.say(t, said, whole)
}

func (m *message) say(t *testing.T, said *wireMessage, whole bool) {
	t.Helper()
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	m.Content += text(said.Content)
	m.Refusal += text(said.Refusal)
	m.Reasoning += text(said.Reasoning)
	for _, detail := range said.Details {
		m.Signatures += detail.Signature
		m.Data += detail.Data
	}
	for i, c := range said.ToolCalls {
		if whole {
			c.Index = &i
		}
		if c.Index == nil {
			t.Fatal("a tool call without index")
		}
		if *c.Index == len(m.Calls) {
			if c.ID == "" || c.Type != "function" || c.Function.Name == "" {
				t.Errorf("the first fragment of a call is %+v", c)
			}
			for _, other := range m.Calls {
				if other.ID == c.ID {
					t.Errorf("row 92: two calls have the id %q", c.ID)
				}
			}
			m.Calls = append(m.Calls, call{ID: c.ID, Name: c.Function.Name})
		} else if c.ID != "" || c.Function.Name != "" {
			t.Errorf("a later fragment repeats id or name: %+v", c)
		}
		m.Calls[*c.Index].Arguments += c.Function.Arguments
	}
}
