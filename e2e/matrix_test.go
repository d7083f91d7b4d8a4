package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
)

// vendors adds a fake for each provider dialect, by its name in the registry.
func vendors(s *stage) map[string]*site {
	tokens := s.googleTokens(time.Hour)
	return map[string]*site{
		"anthropic":         s.anthropic("anthropic"),
		"anthropic_bedrock": s.invoke("anthropic-bedrock", awsKey),
		"anthropic_vertex":  s.vertexAnthropic("anthropic-vertex", tokens),
		"azure":             s.azure("azure", "/openai/v1", "gpt-5 of ours", provider.Azure),
		"bedrock":           s.converse("bedrock", awsKey),
		"cohere":            s.cohere("cohere", "command-a-03-2025"),
		"gemini":            s.gemini("gemini"),
		"ollama":            s.ollama("ollama", "llama3.2"),
		"openai":            s.site("openai", "openai", "gpt-5-mini", provider.OpenAI), // starts from the preset
		"openai_responses":  s.responder("openai-responses"),
	}
}

// scenarios are what every client and every provider have to get through together.
var scenarios = map[string]func(p *pairing) error{
	"text": func(p *pairing) error {
		h, err := p.whole(asked{})
		return errors.Join(err, p.finished(h))
	},
	"stream": func(p *pairing) error {
		h, err := p.streamed(asked{stream: true})
		return errors.Join(err, p.finished(h))
	},
	"tools": func(p *pairing) error {
		p.at.Enqueue(provider.Answer{Text: "Let me see.", ToolCalls: twoCalls})
		h, err := p.whole(asked{tools: true})
		if err = errors.Join(err, called(h)); err != nil {
			return err
		}
		h, err = p.whole(asked{tools: true, history: h.turn + p.client.results(h)})
		return errors.Join(err, p.finished(h), p.got("sunny in Köln", "wet in Oslo"))
	},
	"streamed tools": func(p *pairing) error {
		p.at.Enqueue(provider.Answer{ToolCalls: twoCalls})
		h, err := p.streamed(asked{stream: true, tools: true})
		return errors.Join(err, called(h))
	},
	"structured output": func(p *pairing) error {
		p.at.Enqueue(provider.Answer{Text: `{"inhabitants":1000000}`})
		h, err := p.whole(asked{schema: true})
		return errors.Join(err, mustBe(h.text, `{"inhabitants":1000000}`), p.got("inhabitants"))
	},
	"image": func(p *pairing) error {
		h, err := p.whole(asked{image: true})
		return errors.Join(err, p.finished(h), p.got(matrixImage))
	},
	"reasoning": func(p *pairing) error {
		p.at.Enqueue(provider.Answer{Reasoning: "hm so", Text: "yes"})
		h, err := p.whole(asked{think: true})
		return errors.Join(err, mustBe(h.thought, "hm so"), mustBe(h.text, "yes"))
	},
	"streamed reasoning": func(p *pairing) error {
		p.at.Enqueue(provider.Answer{Reasoning: "hm so", Text: "yes"})
		h, err := p.streamed(asked{stream: true, think: true})
		return errors.Join(err, mustBe(h.thought, "hm so"), mustBe(h.text, "yes"))
	},
	"reasoning returned": func(p *pairing) error {
		p.at.Enqueue(provider.Answer{Reasoning: "hm so", ToolCalls: twoCalls})
		h, err := p.whole(asked{think: true, tools: true})
		if err = errors.Join(err, called(h)); err != nil {
			return err
		}
		h, err = p.whole(asked{think: true, tools: true, history: h.turn + p.client.results(h)})
		return errors.Join(err, p.finished(h), p.got(p.proof()))
	},
	"error": func(p *pairing) error {
		p.at.Enqueue(provider.Failure{Status: 429, Message: "the vendor's words", RetryAfter: "7"})
		path, body := p.client.ask(p.model, asked{})
		got := p.s.do(http.MethodPost, path, body)
		var decoded any
		err := json.Unmarshal([]byte(got.body), &decoded)
		if message := p.client.failure(decoded); got.status != 429 || !strings.Contains(message, "the vendor's words") {
			err = errors.Join(err, fmt.Errorf("status %d: %s", got.status, got.body))
		}
		return errors.Join(err, mustBe(got.header.Get("Retry-After"), "7"))
	},
	"error in a stream": func(p *pairing) error {
		p.at.Enqueue(provider.Stream{
			Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError,
			Error: provider.Failure{Status: 503, Message: "the vendor broke off"},
		})
		h, err := p.streamed(asked{stream: true})
		if !strings.Contains(h.failed, "the vendor broke off") {
			err = errors.Join(err, fmt.Errorf("the error says %q", h.failed))
		}
		return errors.Join(err, mustBe(h.text, "one two"))
	},
}

