package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// azure adds a provider of Azure OpenAI in one of its two forms: base is "/openai/v1"
// or "/openai".
func (s *stage) azure(slug, base, deployment string, vendor func(provider.Config) *provider.Provider) *site {
	s.Helper()
	added := s.site(slug, "azure", deployment, func(config provider.Config) *provider.Provider {
		config.Base = base
		return vendor(config)
	})
	added.config["strict"] = true
	return added
}

// eachAzure runs a test against both forms.
func eachAzure(t *testing.T, test func(t *testing.T, s *stage, at *site)) {
	t.Helper()
	for name, base := range map[string]string{"v1": "/openai/v1", "classic": "/openai"} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			at, gpt := s.azure("azure", base, "my gpt", provider.Azure), s.openAI("gpt")
			embeds := s.azure("embeds", base, "my-vectors", provider.AzureEmbeddings)
			s.serve("m/azure", at)
			s.serve("m/both", at, gpt)
			s.makes("embeddings", "e/x", settings{"prompt": "1"}, embeds)
			s.start()
			test(t, s, at)
		})
	}
}

func TestAzureThroughTheSDKs(t *testing.T) {
	eachAzure(t, func(t *testing.T, s *stage, at *site) {
		client := startPython(t, "openai")
		for _, scenario := range []string{"chat", "stream", "stream_helper"} {
			seen := client.call(t, s, scenario, "m/azure")
			if seen.Error != nil || seen.Text != said || seen.Finish != "stop" || seen.Usage == nil || seen.Usage.Input != 11 || !near(seen.Usage.Cost, 25e-6) {
				t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
			}
		}
		for _, scenario := range []string{"tools", "tools_stream"} {
			at.Enqueue(provider.Answer{ToolCalls: twoCalls})
			if seen := client.call(t, s, scenario, "m/azure"); seen.Error != nil || len(seen.Calls) != 2 || seen.Calls[0].ID != twoCalls[0].ID || seen.Finish != "tool_calls" {
				t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
			}
		}
		at.Enqueue(provider.Answer{Text: "Let me see.", ToolCalls: twoCalls})
		if seen := client.call(t, s, "round_trip", "m/azure"); seen.Error != nil || seen.Text != said {
			t.Errorf("second turn: %+v, error %+v", seen, seen.Error)
		}
		for _, scenario := range []string{"embeddings", "embeddings_float"} {
			seen := client.call(t, s, scenario, "e/x")
			if seen.Error != nil || !sameVectors(seen.Vectors) || seen.Usage == nil || seen.Usage.Input != 11 {
				t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
			}
		}
		messages := startPython(t, "anthropic")
		for _, scenario := range []string{"whole", "stream"} {
			if seen := messages.call(t, s, scenario, "m/azure"); seen.Error != nil || seen.Text != said || seen.Finish != "end_turn" {
				t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
			}
		}
	})
}

// What the filter says of prompt and answer reaches those who read it, and is no chunk
// of its own, which clients that take the first choice would stumble over.
func TestAzureContentFilter(t *testing.T) {
	eachAzure(t, func(t *testing.T, s *stage, at *site) {
		whole := s.ask(question("m/azure"))
		if whole.status != 200 || !strings.Contains(whole.body, `"prompt_filter_results"`) || !strings.Contains(whole.body, `"content_filter_results"`) {
			t.Errorf("%d %s", whole.status, whole.body)
		}
		stream := s.ask(streamed("m/azure"))
		gathered := stream.transcript(t)
		if gathered.text != said || gathered.finish != "stop" || len(gathered.usage) != 1 || !gathered.done {
			t.Errorf("%+v", gathered)
		}
		if !strings.Contains(stream.body, `"content_filter_results"`) || strings.Contains(stream.body, "prompt_filter_results") {
			t.Errorf("%s", stream.body)
		}
		at.Enqueue(provider.Answer{Text: "I must", Finish: "content_filter"})
		if gathered := s.ask(streamed("m/azure")).transcript(t); gathered.finish != "content_filter" {
			t.Errorf("%+v", gathered)
		}
		at.Enqueue(provider.Failure{Status: 400, Code: "content_filter", Message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."})
		refused := s.ask(question("m/azure"))
		failed := refused.failed(t, 400)
		if !strings.Contains(failed.Message, "content management policy") || !strings.Contains(refused.body, "ResponsibleAIPolicyViolation") || !strings.Contains(refused.body, `"provider_code":"content_filter"`) {
			t.Errorf("%s", refused.body)
		}
	})
}

func TestAzureFailsOver(t *testing.T) {
	eachAzure(t, func(t *testing.T, s *stage, at *site) {
		const order = `"provider":{"order":["azure","gpt"]}`
		for name, script := range map[string]provider.Script{
			"no deployment": provider.Failure{Status: 404, Code: "DeploymentNotFound", Message: "The API deployment for this resource does not exist."},
			"another kind":  provider.Raw{Status: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"error":{"code":"OperationNotSupported","message":"The chatCompletion operation does not work with the specified model."}}`},
			"busy":          provider.Failure{Status: 429, RetryAfter: "6", Message: "Requests have exceeded call rate limit."},
			"no key":        provider.Failure{Status: 401, Code: "401", Message: "Access denied due to invalid subscription key."},
			"in a stream":   provider.Raw{Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: "data: {\"error\":{\"code\":\"internal_server_error\",\"message\":\"oops\"}}\n\n"},
		} {
			for kind, body := range map[string]string{"whole": question("m/both", order), "streamed": streamed("m/both", order)} {
				at.Reset()
				at.Enqueue(script)
				if got := s.ask(body); got.status != 200 || at.calls() != 1 || !strings.Contains(got.body, `"provider":"gpt"`) {
					t.Errorf("%s, %s: %d %s", name, kind, got.status, got.body)
				}
			}
		}
	})
}

// The version of the classic form is a setting.
func TestAzureVersion(t *testing.T) {
	s := newStage(t)
	at := s.azure("azure", "/openai", "my-gpt", provider.Azure)
	at.config["api_version"] = "2025-04-01-preview"
	s.serve("m/x", at)
	s.start()
	if got := s.ask(question("m/x")); got.status != 200 || at.last(t).Path != "/openai/deployments/my-gpt/chat/completions?api-version=2025-04-01-preview" {
		t.Errorf("%d %s at %s", got.status, got.body, at.last(t).Path)
	}
}
