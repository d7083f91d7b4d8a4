package extproc

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/routing"
)

// bounds is what a request to the first endpoint of the tests can come to.
func (g *gateway) bounds(client dialect.Client, body string) bound {
	g.t.Helper()
	request, err := Parse(client, []byte(body), nil)
	if err != nil {
		g.t.Fatalf("%.200s: %v", body, err)
	}
	model, _ := g.Policy().Catalog.Configured("m/x")
	candidate := routing.Candidate{Model: model, Endpoint: model.Endpoints[0]}
	a := &attempt{Server: g.Server, request: request, policy: g.Policy(), client: client, started: time.Now()}
	return a.boundOf(&candidate)
}

func reading(tokens int64) func(*configpb.Config, *Policy) {
	return func(cfg *configpb.Config, _ *Policy) {
		for _, endpoint := range cfg.Models["m/x"].Endpoints {
			endpoint.ContextLength = tokens
		}
	}
}

// A token for each byte, also where an image is beside the text: its data alone is none.
func TestNothingThatIsReadIsTakenForAnImage(t *testing.T) {
	g := newGateway(t, onlyA, reading(10_000_000))
	long := strings.Repeat("z ", 100_000)
	const (
		url    = `{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`
		head   = `{"model":"m/x","max_tokens":100,`
		shown  = `{"role":"user","content":[{"type":"text","text":"hello"},` + url + `]}`
		prompt = head + `"messages":[` + shown
	)
	for name, body := range map[string]string{
		"schema":                   head + `"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","description":"` + long + `"}}},"messages":[` + shown + `]}`,
		"reasoning":                prompt + `,{"role":"assistant","content":"x","reasoning":"` + long + `"},{"role":"user","content":"go"}]}`,
		"reasoning_content":        prompt + `,{"role":"assistant","content":"x","reasoning_content":"` + long + `"},{"role":"user","content":"go"}]}`,
		"refusal":                  prompt + `,{"role":"assistant","refusal":"` + long + `"},{"role":"user","content":"go"}]}`,
		"arguments":                prompt + `,{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"` + long + `"}}]},{"role":"tool","tool_call_id":"a","content":"go"}]}`,
		"messages":                 prompt + strings.Repeat(`,{"role":"user","content":""}`, 3000) + `]}`,
		"a URL's own words":        head + `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/` + long + `"}}]}]}`,
		"text that looks like one": head + `"messages":[{"role":"user","content":[{"type":"text","text":"data:image/png;base64,` + long + `"},` + url + `]}]}`,
	} {
		if got, least := g.bounds(openai.Client{}, body).prompt, int64(len(body)); got < least {
			t.Errorf("%s: %d tokens are reserved, and %d bytes sent", name, got, least)
		}
	}
}

