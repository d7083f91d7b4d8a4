package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// framework is a library with which people build agents: it runs the tools itself, and
// hides the API that it calls. One program plays all that is asked of it.
type framework struct {
	name  string
	start func(t *testing.T, vendor string) *sdk
	apis  []frameworkAPI
	// habits tests what only this library does.
	habits func(t *testing.T, p played)
}

// frameworkAPI is one of the APIs that a framework can call.
type frameworkAPI struct {
	name string
	// parses are its ways to structured output: "schema", "tool", "stream".
	parses []string
	// cost: the library hands on what the gateway says of it.
	cost bool
	// classes are those of its errors by status.
	classes map[int]string
	// unseen: an error inside a stream is told by the finish reason alone.
	unseen bool
	// repeats: what the provider itself has failed at is asked again, whatever the
	// library is told.
	repeats bool
}

var (
	vendorsErrors = map[int]string{
		400: "BadRequestError", 401: "AuthenticationError", 429: "RateLimitError", 502: "InternalServerError",
	}
	// langChainsErrors are of its class for OpenAI.
	langChainsErrors = map[int]string{
		400: "OpenAIInvalidRequestError", 401: "OpenAIAuthenticationError", 429: "OpenAIRateLimitError", 502: "OpenAIAPIError",
	}
	langChainsAnthropicErrors = map[int]string{
		400: "AnthropicInvalidRequestError", 401: "AnthropicAuthenticationError", 429: "AnthropicRateLimitError", 502: "AnthropicAPIError",
	}
	liteLLMsErrors = map[int]string{
		400: "BadRequestError", 401: "AuthenticationError", 429: "RateLimitError", 502: "BadGatewayError",
	}
	bothWays = []string{"schema", "tool"}
)

var frameworks = []framework{
	{"langchain", startPython, []frameworkAPI{
		{name: "chat", parses: bothWays, classes: langChainsErrors},
		{name: "responses", parses: bothWays, classes: langChainsErrors},
		{name: "messages", parses: bothWays, classes: langChainsAnthropicErrors},
	}, langChainHabits},
	{"pydantic_ai", startPython, []frameworkAPI{
		{name: "chat", parses: bothWays},
		{name: "openrouter", parses: bothWays, cost: true},
		{name: "responses", parses: bothWays},
		{name: "messages", parses: []string{"tool"}},
	}, pydanticAIHabits},
	{"agents", startPython, []frameworkAPI{
		{name: "chat", parses: []string{"schema"}, classes: vendorsErrors},
		{name: "responses", parses: []string{"schema"}, classes: vendorsErrors},
	}, agentsHabits},
	{"llama_index", startOlderPython, []frameworkAPI{
		{name: "chat", parses: bothWays, classes: vendorsErrors},
		{name: "openrouter", parses: bothWays, classes: vendorsErrors},
	}, llamaIndexHabits},
	{"langchain_openrouter", startOlderPython, []frameworkAPI{
		{name: "openrouter", parses: bothWays, unseen: true, repeats: true},
	}, nil},
	{"litellm", startOlderPython, []frameworkAPI{
		{name: "chat", parses: []string{"schema"}, classes: liteLLMsErrors, cost: true},
		{name: "openrouter", parses: []string{"schema"}, cost: true},
		{name: "messages", parses: []string{"schema"}, classes: liteLLMsErrors},
	}, liteLLMHabits},
	{"ai_vendors", startNode, []frameworkAPI{
		{name: "chat", parses: []string{"schema", "stream"}, unseen: true},
		{name: "responses", parses: []string{"schema", "stream"}},
		{name: "messages", parses: []string{"schema", "stream"}},
		{name: "google", parses: []string{"schema", "stream"}},
		{name: "openrouter", parses: []string{"schema", "stream"}},
	}, aiSDKHabits},
}

// quartet adds a provider of each vendor, and a model at each whose id says who made it,
// as frameworks look there for what the model can do.
func (s *stage) quartet(name string) map[string]*site {
	s.Helper()
	slug := strings.ReplaceAll(name, "_", "-")
	behind := map[string]*site{
		"openai/gpt-4o-mini-" + slug:            s.openAI(slug + "-gpt"),
		"anthropic/claude-sonnet-4-5-" + slug:   s.anthropic(slug + "-claude"),
		"google/gemini-3-flash-preview-" + slug: s.gemini(slug + "-google"),
		"qwen/qwen3.5-35b-" + slug:              s.converse(slug+"-bedrock", awsKey),
	}
	for model, at := range behind {
		s.serve(model, at)
		s.models[model].(settings)["input_modalities"] = []any{"text", "image"}
	}
	return behind
}

// TestFrameworks plays everything with every framework, all at the same time on one
// gateway, each with providers of its own.
func TestFrameworks(t *testing.T) {
	s := newStage(t)
	behind := make([]map[string]*site, len(frameworks))
	for i, library := range frameworks {
		behind[i] = s.quartet(library.name)
	}
	s.makes("embeddings", embeddingModel, settings{"prompt": "1"}, s.embedder("embeds"))
	s.start()
	for i, library := range frameworks {
		t.Run(library.name, func(t *testing.T) {
			t.Parallel()
			p := played{client: library.start(t, library.name), stage: s, behind: behind[i]}
			for _, p.api = range library.apis {
				for p.model, p.at = range behind[i] {
					p.client.api = p.api.name
					t.Run(p.api.name+" "+p.model, p.all)
				}
			}
			if library.habits != nil {
				t.Run("habits", func(t *testing.T) { library.habits(t, p) })
			}
		})
	}
}

