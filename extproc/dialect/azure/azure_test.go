package azure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

func TestPath(t *testing.T) {
	const (
		chat  = `{"model":"m/x","messages":[{"role":"user","content":"hi"}]}`
		embed = `{"model":"m/x","input":"hi"}`
	)
	for _, test := range []struct {
		client              dialect.Client
		body, base, version string
		want                string
	}{
		{openai.Client{}, chat, "/openai/v1", "", "/chat/completions"},
		{openai.Client{}, chat, "/openai/v1", "preview", "/chat/completions?api-version=preview"},
		{openai.Client{}, chat, "/openai", "", "/deployments/my-gpt/chat/completions?api-version=2024-10-21"},
		{openai.Client{}, chat, "/openai", "2025-04-01-preview", "/deployments/my-gpt/chat/completions?api-version=2025-04-01-preview"},
		{openai.Embeddings{}, embed, "/openai/v1", "", "/embeddings"},
		{openai.Embeddings{}, embed, "/openai", "", "/deployments/my-gpt/embeddings?api-version=2024-10-21"},
		{anthropic.Client{}, `{"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`, "/openai", "", "/deployments/my-gpt/chat/completions?api-version=2024-10-21"},
	} {
		request, err := test.client.Parse([]byte(test.body))
		if err != nil {
			t.Fatal(err)
		}
		made, err := Provider{}.Request(request, dialect.Target{Model: "my-gpt", Base: test.base, APIVersion: test.version})
		if err != nil || made.Path != test.want || !strings.HasPrefix(string(made.Body), `{"model":"my-gpt"`) {
			t.Errorf("%s with %q: %s %s, %v; want %s", test.base, test.version, made.Path, made.Body, err, test.want)
		}
	}
}