const noWords = "the legacy API has a prompt and a text, and no words for anything else"

// impossible are the pairs that cannot, with the reason. An empty name stands for all.
var impossible = []struct{ client, vendor, scenario, reason string }{
	{"", "openai", "reasoning returned", "OpenAI's Chat Completions takes no reasoning back"},
	{"", "azure", "reasoning returned", "Azure's Chat Completions takes no reasoning back"},
	{"completions", "", "image", noWords},
	{"completions", "", "reasoning", noWords},
	{"completions", "", "reasoning returned", noWords},
	{"completions", "", "streamed reasoning", noWords},
	{"completions", "", "streamed tools", noWords},
	{"completions", "", "structured output", noWords},
	{"completions", "", "tools", noWords},
}

// pairing is one client and one provider.
type pairing struct {
	s      *stage
	name   string // of the provider's dialect
	at     *site
	model  string
	client speaker
}

func (p *pairing) whole(a asked) (heard, error) {
	path, body := p.client.ask(p.model, a)
	got := p.s.do(http.MethodPost, path, body)
	if kind := got.header.Get("Content-Type"); got.status != http.StatusOK || !strings.HasPrefix(kind, "application/json") {
		return heard{}, fmt.Errorf("status %d, %q: %s", got.status, kind, got.body)
	}
	var decoded any
	if err := json.Unmarshal([]byte(got.body), &decoded); err != nil {
		return heard{}, err
	}
	h, err := p.client.whole(decoded)
	if err != nil {
		err = fmt.Errorf("%w in %s", err, got.body)
	}
	return h, err
}

func (p *pairing) streamed(a asked) (heard, error) {
	path, body := p.client.ask(p.model, a)
	got := p.s.do(http.MethodPost, path, body)
	if kind := got.header.Get("Content-Type"); got.status != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		return heard{}, fmt.Errorf("status %d, %q: %s", got.status, kind, got.body)
	}
	events, err := readEvents(got.body)
	if err != nil {
		return heard{}, err
	}
	h, err := p.client.stream(events)
	if err != nil {
		err = fmt.Errorf("%w in %s", err, got.body)
	}
	return h, err
}

// finished holds an answer to what every fake says unless it is told otherwise.
func (p *pairing) finished(h heard) error {
	err := mustBe(h.text, said)
	switch h.finish {
	case "stop", "end_turn", "completed", "STOP":
	default:
		err = errors.Join(err, fmt.Errorf("it ended with %q", h.finish))
	}
	if h.input != 11 || h.output != 7 {
		err = errors.Join(err, fmt.Errorf("usage is %v and %v", h.input, h.output))
	}
	return err
}

// called holds an answer to twoCalls.
func called(h heard) error {
	if len(h.calls) != len(twoCalls) {
		return fmt.Errorf("calls are %+v", h.calls)
	}
	var err error
	for i, want := range twoCalls {
		got := h.calls[i]
		if got.id == "" || got.name != want.Name || got.arguments != want.Arguments {
			err = errors.Join(err, fmt.Errorf("call %d is %+v", i, got))
		}
	}
	return err
}