// played is one framework that calls one API for a model at one provider.
type played struct {
	client *sdk
	stage  *stage
	behind map[string]*site
	at     *site
	model  string
	api    frameworkAPI
}

// with is the same framework with another of its APIs, and the model of a vendor.
func (p played) with(api, vendor string) played {
	p.client.api = api
	for model, at := range p.behind {
		if strings.HasPrefix(model, vendor+"/") {
			p.model, p.at = model, at
		}
	}
	p.at.Reset()
	return p
}

func (p played) all(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"answers":           p.answers,
		"tools":             p.tools,
		"structured output": p.structuredOutput,
		"image":             p.image,
		"errors":            p.errors,
		"mid-stream error":  p.midStreamError,
	} {
		p.at.Reset()
		t.Run(name, test)
	}
}

// play plays a scenario that must succeed.
func (p played) play(t *testing.T, scenario string) observed {
	t.Helper()
	return p.playWith(t, scenario, settings{})
}

// playWith does so with what else the library is told.
func (p played) playWith(t *testing.T, scenario string, members settings) observed {
	t.Helper()
	seen := p.client.callWith(t, p.stage, scenario, p.model, members)
	if seen.Error != nil {
		t.Fatalf("%s: %+v", scenario, *seen.Error)
	}
	return seen
}

// sent is the last request at the provider, in which nothing is escaped that need not be.
func (p played) sent(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(p.at.last(t).JSON)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (p played) answers(t *testing.T) {
	for _, scenario := range []string{"chat", "stream"} {
		seen := p.play(t, scenario)
		if seen.Text != said {
			t.Errorf("%s: text %q", scenario, seen.Text)
		}
		if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || p.api.cost && !near(seen.Usage.Cost, 25e-6) {
			t.Errorf("%s: usage %+v", scenario, seen.Usage)
		}
	}
}

// tools has the framework run two calls at once, and sends back what it made of the
// answer.
func (p played) tools(t *testing.T) {
	for _, scenario := range []string{"loop", "loop_stream"} {
		p.at.Reset()
		p.at.Enqueue(provider.Answer{Text: "Let me see.", ToolCalls: twoCalls})
		seen := p.play(t, scenario)
		if !strings.HasSuffix(seen.Text, said) || len(seen.Calls) != 2 {
			t.Errorf("%s: %+v", scenario, seen)
			continue
		}
		for i, city := range []string{"Köln", "Oslo"} {
			if got := seen.Calls[i]; got.Name != "weather" || got.Arguments != city {
				t.Errorf("%s: call %d is %+v", scenario, i, got)
			}
			if sent := p.sent(t); !strings.Contains(sent, "Sunny in "+city) {
				t.Errorf("%s: the result for %s is missing in %s", scenario, city, sent)
			}
		}
	}
}

func (p played) structuredOutput(t *testing.T) {
	const city = `{"name":"Köln","inhabitants":1000000}`
	answers := map[string]provider.Answer{
		"schema": {Text: city},
		"stream": {Text: city},
		"tool":   {ToolCalls: []provider.ToolCall{{Name: "City", Arguments: city}}},
	}
	for _, way := range p.api.parses {
		p.at.Enqueue(answers[way])
		if seen := p.play(t, "parse_"+way); seen.Parsed == nil || seen.Parsed.Name != "Köln" || seen.Parsed.Inhabitants != 1000000 {
			t.Errorf("%s: %+v", way, seen)
		}
		if sent := p.sent(t); !strings.Contains(sent, "inhabitants") {
			t.Errorf("%s: the schema is missing in %s", way, sent)
		}
	}
}

func (p played) image(t *testing.T) {
	if seen := p.play(t, "image"); seen.Text != said {
		t.Errorf("%+v", seen)
	}
	if sent := p.sent(t); !strings.Contains(sent, "iVBORw0KGgo") {
		t.Errorf("the image is missing in %s", sent)
	}
}

func (p played) errors(t *testing.T) {
	for _, scenario := range []string{"chat", "stream"} {
		for _, status := range []int{400, 401, 429, 502} {
			key, words, wait := clientKey, "no luck today", ""
			switch status {
			case 401:
				key, words = "sk-or-v1-bad", "User not found."
			case 429:
				wait = "7"
				fallthrough
			default:
				p.at.Enqueue(provider.Failure{Status: status, Message: words, RetryAfter: wait})
			}
			if status == 502 && p.api.repeats {
				p.play(t, scenario)
				continue
			}
			seen := p.client.callAs(t, p.stage, key, scenario, p.model, settings{})
			if seen.Error == nil || seen.Error.Status == nil || *seen.Error.Status != status {
				t.Errorf("%s, %d: %+v", scenario, status, seen.Error)
				continue
			}
			if class := p.api.classes[status]; class != "" && seen.Error.Class != class {
				t.Errorf("%s, %d: class %q", scenario, status, seen.Error.Class)
			}
			if !strings.Contains(seen.Error.Message, words) || seen.Error.RetryAfter != wait {
				t.Errorf("%s, %d: message %q, retry after %q", scenario, status, seen.Error.Message, seen.Error.RetryAfter)
			}
		}
	}
}

// midStreamError: what came before it is not lost, and the error is seen.
func (p played) midStreamError(t *testing.T) {
	p.at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
	seen := p.client.call(t, p.stage, "stream", p.model)
	if seen.Text != "one two" || seen.Error == nil && !(p.api.unseen && seen.Finish == "error") {
		t.Errorf("text %q, finish %q, error %+v", seen.Text, seen.Finish, seen.Error)
	}
}