// Azure's models that reason refuse max_tokens, whatever the API that the client speaks.
func TestBoundOnTokens(t *testing.T) {
	const newer, older = `"max_completion_tokens":9`, `"max_tokens":9`
	renames := func(from, to string) *dialect.Quirks {
		return &dialect.Quirks{Rename: map[string]string{from: to}}
	}
	for name, test := range map[string]struct {
		quirks *dialect.Quirks
		want   string
	}{
		"no quirks":          {nil, newer},
		"others":             {renames("seed", "random_seed"), newer},
		"of an older server": {renames("max_completion_tokens", "max_tokens"), older},
		"of its own":         {renames("max_tokens", "limit"), `"limit":9`},
	} {
		for _, client := range []dialect.Client{openai.Client{}, anthropic.Client{}} {
			request, err := client.Parse([]byte(`{"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			made, err := Provider{}.Request(request, dialect.Target{Model: "my-gpt", Quirks: test.quirks})
			if err != nil || !strings.Contains(string(made.Body), test.want) {
				t.Errorf("%s, from %s: %s, %v; want %s", name, client.Name(), made.Body, err, test.want)
			}
		}
	}
}

func TestNameOfADeploymentStaysInItsSegment(t *testing.T) {
	request, _ := openai.Client{}.Parse([]byte(`{"messages":[{"role":"user","content":"hi"}]}`))
	made, err := Provider{}.Request(request, dialect.Target{Model: "a/b?c", Base: "/openai"})
	if err != nil || made.Path != "/deployments/a%2Fb%3Fc/chat/completions?api-version=2024-10-21" {
		t.Errorf("%s, %v", made.Path, err)
	}
}

// A stream with Azure's content filter: what it says of the prompt comes first, in a
// chunk without an id and without choices, and in asynchronous mode what it says of
// the answer comes behind it, without a delta.
var filtered = []string{
	`{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}`,
	`{"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"chatcmpl-a","model":"gpt-4o","object":"chat.completion.chunk","system_fingerprint":"fp","usage":null}`,
	`{"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"Hel"},"finish_reason":null,"index":0}],"created":1,"id":"chatcmpl-a","model":"gpt-4o","object":"chat.completion.chunk","usage":null}`,
	`{"choices":[{"content_filter_offsets":{"check_offset":1,"start_offset":1,"end_offset":3},"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"finish_reason":null,"index":0}],"created":0,"id":"","model":"","object":""}`,
	`{"choices":[{"content_filter_results":{"hate":{"filtered":true,"severity":"high"}},"delta":{},"finish_reason":"content_filter","index":0}],"created":1,"id":"chatcmpl-a","model":"gpt-4o","object":"chat.completion.chunk","usage":null}`,
	`{"choices":[],"created":1,"id":"chatcmpl-a","model":"gpt-4o","object":"chat.completion.chunk","usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}`,
	`[DONE]`,
}

func TestContentFilterInAStream(t *testing.T) {
	for name, client := range map[string]dialect.Client{"passed": openai.Client{}, "translated": anthropic.Client{}} {
		t.Run(name, func(t *testing.T) {
			pipe := dialect.NewPipe(client, Provider{}, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a", Model: "m/x"})
			var out []byte
			for i, data := range filtered {
				var err error
				if out, err = pipe.Event(out, sse.Event{Data: []byte(data)}); err != nil {
					t.Fatal(err)
				}
				if i == 0 && (len(out) > 0 || pipe.Progress().Started) {
					t.Errorf("the prompt's results begin the answer: %s", out)
				}
			}
			out = pipe.Finish(out)
			progress := pipe.Progress()
			if progress.FinishReason != "content_filter" || progress.Usage.Prompt != 9 || progress.Usage.Completion != 1 || progress.UpstreamID != "chatcmpl-a" || !progress.Done {
				t.Errorf("%+v", progress)
			}
			if !strings.Contains(string(out), "Hel") || name == "passed" && (!strings.Contains(string(out), `"severity":"high"`) || strings.Contains(string(out), `"choices":[],"c`)) {
				t.Errorf("%s", out)
			}
		})
	}
}

func TestWholeAnswerKeepsTheFiltersWords(t *testing.T) {
	pipe := dialect.NewPipe(openai.Client{}, Provider{}, &dialect.Request{}, dialect.Meta{ID: "gen-1-a", Model: "m/x"})
	out, err := pipe.Whole(nil, []byte(`{"choices":[{"content_filter_results":{"hate":{"filtered":false}},"finish_reason":"stop","index":0,"logprobs":null,"message":{"content":"hi","role":"assistant"}}],
		"created":1,"id":"chatcmpl-a","model":"gpt-4o","object":"chat.completion","prompt_filter_results":[{"prompt_index":0}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}`))
	if err != nil || !strings.Contains(string(out), `"prompt_filter_results":[{"prompt_index":0}]`) || !strings.Contains(string(out), `"content_filter_results":{"hate"`) {
		t.Errorf("%s, %v", out, err)
	}
}

func TestFailure(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   dialect.ProviderFailure
	}{
		{400, `{"error":{"message":"The response was filtered.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}`,
			dialect.ProviderFailure{Status: 400, Message: "The response was filtered.", Code: "content_filter"}},
		{404, `{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}`,
			dialect.ProviderFailure{Status: 404, Message: "The API deployment for this resource does not exist.", Code: "DeploymentNotFound"}},
		{404, `{"error":{"code":"404","message":"Resource not found"}}`,
			dialect.ProviderFailure{Status: 404, Message: "Resource not found", Code: "404"}},
		{401, `{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}`,
			dialect.ProviderFailure{Status: 401, Message: "Access denied due to invalid subscription key or wrong API endpoint.", Code: "401"}},
		{401, `{"statusCode":401,"message":"Access denied due to missing subscription key."}`,
			dialect.ProviderFailure{Status: 401, Message: "Access denied due to missing subscription key."}},
		{400, `{"error":{"code":"OperationNotSupported","message":"The chatCompletion operation does not work with the specified model."}}`,
			dialect.ProviderFailure{Status: 404, Message: "The chatCompletion operation does not work with the specified model.", Code: "OperationNotSupported"}},
	} {
		if diff := cmp.Diff(test.want, Provider{}.Failure(test.status, []byte(test.body))); diff != "" {
			t.Errorf("%s:\n%s", test.body, diff)
		}
	}
}

// Streams are read by package openai, which is fuzzed; here, that Azure's extras, cut
// anywhere, break nothing.
func FuzzStream(f *testing.F) {
	f.Add(strings.Join(filtered, "\n"))
	f.Add(`{"choices":[{"content_filter_offsets":{}}]}` + "\n" + `{"error":{"code":"content_filter"}}`)
	f.Fuzz(func(t *testing.T, stream string) {
		pipe := dialect.NewPipe(openai.Client{}, Provider{}, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"})
		for line := range strings.Lines(stream) {
			if _, err := pipe.Event(nil, sse.Event{Data: []byte(line)}); err != nil {
				return
			}
		}
		pipe.Finish(nil)
	})
}