func TestDataOfImagesIsNoText(t *testing.T) {
	g := newGateway(t, onlyA, reading(10_000_000))
	data := strings.Repeat("AAAA", 100_000)
	gemini := gemini.Client{}
	for _, test := range []struct {
		name   string
		client dialect.Client
		body   string
		images int64
	}{
		{"chat", openai.Client{}, `{"model":"m/x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + data + `"}}]}]}`, 1},
		{"a string", openai.Client{}, `{"model":"m/x","messages":[{"role":"user","content":[{"type":"image_url","image_url":"data:image/png;base64,` + data + `"}]}]}`, 1},
		{"two", openai.Client{}, `{"model":"m/x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + data + `"}},{"type":"image_url","image_url":{"url":"https://example.com/"}}]}]}`, 2},
		{"messages", anthropic.Client{}, `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + data + `"}}]}]}`, 1},
		{"shown by a tool", anthropic.Client{}, `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + data + `"}}]}]}]}`, 1},
		{"responses", responses.Client{}, `{"model":"m/x","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,` + data + `"}]}]}`, 1},
		{"an output", responses.Client{}, `{"model":"m/x","input":[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_image","image_url":"data:image/png;base64,` + data + `"}]}]}`, 1},
		{"contents", gemini, `{"model":"m/x","contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"` + data + `"}}]}]}`, 1},
		{"a response", gemini, `{"model":"m/x","contents":[{"parts":[{"functionResponse":{"name":"f","response":{},"parts":[{"inlineData":{"mimeType":"image/png","data":"` + data + `"}}]}}]}]}`, 1},
	} {
		most := int64(len(test.body)-len(data)) + templateTokens + test.images*imageTokens
		if got := g.bounds(test.client, test.body).prompt; got < test.images*imageTokens || got > most {
			t.Errorf("%s: %d tokens are reserved, want at most %d", test.name, got, most)
		}
	}
}

// Rerankers that are billed by tokens (Jina, Voyage) count the query once for each
// document.
func TestTheQueryIsReservedForEachDocument(t *testing.T) {
	g := newGateway(t, onlyA)
	query := strings.Repeat("q ", 500)
	const document = "a document"
	for _, documents := range []int{1, 2, 1000} {
		list := strings.Repeat(`,"`+document+`"`, documents)[1:]
		most := int64(documents * (len(query) + len(document)))
		if got := g.bounds(openai.Rerank{}, `{"model":"m/x","query":"`+query+`","documents":[`+list+`]}`).prompt; got < most {
			t.Errorf("%d documents: %d tokens are reserved, want at least %d", documents, got, most)
		}
	}
}

// A bound that the provider is not told of bounds nothing.
func TestOnlyABoundThatIsSentIsReserved(t *testing.T) {
	const body = `{"model":"m/x","max_tokens":5,"messages":[{"role":"user","content":"hello"}]}`
	for name, test := range map[string]struct {
		change func(*configpb.Config, *Policy)
		want   int64
	}{
		"sent":            {func(*configpb.Config, *Policy) {}, 5},
		"one name of two": {func(cfg *configpb.Config, _ *Policy) { cfg.Providers["a"].RefusedFields = []string{"max_tokens"} }, 5},
		"left out": {func(cfg *configpb.Config, _ *Policy) {
			cfg.Providers["a"].RefusedFields = []string{"max_tokens", "max_completion_tokens"}
		}, 1000},
		"not supported": {func(cfg *configpb.Config, _ *Policy) {
			cfg.Models["m/x"].Endpoints[0].SupportedParameters = []string{"temperature"}
		}, 1000},
		"raised": {func(cfg *configpb.Config, _ *Policy) {
			cfg.Providers["a"].Dialect = configpb.Dialect_DIALECT_OPENAI_RESPONSES
		}, 16},
	} {
		g := newGateway(t, onlyA, bounding, test.change)
		g.Providers["openai_responses"] = responses.Provider{}
		if got := g.bounds(openai.Client{}, body).completion; got != test.want {
			t.Errorf("%s: %d tokens are reserved for the answer, want %d", name, got, test.want)
		}
	}
}

// Tokens of images and sounds may have prices of their own, whatever they come in.
func TestTokensOfMediaAreReservedAtTheirPrice(t *testing.T) {
	priced := func(cfg *configpb.Config, _ *Policy) {
		cfg.Models["m/x"].Endpoints[0].Prices = &configpb.Prices{Prompt: "1", ImageToken: "8", Audio: "9"}
	}
	g := newGateway(t, onlyA, bounding, reading(100_000), priced)
	for content, want := range map[string]money.USD{
		`{"type":"text","text":"a"}`:                                          1_000_000,
		`{"type":"image_url","image_url":{"url":"https://example.com/"}}`:     8_000_000,
		`{"type":"file","file":{"file_data":"https://example.com/"}}`:         8_000_000,
		`{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}`: 9_000_000,
		`{"type":"video_url","video_url":{"url":"https://example.com/"}}`:     9_000_000,
	} {
		body := `{"model":"m/x","messages":[{"role":"user","content":[` + content + `]}]}`
		if got := g.bounds(openai.Client{}, body).ceiling.Prompt; got != want {
			t.Errorf("%s: a token is reserved at %d picodollars, want %d", content, got, want)
		}
	}
}