// got looks for words in the provider's last request.
func (p *pairing) got(words ...string) error {
	all := p.at.Exchanges()
	if len(all) == 0 {
		return errors.New("the provider was not asked")
	}
	var err error
	for _, word := range words {
		if sent := string(all[len(all)-1].Body); !strings.Contains(sent, word) {
			err = errors.Join(err, fmt.Errorf("no %q in %s", word, sent))
		}
	}
	return err
}

// proof is what a provider's next request has of the thought "hm so".
func (p *pairing) proof() string {
	switch p.name {
	case "openai_responses":
		return provider.Encrypted(p.at.model)
	case "gemini":
		return provider.Signature(`weather{"city":"Köln"}`) // of the call
	case "cohere", "ollama", "openai", "azure":
		return "hm so"
	}
	return provider.Signature("hm so")
}

// TestMatrix takes every client dialect to every provider dialect, by one gateway.
func TestMatrix(t *testing.T) {
	s := newStage(t)
	all := serveVendors(s)
	s.start()
	eachPairing(t, s, all, func(*testing.T, string, *pairing) {})
}

// serveVendors has each vendor's fake serve a model of its own.
func serveVendors(s *stage) map[string]*site {
	all := vendors(s)
	for name, at := range all {
		s.serve("m/"+name, at)
		s.models["m/"+name].(settings)["input_modalities"] = []any{"text", "image"}
	}
	return all
}

// eachPairing plays all scenarios with every client at every provider, and then more.
func eachPairing(t *testing.T, s *stage, all map[string]*site, more func(t *testing.T, client string, p *pairing)) {
	t.Run("pairs", func(t *testing.T) {
		for name, at := range all {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, client := range slices.Sorted(maps.Keys(speakers)) {
					p := &pairing{s: s, name: name, at: at, model: "m/" + name, client: speakers[client]}
					for _, scenario := range slices.Sorted(maps.Keys(scenarios)) {
						p.try(t, client, scenario)
					}
					more(t, client, p)
				}
			})
		}
	})
}

// try plays a scenario. One that is listed as impossible has to fail.
func (p *pairing) try(t *testing.T, client, scenario string) {
	t.Helper()
	p.at.Reset()
	err := scenarios[scenario](p)
	if refused := p.at.Violations(); len(refused) > 0 {
		err = errors.Join(err, fmt.Errorf("the provider refused: %q", refused))
	}
	p.at.Reset()
	reason := reasonAgainst(client, p.name, scenario)
	switch {
	case reason == "" && err != nil:
		t.Errorf("%s, %s, %s: %v", client, p.name, scenario, err)
	case reason != "" && err == nil:
		t.Errorf("%s, %s, %s works: it is no longer impossible because %s", client, p.name, scenario, reason)
	}
}

func reasonAgainst(client, vendor, scenario string) string {
	for _, listed := range impossible {
		if (listed.client == "" || listed.client == client) && (listed.vendor == "" || listed.vendor == vendor) && (listed.scenario == "" || listed.scenario == scenario) {
			return listed.reason
		}
	}
	return ""
}

// TestMatrixIsWhole fails until a dialect that was added to the registry is in the
// matrix.
func TestMatrixIsWhole(t *testing.T) {
	if got, want := slices.Sorted(maps.Keys(vendors(newStage(t)))), slices.Sorted(maps.Keys(registry.Providers())); !slices.Equal(got, want) {
		t.Errorf("the matrix has the providers %v, the registry %v", got, want)
	}
	var paths []string
	for _, client := range speakers {
		paths = append(paths, client.paths...)
	}
	for _, task := range matrixTasks {
		paths = append(paths, task.paths...)
	}
	slices.Sort(paths)
	if diff := cmp.Diff(registry.Clients().Paths(), paths); diff != "" {
		t.Errorf("clients (-registry +matrix):\n%s", diff)
	}
}
