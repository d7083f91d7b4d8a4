package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// openRouterSDKs are OpenRouter's own SDKs. They are generated from the API's
// schema, and refuse an answer that departs from it.
func openRouterSDKs(t *testing.T) []*sdk {
	t.Helper()
	return []*sdk{startPython(t, "openrouter"), startNode(t, "openrouter")}
}

// openRouterClients are these, and the AI SDK with OpenRouter's provider.
func openRouterClients(t *testing.T) []*sdk {
	t.Helper()
	return append(openRouterSDKs(t), startNode(t, "ai"))
}

// eachOpenRouterClient runs a test with each of them against a provider of each
// dialect.
func eachOpenRouterClient(t *testing.T, test func(t *testing.T, client *sdk, s *stage, at *site, model string)) {
	t.Helper()
	s, gpt, claude := pair(t)
	s.start()
	eachClient(t, openRouterClients(t), s, gpt, claude, test)
}

func TestOpenRouterClientsAnswers(t *testing.T) {
	eachOpenRouterClient(t, func(t *testing.T, client *sdk, s *stage, _ *site, model string) {
		for _, scenario := range []string{"chat", "stream"} {
			seen := client.call(t, s, scenario, model)
			if seen.Error != nil {
				t.Errorf("%s: %+v", scenario, *seen.Error)
				continue
			}
			if seen.Text != said || seen.Finish != "stop" || seen.Model != model {
				t.Errorf("%s: text %q, finish %q, model %q", scenario, seen.Text, seen.Finish, seen.Model)
			}
			if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
				t.Errorf("%s: usage %+v", scenario, seen.Usage)
			}
		}
	})
}

func TestOpenRouterClientsErrors(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	for _, client := range openRouterClients(t) {
		t.Run(client.name, func(t *testing.T) {
			for _, test := range []struct {
				name, key, model string
				script           provider.Script
				status           int
				class, says      string
			}{
				{name: "row 10: unknown model", key: clientKey, model: "no/such",
					status: 400, class: "BadRequestResponseError", says: "no/such is not a valid model ID"},
				{name: "row 6: bad key", key: "sk-or-v1-bad", model: "m/openai",
					status: 401, class: "UnauthorizedResponseError", says: "User not found."},
				{name: "row 89: the provider's refusal", key: clientKey, model: "m/openai",
					script: provider.Failure{Status: 422, Message: "the provider's words"},
					status: 422, class: "UnprocessableEntityResponseError", says: "the provider's words"},
				{name: "row 68: no provider is left", key: clientKey, model: "m/openai",
					script: provider.Failure{Status: 503, Message: "the provider's words"},
					status: 503, class: "ServiceUnavailableResponseError", says: "the provider's words"},
			} {
				if client.name == "ai Node" {
					test.class = "APICallError"
				}
				for _, scenario := range []string{"chat", "stream"} {
					gpt.Reset()
					if test.script != nil {
						gpt.Enqueue(test.script)
					}
					seen := client.callAs(t, s, test.key, scenario, test.model, settings{})
					if seen.Error == nil || seen.Error.Status == nil || *seen.Error.Status != test.status ||
						seen.Error.Class != test.class || !strings.Contains(seen.Error.Message, test.says) {
						t.Errorf("%s, %s: %+v", test.name, scenario, seen.Error)
					}
				}
			}
		})
	}
}

// What came before an error inside a stream is not lost, and the error is seen.
func TestRow86OpenRouterClientsSeeAMidStreamError(t *testing.T) {
	eachOpenRouterClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
		if seen := client.call(t, s, "stream", model); seen.Text != "one two" || seen.Error == nil {
			t.Errorf("text %q, error %+v", seen.Text, seen.Error)
		}
	})
}

func TestOpenRouterSDKsCatalog(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	for _, client := range openRouterSDKs(t) {
		t.Run(client.name, func(t *testing.T) {
			// Row 149.
			if seen := client.call(t, s, "models", ""); !slices.Equal(seen.Models, []string{"m/anthropic", "m/openai", "openrouter/auto", "openrouter/free"}) {
				t.Errorf("models %v, error %+v", seen.Models, seen.Error)
			}
			// Row 153.
			seen := client.call(t, s, "endpoints", "m/openai")
			if seen.ID != "m/openai" || !slices.Equal(seen.Endpoints, []string{"gpt"}) {
				t.Errorf("id %q, endpoints %v, error %+v", seen.ID, seen.Endpoints, seen.Error)
			}
			// Row 154.
			if seen := client.call(t, s, "endpoints", "no/such"); seen.Error == nil || seen.Error.Class != "NotFoundResponseError" {
				t.Errorf("endpoints of an unknown model: %+v", seen.Error)
			}
		})
	}
}
