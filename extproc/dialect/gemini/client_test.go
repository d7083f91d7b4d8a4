package gemini

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// client is the dialect for a request to a path, which may have a query.
func client(t testing.TB, target string) (Client, error) {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	made, err := Client{}.ReadHead(dialect.Head{Path: path, Query: query})
	if err != nil {
		return Client{}, err
	}
	return made.(Client), nil
}

func TestReadHead(t *testing.T) {
	for target, want := range map[string]Client{
		"/v1beta/models/gemini-2.5-pro:generateContent":            {model: "gemini-2.5-pro"},
		"/v1/models/google/gemini-2.5-pro:generateContent":         {model: "google/gemini-2.5-pro"},
		"/api/v1/models/google%2Fgemini-2.5-pro%3AgenerateContent": {model: "google/gemini-2.5-pro"},
		"/api/v1beta/models/models/m/x:free:generateContent":       {model: "m/x:free"},
		"/v1/models/~alias:generateContent":                        {model: "~alias"},
		"/v1/models/@preset/p:generateContent":                     {preset: "p"},
		"/v1/models/m/x@preset/p:generateContent":                  {model: "m/x", preset: "p"},
		"/v1/models/m/x:streamGenerateContent?key=no&alt=sse":      {model: "m/x", method: streamGenerateContent},
		"/v1/models/m/x:countTokens":                               {model: "m/x", method: countTokens},
		"/v1/models/a/models/b:generateContent":                    {model: "a/models/b"},
		"/v1/models/m/x:embedContent":                              {model: "m/x", method: embedContent},
		"/v1/models/m/x:batchEmbedContents":                        {model: "m/x", method: batchEmbedContents},
	} {
		got, err := client(t, target)
		if err != nil || got != want {
			t.Errorf("%s is %+v, %v", target, got, err)
		}
	}
	for target, status := range map[string]int{
		"/v1/models/m/x":                                  404,
		"/v1/models/m/x:predict":                          404,
		"/v1/models/:generateContent":                     400,
		"/v1/models/models/:generateContent":              400,
		"/v1/models/%zz:generateContent":                  400,
		"/v1/models/m/x:streamGenerateContent":            400,
		"/v1/models/m/x:streamGenerateContent?alt=json":   400,
		"/v1/models/m/x:streamGenerateContent?alt=sse;%z": 400,
	} {
		var failure *dialect.Error
		if _, err := client(t, target); !errors.As(err, &failure) || failure.Status != status {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// Row 143, in Google's words: the same estimate as of the Messages API.
func TestCountTokens(t *testing.T) {
	c, _ := client(t, "/v1/models/m/x:countTokens")
	for body, want := range map[string]string{
		`{"contents":[{"parts":[{"text":"12345"}]}]}`: `"totalTokens":2,`,
		`{"generateContentRequest":{"model":"models/m/x","contents":[{"parts":[{"text":"12345"}]}],"systemInstruction":{"parts":[{"text":"1234"}]}}}`: `"totalTokens":3,`,
	} {
		request, err := c.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if answer, ok := c.Answer(request); !ok || !strings.Contains(string(answer), want) || !json.Valid(answer) {
			t.Errorf("%s: %s", body, answer)
		}
	}
	if _, ok := (Client{}).Answer(&dialect.Request{}); ok {
		t.Error("answers what needs a provider")
	}
}

func TestClientError(t *testing.T) {
	for _, test := range []struct {
		failure dialect.Error
		want    string
	}{
		{
			dialect.Error{Status: 400, Type: "invalid_request", Message: "m", Metadata: map[string]any{"offset": 3}},
			`{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_REQUEST","domain":"switchyard"}]},"metadata":{"offset":3}}`,
		},
		{
			dialect.Error{Status: 429, Type: "rate_limit_exceeded", Message: "m", GenerationID: "gen-1", Availability: &dialect.Availability{RetryAfter: 7}, RouterMetadata: []byte(`{"a":1}`)},
			`{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"switchyard","metadata":{"generation_id":"gen-1"}},` +
				`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}],"availability":{"code":"","retryable":false,"retry_after":7,"requested_models":[],"affected_providers":null}},"openrouter_metadata":{"a":1}}`,
		},
	} {
		got := strings.ReplaceAll(string(Client{}.Error(&test.failure)), `,"affected_providers":[]`, "")
		want := strings.ReplaceAll(test.want, `,"affected_providers":null`, "")
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	for status, want := range map[int]string{401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 402: "RESOURCE_EXHAUSTED", 413: "INVALID_ARGUMENT", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"} {
		if got := rpcStatus(status); got != want {
			t.Errorf("%d is %s", status, got)
		}
	}
	if !json.Valid(Client{}.Error(&dialect.Error{Status: http.StatusBadGateway, Message: "\xff", Metadata: map[string]any{"a": func() {}}})) {
		t.Error("what cannot be marshalled breaks the error")
	}
}

func TestClientPreset(t *testing.T) {
	preset := dialect.Preset{
		SystemPrompt: "Be brief.",
		Config: []byte(`{"model":"p/m","temperature":0.1,"max_tokens":50,"stop":"END","provider":{"order":["a"]},"messages":[],"reasoning":{"effort":"high"},
			"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}},
			"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}},{"type":"function","function":{"name":"g"}}]}`),
	}
	for _, test := range []struct {
		name, body string
		client     Client
		want       string
	}{
		{
			"what only the preset says", `{"preset":"p","contents":[]}`, Client{preset: "p"},
			`{"contents":[],"systemInstruction":{"parts":[{"text":"Be brief."}]},"generationConfig":{"temperature":0.1,"maxOutputTokens":50,"stopSequences":["END"],"thinkingConfig":{"thinkingLevel":"high"},` +
				`"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}},"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object"}},{"name":"g"}]}],"provider":{"order":["a"]},"model":"p/m"}`,
		},
		{
			"what the request says wins",
			`{"contents":[],"system_instruction":{"parts":[{"text":"own"}]},"generation_config":{"temperature":1,"max_output_tokens":5,"stopSequences":[],"thinkingConfig":{},"responseMimeType":"text/plain","responseJsonSchema":{}},"tools":[{"functionDeclarations":[{"name":"f"}]}],"provider":{}}`,
			Client{model: "m", preset: "p"},
			`{"contents":[],"systemInstruction":{"parts":[{"text":"Be brief."},{"text":"own"}]},"generationConfig":{"temperature":1,"max_output_tokens":5,"stopSequences":[],"thinkingConfig":{},"responseMimeType":"text/plain","responseJsonSchema":{}},` +
				`"tools":[{"functionDeclarations":[{"name":"f"}]},{"functionDeclarations":[{"name":"g"}]}],"provider":{}}`,
		},
	} {
		got, err := test.client.WithPreset([]byte(test.body), preset)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	if _, err := (Client{}).WithPreset([]byte(`[`), preset); err == nil {
		t.Error("half a body is merged")
	}
}
