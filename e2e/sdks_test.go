package e2e

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// vendorSDK is a vendor's own SDK, with its words for what all of them are asked.
type vendorSDK struct {
	name, vendor string

	start func(t *testing.T, vendor string) *sdk
	// plain and tools are scenarios: first whole, then streamed.
	plain, tools [2]string
	// parse and image are scenarios, "" where the program has none.
	parse, image string
	// stopped and called are the reasons for which an answer ends.
	stopped, called string
	// cost: the answer has what the gateway says of it.
	cost bool
	// classes are those of its errors by status.
	classes map[int]string
}

var (
	openAIsErrors = map[int]string{
		400: "BadRequestError", 401: "AuthenticationError", 422: "UnprocessableEntityError", 429: "RateLimitError", 503: "InternalServerError",
	}
	anthropicsErrors = map[int]string{
		400: "BadRequestError", 401: "AuthenticationError", 422: "UnprocessableEntityError", 429: "RateLimitError", 503: "ServiceUnavailableError",
	}
	googlesErrors = map[int]string{
		400: "ClientError", 401: "ClientError", 422: "ClientError", 429: "ClientError", 503: "ServerError",
	}
	openRoutersErrors = map[int]string{
		400: "BadRequestResponseError", 401: "UnauthorizedResponseError", 422: "UnprocessableEntityResponseError",
		429: "TooManyRequestsResponseError", 503: "ServiceUnavailableResponseError",
	}
	callScenarios = [2]string{"tools", "tools_stream"}
)

// vendorSDKs and [frameworks] are all the clients, and [stage.quartet] all the vendors:
// every client is played with every vendor behind it.
var vendorSDKs = []vendorSDK{
	{"openai", "openai", startPython, [2]string{"chat", "stream"}, callScenarios, "parse", "image", "stop", "tool_calls", true, openAIsErrors},
	{"openai-node", "openai", startNode, [2]string{"chat", "stream"}, callScenarios, "parse", "image", "stop", "tool_calls", true, openAIsErrors},
	{"anthropic", "anthropic", startPython, [2]string{"whole", "stream"}, callScenarios, "parse", "image", "end_turn", "tool_use", true, anthropicsErrors},
	{"anthropic-node", "anthropic", startNode, [2]string{"whole", "stream"}, callScenarios, "parse", "image", "end_turn", "tool_use", true, anthropicsErrors},
	{"google", "google", startPython, [2]string{"whole", "stream"}, callScenarios, "parse", "image", "STOP", "STOP", false, googlesErrors},
	{"openrouter", "openrouter", startPython, [2]string{"chat", "stream"}, callScenarios, "", "", "stop", "tool_calls", true, openRoutersErrors},
	{"openrouter-node", "openrouter", startNode, [2]string{"chat", "stream"}, callScenarios, "", "", "stop", "tool_calls", true, openRoutersErrors},
}

// TestVendorSDKs plays everything with every SDK and every vendor, all SDKs at the same
// time on one gateway, each with providers of its own.
func TestVendorSDKs(t *testing.T) {
	s := newStage(t)
	behind := make([]map[string]*site, len(vendorSDKs))
	for i, library := range vendorSDKs {
		behind[i] = s.quartet(library.name)
	}
	s.start()
	for i, library := range vendorSDKs {
		t.Run(library.name, func(t *testing.T) {
			t.Parallel()
			c := vendorClient{vendorSDK: library, client: library.start(t, library.vendor), stage: s}
			for c.model, c.at = range behind[i] {
				t.Run(c.model, c.all)
			}
		})
	}
}

// vendorClient is an SDK that asks for the model of one vendor.
type vendorClient struct {
	vendorSDK
	client *sdk
	stage  *stage
	at     *site
	model  string
}

func (c vendorClient) all(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"answers":           c.answers,
		"tools":             c.calls,
		"structured output": c.structuredOutput,
		"errors":            c.errors,
		"mid-stream error":  c.midStreamError,
	} {
		c.at.Reset()
		t.Run(name, test)
	}
}

func (c vendorClient) play(t *testing.T, scenario string) observed {
	t.Helper()
	seen := c.client.call(t, c.stage, scenario, c.model)
	if seen.Error != nil {
		t.Fatalf("%s: %+v", scenario, *seen.Error)
	}
	return seen
}

func (c vendorClient) answers(t *testing.T) {
	for _, scenario := range []string{c.plain[0], c.plain[1], c.image} {
		if scenario == "" {
			continue
		}
		seen := c.play(t, scenario)
		if seen.Text != said || seen.Finish != c.stopped || seen.Model != c.model {
			t.Errorf("%s: text %q, finish %q, model %q", scenario, seen.Text, seen.Finish, seen.Model)
		}
		if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || c.cost && !near(seen.Usage.Cost, 25e-6) {
			t.Errorf("%s: usage %+v", scenario, seen.Usage)
		}
		if sent := string(c.at.last(t).Body); strings.Contains(sent, "iVBORw0KGgo") != (scenario == c.image) {
			t.Errorf("%s: %s", scenario, sent)
		}
	}
}

func (c vendorClient) calls(t *testing.T) {
	for _, scenario := range c.tools {
		c.at.Enqueue(provider.Answer{ToolCalls: twoCalls})
		seen := c.play(t, scenario)
		if len(seen.Calls) != 2 || seen.Finish != c.called {
			t.Errorf("%s: %+v", scenario, seen)
			continue
		}
		for i, want := range twoCalls {
			got := seen.Calls[i]
			if got.ID != want.ID || got.Name != want.Name || strings.ReplaceAll(got.Arguments, " ", "") != want.Arguments {
				t.Errorf("%s: call %d is %+v, want %+v", scenario, i, got, want)
			}
		}
	}
}

func (c vendorClient) structuredOutput(t *testing.T) {
	if c.parse == "" {
		return
	}
	c.at.Enqueue(provider.Answer{Text: `{"name":"Köln","inhabitants":1000000}`})
	if seen := c.play(t, c.parse); seen.Parsed == nil || seen.Parsed.Name != "Köln" || seen.Parsed.Inhabitants != 1000000 {
		t.Errorf("%+v", seen)
	}
	if sent := string(c.at.last(t).Body); !strings.Contains(sent, "inhabitants") {
		t.Errorf("the schema is missing in %s", sent)
	}
}

func (c vendorClient) errors(t *testing.T) {
	for status, class := range c.classes {
		for _, scenario := range c.plain {
			key, words := clientKey, "the vendor's words"
			if status == 401 {
				key, words = "sk-or-v1-bad", "User not found."
			} else {
				c.at.Enqueue(provider.Failure{Status: status, Message: words})
			}
			seen := c.client.callAs(t, c.stage, key, scenario, c.model, settings{})
			if seen.Error == nil || seen.Error.Class != class || seen.Error.Status == nil || *seen.Error.Status != status || !strings.Contains(seen.Error.Message, words) {
				t.Errorf("%s, %d: %+v", scenario, status, seen.Error)
			}
		}
	}
}

// midStreamError: what came before it is not lost, and the error is seen.
func (c vendorClient) midStreamError(t *testing.T) {
	c.at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
	if seen := c.client.call(t, c.stage, c.plain[1], c.model); seen.Text != "one two" || seen.Error == nil {
		t.Errorf("text %q, error %+v", seen.Text, seen.Error)
	}
}
